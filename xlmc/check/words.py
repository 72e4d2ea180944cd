"""Words of the language, and names that nobody may take."""

import keyword
import re
from collections.abc import Iterable, Iterator

from attrs import evolve

from xlmc.calculus import evaluate, functions
from xlmc.diagnostics.diagnostic import Diagnostic, suggest
from xlmc.diagnostics.semantic_errors import ReservedName, UnknownWord
from xlmc.diagnostics.source import Span
from xlmc.syntax import ast


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


VALUES = _set("t s x0 xt bound count length limit masked steps_left pi none text stop_strings")
FUNCTIONS = functions.WRITTEN
DERIVED = tuple(sorted(evaluate.DERIVED))
AROUND = ("geometric", "visible")  # of the tokens around a masked one

_SETTINGS = frozenset({"default", "loss"})


def one_of(name: ast.Name, known: Iterable[str], what: str) -> Iterator[Diagnostic]:
    """Check that a name is among the known words."""
    known = tuple(known)
    if name.id not in known:
        yield UnknownWord(
            span=name.span,
            word=name.id,
            what=what,
            known=listed(known),
            hint=suggest(name.id, known),
        )


def listed(words: Iterable[str]) -> str:
    """Format the words that are allowed: ``one of: dit, rotary``."""
    words = tuple(words)
    return f"`{words[0]}`" if len(words) == 1 else f"one of: {', '.join(words)}"


def word(node: ast.Node, name: str) -> ast.Name:
    """Return a word of an entry that is not a node of its own."""
    return ast.Name(name, span=name_span(node, name))


def reserved(
    name: str, what: str, node: ast.Node, taken: tuple[str, ...] = ()
) -> Iterator[Diagnostic]:
    """Report a name that is a word of Python or of the language.

    ``what`` is the kind of thing that has the name, ``node`` its entry; ``taken`` are further
    words of the language in the same place.
    """
    why = why_reserved(name, what) or ("a word of the language" if name in taken else "")
    if why:
        yield ReservedName(span=name_span(node, name), name=name, what=what, why=why)


def why_reserved(name: str, what: str) -> str:
    """Return the reason why nothing of a kind may have a name; "" if it may."""
    if keyword.iskeyword(name):
        return "a word of Python"
    if name.startswith("_"):
        return "names begin with a letter"
    if what == "a decoder":
        return "the settings of a run use this word" if name in _SETTINGS else ""
    if name in VALUES:
        return "a word of the language"
    if name in FUNCTIONS or name in DERIVED or name in AROUND:
        return "a function of the language"
    return ""


def name_span(node: ast.Node, name: str) -> Span:
    """Return the span of a name in its entry, after the word that begins it."""
    span = node.span
    found = re.search(rf"\b{re.escape(name)}\b", span.text)
    if found is None:
        return span
    return evolve(span, start=span.start + found.start(), end=span.start + found.end())
