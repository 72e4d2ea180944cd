"""A call of the network, as decoders make it."""

from xlmc.calculus.code import Kind, Rank, built, called, inside, variable
from xlmc.lower import blocks, ir
from xlmc.lower.clock import Clock
from xlmc.syntax import ast, query
from xlmc.theory.process import Process


def reading(family: ast.Family, clock: Clock) -> ir.Reading:
    """Build `reading.py`."""
    told = query.condition(family)
    what = "the hidden states of all columns"
    call = built("network.trunk(x, attend)")
    if told is not None and isinstance(told.value, ast.Name):
        t = variable("t", Rank.ROW, Kind.DOUBLE).code
        value = t if clock.tells(told.value.id) == "t" else called(clock.use("sigma"), t)
        call = built("network.trunk(x, attend, {}.expand(len(x)))", value)
        what += ", given the time"
    if blocks.size(family) is not None:
        call = built("network.extend(x, attend, network.blocks(free))[0]")
    if Process.of(family).permuted:
        call = built('network.trunk(x, attend, known_first(x == network.vocab["mask"], free))')
        what += ", the given tokens first in the order, masks last"
    if query.shifted(family) and not leftward(family):
        call = built("shifted({}, attend)", call)
        what = "for each column the hidden state to its left"
    return ir.Reading(call, what, functions(call))


def leftward(family: ast.Family) -> bool:
    """Return whether decoders read logits of tokens to the left of their places.

    So it is where gaps are read as well, each at the token to its left: `read` shifts nothing.
    """
    return query.shifted(family) and not Process.of(family).holds_places


def functions(codes: object) -> tuple[str, ...]:
    """Return the functions of the schedule that some code calls."""
    return tuple(sorted({name for code in inside(codes) for name in code.reads.functions}))
