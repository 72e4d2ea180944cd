"""Words of the language, and names that nobody may take."""

import builtins
import keyword
from collections.abc import Iterable, Iterator

from xlmc import ast
from xlmc.errors import Diagnostic, suggest
from xlmc.query import SPECIALS
from xlmc.refusals import ReservedName, UnknownWord
from xlmc.source import Span

VALUES = frozenset(
    {
        "t",
        "s",
        "x0",
        "xt",
        "bound",
        "count",
        "length",
        "limit",
        "masked",
        "steps_left",
        "pi",
        "none",
    }
)
# Names that the generated code uses for something else.
GENERATED = frozenset(
    {"network", "noised", "batch", "noise", "hidden", "logits", "weight", "nll", "row", "place"}
    | {
        "over",
        "terms",
        "x",
        "u",
        "i",
        "self",
        "token",
        "score",
        "odds",
        "nothing",
        "record",
        "rows",
    }
    | {"quota", "reveal", "asked", "places", "gap", "gaps", "joint", "outcome", "index", "grid"}
    | {"history", "nfe", "step", "draw", "fill", "finish", "vocab", "size", "best", "left", "at"}
    | {"torch", "math", "F", "position", "called", "open_", "attend", "body", "order", "decoder"}
) - {"order", "token", "gap"}
METHODS = frozenset(
    {"trunk", "backbone", "vocab", "forbidden", "forward", "train", "eval", "to", "half", "float"}
    | {"type", "apply", "cuda", "cpu", "double", "loss", "parameters", "modules", "children"}
    | {"register_buffer", "buffers", "training", "compile", "extra_repr", "share_memory"}
)
FUNCTIONS = ("cos", "exp", "log", "max", "min", "sin", "sqrt", "tan")
DERIVED = ("corrupted", "dsigma", "hazard", "reveal", "sigma")


def one_of(name: ast.Name, known: Iterable[str], what: str) -> Iterator[Diagnostic]:
    """A complaint unless the name is among the known words."""
    known = tuple(known)
    if name.id not in known:
        yield UnknownWord(
            span=name.span,
            word=name.id,
            what=what,
            known=", ".join(known),
            hint=suggest(name.id, known),
        )


def reserved(
    name: str, what: str, span: Span, taken: frozenset[str] = frozenset()
) -> Iterator[Diagnostic]:
    """A complaint if a name would hide something that is needed under it."""
    why = ""
    if keyword.iskeyword(name) or keyword.issoftkeyword(name) and name != "type":
        why = "a word of Python"
    elif name.startswith("_"):
        why = "names begin with a letter"
    elif name in VALUES:
        why = "a word of the language"
    elif name in FUNCTIONS or name in DERIVED:
        why = "a function of the language"
    elif name in taken or name in SPECIALS or hasattr(builtins, name):
        why = "the generated code uses it for something else"
    if why:
        yield ReservedName(span=span, name=name, what=what, why=why)
