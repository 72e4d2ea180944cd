"""The conditions that end a row, and that some will."""

from collections.abc import Iterator

from xlmc.check.insertions import trained
from xlmc.check.rules import number
from xlmc.check.words import one_of
from xlmc.diagnostics.diagnostic import Diagnostic, Related, suggest
from xlmc.diagnostics.semantic_errors import NeverEnds, UnknownName, Unsupported, WrongStop
from xlmc.syntax import ast, query
from xlmc.theory.environment import Environment
from xlmc.theory.process import Process
from xlmc.words import arrows


def conditions(
    stop: ast.Stop, section: ast.Section, family: ast.Family, env: Environment
) -> Iterator[Diagnostic]:
    """Whether the decoder can decide each condition of a stop."""
    process, heads = Process.of(family), query.heads(family)
    instead = arrows.stop(process)
    chances = {name for name, head in heads.items() if head.kind.id == "chance"}
    chances |= {f"zero({name})" for name, head in heads.items() if head.kind.id == "distribution"}
    if process.clocks > 1:
        yield from _few(stop, section, env, instead)
        return
    for one in stop.conditions:
        match one:
            case ast.NoState(state=state):
                if not process.fixed_length or state.id != "mask":
                    why = f"no token shows that it is `{state.id}`"
                    yield WrongStop(span=one.span, why=why, hint=instead)
            case ast.Compare(
                op="=", left=ast.Name(id="length"), right=ast.Name(id="limit" | "oracle" as end)
            ):
                if process.fixed_length:
                    why = "a canvas of masks has its length from the start"
                    yield WrongStop(span=one.span, why=why, hint=instead)
                elif process.ordered and end == "oracle":
                    why = "xlmc ends rows at the length of their answers where tokens are inserted"
                    yield WrongStop(span=one.span, why=why, hint=instead)
            case ast.Compare(op="=", left=ast.Name(id="last"), right=ast.Name() as special):
                yield from _last(one, special, family)
            case (
                ast.Compare(left=ast.Name(id="text"))
                | ast.Compare(right=ast.Name(id="stop_strings"))
            ):
                yield from _text(one, process)
            case ast.Compare() | ast.Happens() if process.fixed_length:
                why = "xlmc asks no head here: a row ends when no mask is left"
                yield WrongStop(span=one.span, why=why, hint=instead)
            case ast.Compare(op=">", left=left, right=right) if _chance(left) in chances:
                yield from _read(left, family, env)
                yield from number(right, "Chance", "threshold", env)
            case ast.Happens(chance=chance) if _chance(chance) in chances:
                yield from _read(chance, family, env)
            case ast.Compare() | ast.Happens():
                yield from _not_a_condition(one, chances, env, instead)


def _few(
    stop: ast.Stop, section: ast.Section, env: Environment, instead: str
) -> Iterator[Diagnostic]:
    """``gap < 0.01``: a row of which so few tokens are missing on average gets no more."""
    step = query.first(section.entries, ast.Step)
    insert = query.first(step.actions, ast.Insert) if step is not None else None
    read = {name.id for name in query.names(insert.much.value)} if insert is not None else set()
    for number_, one in enumerate(stop.conditions):
        match one:
            case ast.Compare(op="<", left=ast.Name(id=head), right=right) if (
                number_ == 0 and head in read
            ):
                yield from number(right, "Scale", "number of missing tokens", env)
            case _:
                why = "here a row ends with the grid, or when hardly a token is missing"
                yield WrongStop(span=one.span, why=why, hint=instead)


def _text(one: ast.Compare, process: Process) -> Iterator[Diagnostic]:
    """``text = stop_strings``: a row is done when its text holds one of the run's strings."""
    sides = (one.left, one.op, one.right)
    good = [side.id if isinstance(side, ast.Name) else side for side in sides]
    if good != ["text", "=", "stop_strings"]:
        why = "a text is over where it holds one of the strings that a run names"
        yield WrongStop(span=one.span, why=why, hint="write `text = stop_strings`")
    elif not process.fixed_length:
        why = "it can only end a row early under `clean -> mask`"
        hint = "drop it: `generate.stop` of a run cuts what any decoder writes"
        yield Unsupported(span=one.span, what="this condition", why=why, hint=hint)


def _chance(expr: ast.Expr) -> str:
    """A chance by the head that it is read from: ``done``, ``zero(missing)``."""
    head = query.asked(expr)
    return f"zero({head})" if isinstance(expr, ast.Call) and expr.function == "zero" else head


def _read(chance: ast.Expr, family: ast.Family, env: Environment) -> Iterator[Diagnostic]:
    """``done``, ``tempered(done, temperature)`` or ``zero(missing)``."""
    yield from trained(chance.span, query.asked(chance), family)
    if isinstance(chance, ast.Call) and chance.function == "tempered":
        yield from number(chance.arguments[1], "Scale", "temperature", env)


def _not_a_condition(
    one: ast.Compare | ast.Happens, chances: set[str], env: Environment, instead: str
) -> Iterator[Diagnostic]:
    left = one.left if isinstance(one, ast.Compare) else one.chance
    unknown = [n for n in query.names(left) if n.id not in env.names and n.id != "pi"]
    for name in unknown:
        known = [*env.names, *chances]
        where = "in a condition to stop"
        yield UnknownName(span=name.span, name=name.id, where=where, hint=suggest(name.id, known))
    if not unknown:
        why = "xlmc does not support this condition"
        if isinstance(left, ast.Name) and left.id in chances:
            why = "xlmc compares a chance by `>`, with a number"
        yield WrongStop(span=one.span, why=why, hint=instead)


def _last(one: ast.Compare, special: ast.Name, family: ast.Family) -> Iterator[Diagnostic]:
    """A row can end at a special that every layout lets be predicted."""
    process = Process.of(family)
    if not process.known:
        return  # the noise section says what is wrong with it
    if not process.ordered:
        why = "tokens do not come in their order: the last one may come first"
        yield WrongStop(span=one.span, why=why, hint=arrows.stop(process))
        return
    wrong = list(one_of(special, ("eos",), "a special that ends a row"))
    yield from wrong
    for layout in query.layouts(family):
        if not wrong and special.id not in query.predicted(layout):
            why = f"layout `{layout.name}` never predicts `{special.id}`"
            related = (Related(layout.span, "this layout"),)
            hint = f"put it inside the brackets: `[body {special.id}]`"
            yield WrongStop(span=one.span, why=why, hint=hint, related=related)


def ends(section: ast.Section, family: ast.Family) -> Iterator[Diagnostic]:
    """Tokens are added until a head or a token says stop; they may never say so."""
    process = Process.of(family)
    stop = query.first(section.entries, ast.Stop)
    last = any(
        isinstance(one, ast.Compare) and isinstance(one.left, ast.Name) and one.left.id == "last"
        for one in (stop.conditions if stop else ())
    )
    predicted = [y for y in query.layouts(family) if "eos" in query.predicted(y)]
    if process.ordered and predicted and not last:
        why = f"layout `{predicted[0].name}` predicts an `eos`, and nothing ends there"
        yield NeverEnds(span=(stop or section).span, why=why, hint=arrows.stop(process))
    full = any(
        isinstance(one, ast.Compare) and isinstance(one.left, ast.Name) and one.left.id == "length"
        for one in (stop.conditions if stop else ())
    )
    if not full:
        hint = "add `or length = limit` to its stop" if stop else "add `stop when length = limit`"
        yield NeverEnds(
            span=(stop or section).span, why="nothing limits the number of tokens", hint=hint
        )
