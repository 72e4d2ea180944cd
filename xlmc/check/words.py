"""Words of the language, and names that nobody may take."""

import builtins
import keyword
import re
from collections.abc import Iterable, Iterator

from attrs import evolve

from xlmc.diagnostics.diagnostic import Diagnostic, suggest
from xlmc.diagnostics.semantic_errors import ReservedName, UnknownWord
from xlmc.diagnostics.source import Span
from xlmc.syntax import ast
from xlmc.syntax.query import SPECIALS


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


VALUES = _set("t s x0 xt bound count length limit masked steps_left pi none text stop_strings")
FUNCTIONS = ("cos", "exp", "log", "max", "min", "sin", "sqrt", "tan")
DERIVED = ("corrupted", "dsigma", "hazard", "reveal", "sigma")
AROUND = ("geometric", "visible")  # of the tokens around a masked one

# What the generated modules import and annotate with, wherever they use it.
_IMPORTED = _set(
    """
    Batch Bool Callable Canvas ClassVar dataclass Decoded Example F Float Int Iterable Iterator
    Layout Literal Losses math ModelSize Movable Nelbo Network nn Noise Noised Row Tensor Tick torch
    Vocabulary
    """
)
# What they define, import from each other, and call their variables.
_VARIABLES = _set(
    """
    after again amount ask at at_gaps at_special attend batch best blind block block_count
    block_countdown block_of block_times blocks body called candidates canvas categorical
    clock close confidence corrupt countdown cut dict draw drawn early error fill finish
    first gap gaps given go gone grid grow guided gumbel hidden hide high history i index
    insert insertion inside inverse joint joint_nll keep_top_k keep_top_p known leading led
    left level likeliest limit logits loss low margin masks middle nats negative_entropy
    nelbo network nfe nll noise noised nothing odds of_gap open_ opened order outcome over p
    per_row place places position prompt put_back quota record repeat room row rows score
    scores self share size spread start starts states stays step stop subset sure surest
    target tempered_chance terms tick ticks times token tokens told truncated turn turns u
    vocab walk weight without written x
    """
)
# The attributes of the class that has the heads for methods, most of them those of `nn.Module`.
_MODULE = _set(
    """
    add_module apply backbone bfloat16 buffers call_super_init children compile cpu cuda double
    dump_patches eval extend extra_repr float forbidden forward get_buffer get_extra_state
    get_parameter get_submodule half ipu load_state_dict modules mtia named_buffers
    named_children named_modules named_parameters parameters register_backward_hook
    register_buffer register_forward_hook register_forward_pre_hook register_full_backward_hook
    register_full_backward_pre_hook register_load_state_dict_post_hook
    register_load_state_dict_pre_hook register_module register_parameter
    register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ set_extra_state
    set_submodule share_memory smart_apply state_dict T_destination to to_empty train training
    trunk type vocab xpu zero_grad
    """
)
_CODE = "the generated code uses it for something else"
_TAKEN = {
    "a family": frozenset[str](),
    "a schedule": _IMPORTED
    | _VARIABLES
    | _set(
        """
        above Appending at_least_one column back blocks_so_far Blockwise by_chunk Caching Canvas
        carried Configured Continuing cost cross_entropy density Drawing Drawn drop_right
        end Ended ended Ending errors events exact_joint_nll exact_nll expected filled
        Filling Finishing found going Gridded Growing grown Guided in_block in_first_block
        Inserting joint_cross_entropy leftmost live made mean_time number Oracle pairs pick
        Picking poisson poisson_cost rate rated Rating read Revealing Revising scale Scoring
        skip_row steps steps_left Stopping sureness take_out temperature tempered Tick top_k
        top_p total uniform uniform_blocks unmasking
        """
    ),
    "a head": _IMPORTED
    | _MODULE
    | _set("batch empty hidden loss network noise noised over self terms x"),
    "a head of a number": _IMPORTED
    | _MODULE
    | _set(
        """
        above confidence drop_right gumbel leftmost likeliest margin skip_row surest truncated
        again ask batch canvas categorical drawn empty expected first gaps going hidden live
        logits loss masked masks negative_entropy network noise noised number odds outcome
        over pairs places poisson put_back quota rows score scores self spread
        tempered_chance terms tick token u written x
        """
    ),
    "a param of the loss": _IMPORTED | _VARIABLES | _set("cost cross_entropy poisson_cost rate"),
    "a param of a decoder": _IMPORTED
    | _set(
        """
        active candidates canvas draw ended errors finish logits pick scores start step stop stops
        ticks
        """
    ),
    "a let": _IMPORTED | _VARIABLES,
}
_MADE = re.compile(
    r"to_.*|.*_term|guided_.*|.*Decoder|(score|error)_.*"
)  # names that the generated code makes of those of heads and decoders
_SETTINGS = frozenset({"default", "loss"})


def one_of(name: ast.Name, known: Iterable[str], what: str) -> Iterator[Diagnostic]:
    """A complaint unless the name is among the known words."""
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
    """The words that may stand somewhere: ``one of: dit, rotary``."""
    words = tuple(words)
    return f"`{words[0]}`" if len(words) == 1 else f"one of: {', '.join(words)}"


def word(node: ast.Node, name: str) -> ast.Name:
    """A word of an entry that is not a node of its own."""
    return ast.Name(name, span=name_span(node, name))


def reserved(name: str, what: str, node: ast.Node) -> Iterator[Diagnostic]:
    """A complaint if a name would hide something that is needed under it.

    ``what`` is the kind of thing that has the name, and ``node`` where it gets it.
    """
    if why := why_reserved(name, what):
        yield ReservedName(span=name_span(node, name), name=name, what=what, why=why)


def why_reserved(name: str, what: str) -> str:
    """Why nothing of a kind may have a name; "" if it may."""
    if keyword.iskeyword(name) or (what == "a schedule" and keyword.iskeyword(f"d{name}")):
        return "a word of Python" + (f": d{name}" if not keyword.iskeyword(name) else "")
    if name.startswith("_"):
        return "names begin with a letter"
    if what == "a decoder":
        return "the settings of a run use it for something else" if name in _SETTINGS else ""
    if name in VALUES:
        return "a word of the language"
    if name in FUNCTIONS or name in DERIVED or name in AROUND:
        return "a function of the language"
    if name in _TAKEN[what] or name in SPECIALS or hasattr(builtins, name):
        return _CODE
    if what == "a schedule" and (f"d{name}" in _TAKEN[what] or hasattr(builtins, f"d{name}")):
        return f"{_CODE}: d{name}, the name of its slope"
    made = what not in ("a family", "a param of a decoder") and _MADE.fullmatch(name)
    return "the generated code makes such names of those of heads and decoders" if made else ""


def name_span(node: ast.Node, name: str) -> Span:
    """Where a name stands in its entry, behind the word that begins it."""
    span = node.span
    found = re.search(rf"\b{re.escape(name)}\b", span.text)
    if found is None:
        return span
    return evolve(span, start=span.start + found.start(), end=span.start + found.end())
