"""The conditions that end a row, and that some will."""

from collections.abc import Iterator

from xlmc import ast, query
from xlmc.check.insertions import trained
from xlmc.check.rules import number
from xlmc.check.scope import Environment
from xlmc.errors import Diagnostic, suggest
from xlmc.refusals import NeverEnds, UnknownName, WrongStop

STOPS = {
    "mask": "a decoder of masks ends when none is left: write `stop when no mask`, or nothing",
    "gone": "write `stop when done > 0.5 or length = limit`, or `chance done` for `done > 0.5`",
    "both": "drop the stop",
}


def conditions(stop: ast.Stop, family: ast.Family, env: Environment) -> Iterator[Diagnostic]:
    """Whether the decoder can decide each condition of a stop."""
    chain, heads = query.chain(family), query.heads(family)
    chances = {name for name, head in heads.items() if head.kind.id == "chance"}
    if chain == "both":
        why = "the grid ends every row at the same time"
        yield WrongStop(span=stop.span, why=why, hint=STOPS[chain])
        return
    for one in stop.conditions:
        match one:
            case ast.NoState(state=state):
                if chain == "gone" or state.id != "mask":
                    why = f"no token shows that it is `{state.id}`"
                    yield WrongStop(span=one.span, why=why, hint=STOPS.get(chain, ""))
            case ast.Compare(
                op="=", left=ast.Name(id="length"), right=ast.Name(id="limit" | "oracle")
            ):
                if chain == "mask":
                    why = "a canvas of masks has its length from the start"
                    yield WrongStop(span=one.span, why=why, hint=STOPS[chain])
            case ast.Compare() | ast.Happens() if chain == "mask":
                why = "masks show what is missing: nothing else is asked"
                yield WrongStop(span=one.span, why=why, hint=STOPS[chain])
            case ast.Compare(op=">", left=left, right=right) if query.asked(left) in chances:
                yield from _read(left, family, env)
                yield from number(right, "Chance", "threshold", env)
            case ast.Happens(chance=chance) if query.asked(chance) in chances:
                yield from _read(chance, family, env)
            case ast.Compare() | ast.Happens():
                yield from _not_a_condition(one, chances, env)


def _read(chance: ast.Expr, family: ast.Family, env: Environment) -> Iterator[Diagnostic]:
    """``done``, or ``tempered(done, temperature)``."""
    yield from trained(chance.span, query.asked(chance), family)
    if isinstance(chance, ast.Call):
        yield from number(chance.arguments[1], "Scale", "temperature", env)


def _not_a_condition(
    one: ast.Compare | ast.Happens, chances: set[str], env: Environment
) -> Iterator[Diagnostic]:
    left = one.left if isinstance(one, ast.Compare) else one.chance
    unknown = [n for n in query.names(left) if n.id not in env.names and n.id != "pi"]
    for name in unknown:
        known = [*env.names, *chances]
        where = "in a condition to stop"
        yield UnknownName(span=name.span, name=name.id, where=where, hint=suggest(name.id, known))
    if not unknown:
        why = "the decoder cannot decide it"
        if isinstance(left, ast.Name) and left.id in chances:
            why = "a row ends when a chance is above a number"
        yield WrongStop(span=one.span, why=why, hint=STOPS["gone"])


def ends(section: ast.Section) -> Iterator[Diagnostic]:
    """Insertion goes on until a head says stop; a head may never say so."""
    stop = query.first(section.entries, ast.Stop)
    full = any(
        isinstance(one, ast.Compare) and isinstance(one.left, ast.Name) and one.left.id == "length"
        for one in (stop.conditions if stop else ())
    )
    if not full:
        hint = "add `or length = limit` to its stop" if stop else "add `stop when length = limit`"
        yield NeverEnds(
            span=(stop or section).span, why="nothing limits the number of insertions", hint=hint
        )
