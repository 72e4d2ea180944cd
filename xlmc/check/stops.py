"""The conditions that end a row, and that some will."""

from collections.abc import Iterator

from xlmc.check.insertions import trained
from xlmc.check.rules import number
from xlmc.diagnostics.diagnostic import Diagnostic, suggest
from xlmc.diagnostics.semantic_errors import NeverEnds, UnknownName, WrongStop
from xlmc.syntax import ast, query
from xlmc.theory.environment import Environment
from xlmc.theory.needs import unmet
from xlmc.theory.process import Process
from xlmc.words import arrows
from xlmc.words.numbers import of_gaps
from xlmc.words.slots import stop_of
from xlmc.words.stops.base import Stop, kinds, of_chance, temperature


def conditions(
    stop: ast.Stop, section: ast.Section, family: ast.Family, env: Environment
) -> Iterator[Diagnostic]:
    """Complain about each condition of a stop that the decoder cannot decide."""
    process = Process.of(family)
    noise, said = arrows.noise(process), set[str]()
    if noise is not None and noise.unending:
        yield WrongStop(span=stop.span, why=noise.unending, hint=noise.stop)
        return
    for one in stop.conditions:
        word = stop_of(one, family)
        if word is None:
            yield from _unknown(one, family, env)
            continue
        missing = unmet(word.needs, process)
        if missing is not None and process.known:
            yield WrongStop(span=one.span, why=missing.why, hint=_instead(process, family))
        elif missing is None:
            yield from _known(one, word, section, family, env)
            if word.once and word.name in said:
                why = "another condition of this stop does so, too"
                yield WrongStop(span=one.span, why=why, hint="drop one of them")
            said.add(word.name)


def _known(
    one: ast.Condition, word: Stop, section: ast.Section, family: ast.Family, env: Environment
) -> Iterator[Diagnostic]:
    """Complain about the parts of a condition: its head, its numbers, and all that is its own."""
    chance = word.chance(one)
    numbers = [*word.numbers(one)]
    if chance is not None:
        yield from trained(chance.span, query.asked(chance), family)
        numbers = [*temperature(chance), *numbers]
    for value in numbers:
        yield from number(value.value, value.kind, value.noun, env)
    yield from word.check(one, section, family)


def _unknown(one: ast.Condition, family: ast.Family, env: Environment) -> Iterator[Diagnostic]:
    """Complain about what is no condition that ends a row."""
    process = Process.of(family)
    instead = _instead(process, family)
    if isinstance(one, ast.NoState):
        why = f"no token shows that it is `{one.state.id}`"
        yield WrongStop(span=one.span, why=why, hint=instead)
        return
    left = one.left if isinstance(one, ast.Compare) else one.chance
    names = [n for n in query.names(left) if n.id not in env.names and n.id != "pi"]
    chances = [name for name in kinds(family) if of_chance(ast.Name(name, span=left.span), family)]
    for name in names:
        known = [*env.names, *chances]
        where = "in a stop"
        yield UnknownName(span=name.span, name=name.id, where=where, hint=suggest(name.id, known))
    if not names:
        why = "it is none of the conditions that end a row"
        why = "a row ends when no mask is left" if process.fixed_length else why
        if isinstance(left, ast.Name) and left.id in chances:
            why = "xlmc compares a chance by `>`, with a number"
        yield WrongStop(span=one.span, why=why, hint=instead)


def _instead(process: Process, family: ast.Family) -> str:
    """Return a hint at what ends a row, by the heads that the family has."""
    noise = arrows.noise(process)
    if noise is None:
        return ""
    chances = (name for name, head in query.heads(family).items() if head.kind.id == "chance")
    return noise.ending(next(chances, ""), next(iter(of_gaps(family)), ""))


def ends(section: ast.Section, family: ast.Family) -> Iterator[Diagnostic]:
    """Report a decoder that adds tokens until a head or a token ends it, which may never happen."""
    process = Process.of(family)
    stop = query.first(section.entries, ast.Stop)
    words = [stop_of(one, family) for one in stop.conditions] if stop is not None else []
    found = [word for word in words if word is not None]
    predicted = [y for y in query.layouts(family) if "eos" in query.predicted(y)]
    ending = ("last", "ended") if process.rightward else ()
    if ending and predicted and not any(word.kind in ending for word in found):
        why = f"layout `{predicted[0].name}` predicts an `eos`, and no condition ends a row at it"
        yield NeverEnds(span=(stop or section).span, why=why, hint=_instead(process, family))
    if not any(word.limits for word in found):
        hint = "add `or length = limit` to its stop" if stop else "add `stop when length = limit`"
        yield NeverEnds(
            span=(stop or section).span, why="nothing limits the number of tokens", hint=hint
        )
