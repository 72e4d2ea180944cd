"""The decoders: that they undo the noise, that they end, and that all they read is there."""

from collections.abc import Iterator

from attrs import evolve

from xlmc.check import canvas, corrections, edits, scope, sizes
from xlmc.check.actions import actions
from xlmc.check.insertions import overflow
from xlmc.check.noise import sound
from xlmc.check.rules import STEPS, at_least_one, known
from xlmc.check.stops import conditions, ends
from xlmc.check.words import name_span, one_of, word
from xlmc.diagnostics.diagnostic import Diagnostic, Related, suggest
from xlmc.diagnostics.semantic_errors import (
    MissingEntry,
    NeverDecoded,
    NeverUsed,
    NoDefaultDecoder,
    UnknownName,
    UnknownWord,
    WrongAction,
    WrongArguments,
    WrongDraw,
    WrongReuse,
    WrongRule,
    WrongStart,
)
from xlmc.syntax import ast, query
from xlmc.theory.environment import Environment
from xlmc.theory.needs import met
from xlmc.theory.process import Process
from xlmc.words import arrows, decoding, numbers, slots
from xlmc.words.answers import answering
from xlmc.words.reuses.base import Reuse


def check(family: ast.Family) -> Iterator[Diagnostic]:
    """Check the decoders."""
    decoders = query.decoders(family)
    if decoders and decoders[0].name is not None:
        yield NoDefaultDecoder(span=decoders[0].span)
    said = set[Diagnostic]()
    for section in decoders:
        for one in _decoder(section, family):
            if one not in said:
                yield _kept(one, section)
            said |= {one} if section.name is None else set()
    yield from _unused(family)


def _kept(one: Diagnostic, section: ast.Section) -> Diagnostic:
    """Add to a message about an inherited entry the named decoder that keeps it."""
    if section.name is None or one.span in section.span:
        return one
    here = Related(name_span(section, section.name), f"kept by `decoder {section.name}`")
    return evolve(one, related=(*one.related, here))


def _decoder(section: ast.Section, family: ast.Family) -> Iterator[Diagnostic]:
    entries, process = section.entries, Process.of(family)
    good = slots.start(process)
    env = environment(section, family)
    yield from _wrong(entries)
    for one in _lets(section):
        yield from known(one.value, answering(env, numbers=True))
    for start in query.those(entries, ast.Start):
        if good and start.state.id != good:
            begins = "nothing is corrupted: a row begins with its given tokens"
            why = begins if process.ordered else f"tokens end as `{process.end}`"
            why = "masks come block by block, behind what is given" if process.blocked else why
            why = "tokens come in a drawn order, each at its place" if process.permuted else why
            yield WrongStart(span=start.state.span, why=why, start=good)
        elif start.head is not None:
            yield from sizes.check(start, start.head, family)
    for grid in query.those(entries, ast.Grid):
        yield from _grid(grid, section, env, process)
    if not query.those(entries, ast.Grid):
        yield from _no_grid(section, family)
    for entry in query.those(entries, ast.Overflow):
        yield from overflow(entry, section, process)
    step = query.first(entries, ast.Step)
    if step is None:
        yield MissingEntry(
            span=section.span,
            entry="step",
            why="there is no reverse step",
            example=f"step {{ {_undo(process, family)}; draw {slots.drawn(family)} }}",
        )
        return
    yield from actions(step, "step", section, family, env)
    for finish in query.those(entries, ast.Finish):
        yield from _finish(finish, section, family, env)
    for stop in query.those(entries, ast.Stop):
        yield from conditions(stop, section, family, env)
    if process.blocked or (process.adds_tokens and not query.those(entries, ast.Grid)):
        yield from ends(section, family)
    yield from canvas.check(section, family, env)
    yield from edits.check(section, family, env)
    for reuse in query.those(entries, ast.Reuse):
        yield from _reuse(reuse, section, family)


def _no_grid(section: ast.Section, family: ast.Family) -> Iterator[Diagnostic]:
    """Complain about a decoder that needs times and has none."""
    process = Process.of(family)
    why = (
        "with two clocks, every step goes from one time to an earlier one"
        if process.clocks > 1
        else ""
    )
    if process.replaces:
        why = "any token may change at every step, and nothing else ends a row"
    if process.drafts:
        why = "edits come at rates of their own, and nothing else ends a row"
    if process.leads("clean", "gone") and query.condition(family) is not None:
        why = "the network reads the time, and a row does not show how much of it was dropped"
    if why:
        example = "grid uniform(128)"
        yield MissingEntry(
            span=section.span, owner="decoder", entry="grid", why=why, example=example
        )


def _undo(process: Process, family: ast.Family) -> str:
    """Return actions that undo the noise, an arrow each; without a noise one of the commonest."""
    if process.ordered:
        return arrows.undo(arrows.sound(process), process, family)
    words = map(arrows.of_step, process.life or ())
    return "; ".join(arrows.undo(word, process, family) for word in words) or "unmask one"


def _lets(section: ast.Section) -> list[ast.Let]:
    """Return the lets of a decoder; of a named one, which inherits some, those that it uses."""
    lets = query.those(section.entries, ast.Let)
    if section.name is None:
        return list(lets)
    others = [e for e in section.entries if not isinstance(e, ast.Let)]
    used = {n.id for e in others for expr in query.expressions(e) for n in query.names(expr)}
    found = []
    for one in reversed(lets):
        if one.name in used:
            used |= {name.id for name in query.names(one.value)}
            found.append(one)
    return found


def environment(section: ast.Section, family: ast.Family) -> Environment:
    """Return what an expression of a decoder may mention, and if it can be computed."""
    process = Process.of(family)
    gridded = process.clocks > 0 or not process.known
    return evolve(
        decoding.environment(section, family),
        sound=sound(family) and not any(_wrong(section.entries)),
        remedy="add `grid uniform(128)`" if gridded else "",
    )


def _wrong(entries: tuple[ast.Node, ...]) -> Iterator[Diagnostic]:
    """Yield what is wrong with the params and lets of a decoder, which is reported elsewhere."""
    yield from scope.declarations(entries, "a param of a decoder")
    yield from scope.lets_in_order(entries)


def _grid(
    grid: ast.Grid, section: ast.Section, env: Environment, process: Process
) -> Iterator[Diagnostic]:
    value = grid.value
    if process.known and not process.clocks:
        why = "nothing is corrupted: a row has no time, and the next token follows the last one"
        yield WrongAction(span=grid.span, action="grid", why=why, hint="drop the grid")
        return
    if isinstance(value, ast.Name):
        known = slots.grid_words().values()
        good = [one.name for one in known if met(one.needs, process) or not process.known]
        word_ = slots.grid_words().get(value.id)
        why = word_.why_not(process) if word_ is not None else ""
        if why:
            hint = "write `grid uniform(128)`"
            yield WrongRule(span=value.span, rule=value.id, why=why, hint=hint)
            return
        yield from one_of(value, good, "a grid")
        if value.id == "uniform":
            yield _number_of_steps(grid)
        step, chosen = query.first(section.entries, ast.Step), slots.grid(section.entries)
        if step is not None and chosen is not None and chosen.name in good:
            single = [name for name, rule in slots.rule_words().items() if rule.single]
            yield from chosen.wrong(step, single)
        return
    name = evolve(word(value, value.function), id=value.function + "'" * value.primes)
    others = list(one_of(name, ("uniform",), "a grid with a number of steps"))
    if others:
        hint = "steps are spread over time by the survival, such as `alpha(t) = cos(pi / 2 * t)`"
        near = suggest(name.id, ("uniform",))
        yield from (
            evolve(one, hint=near or hint) for one in others if isinstance(one, UnknownWord)
        )
        return
    if len(value.arguments) > 1 or value.keywords:
        why = "it takes one number of steps"
        example = "grid uniform(128)"
        yield WrongArguments(span=value.span, name="uniform", why=why, example=example)
        return
    if not value.arguments:
        yield _number_of_steps(grid)
        return
    (steps,) = value.arguments
    hint = "write `param steps : Count = 128` and `grid uniform(steps)`"
    wrong = [
        evolve(one, hint=suggest(one.name, env.defaults) or hint)
        if isinstance(one, UnknownName)
        else one
        for one in scope.known(steps, env)
    ]
    yield from wrong or at_least_one(steps, env, what="number of steps", hint=hint, most=STEPS)


def _number_of_steps(grid: ast.Grid) -> Diagnostic:
    return MissingEntry(
        span=grid.span,
        owner="grid",
        entry="number of steps",
        why="it does not say how many steps it has",
        example="param steps : Count = 128` and write `grid uniform(steps)",
    )


def _finish(
    finish: ast.Finish, section: ast.Section, family: ast.Family, env: Environment
) -> Iterator[Diagnostic]:
    if finish.over is not None:
        yield from corrections.check(finish, section, family, env)
        return
    process, hint = Process.of(family), "drop `finish { }`"
    if process.replaces or process.drafts:
        why = "the last step of the grid leads to t = 0, where every token is clean"
        if process.replaces:
            hint = f"{hint}, or correct the text: `finish over 32 {{ {corrections.EXAMPLE} }}`"
        yield WrongAction(span=finish.span, action="finish", why=why, hint=hint)
        return
    if process.adds_tokens:
        why = "a row ends when the decoder stops"
        if process.drops:
            why = "it fills masks that are left, and here tokens are dropped: no mask shows them"
        yield WrongAction(span=finish.span, action="finish", why=why, hint=hint)
        return
    yield from actions(finish, "finish", section, family, env)
    step = query.first(section.entries, ast.Step)
    heads = [a.head for b in (step, finish) if b for a in query.those(b.actions, ast.Draw)]
    if len({head.id for head in heads}) > 1:
        hint = f"write `draw {heads[0].id}`"
        yield WrongDraw(span=heads[-1].span, why="the step draws from another head", hint=hint)
    for unmask in query.acts(finish.actions, "unmask"):
        if not slots.rule_words()[unmask.much.rule].whole:
            yield WrongRule(
                span=unmask.much.span,
                rule=unmask.much.rule,
                why="masks would be left in the sample",
                hint="write `unmask all`",
            )


def _reuse(reuse: ast.Reuse, section: ast.Section, family: ast.Family) -> Iterator[Diagnostic]:
    words = slots.reuse_words()
    yield from one_of(reuse.what, words, "a condition for reuse")
    if reuse.what.id not in words:
        return
    word, known = words[reuse.what.id], slots.backbone_words().values()
    causal = {one.name: one.caching is not None for one in known if one.causal is not None}
    why, hint = _part(reuse, word)
    if not why:
        why, hint = word.why_not(family, Process.of(family), causal)
    if not why and word.parts:
        why, hint = _partial(section, family)
    if not why:
        why, hint = word.beside(section, Process.of(family))
    if why:
        yield WrongReuse(span=reuse.span, why=why, hint=hint)


def _part(reuse: ast.Reuse, word: Reuse) -> tuple[str, str]:
    """Return why the part of a row that is kept is none, and a hint; two times "" if it is one."""
    good = " or ".join(f"`reuse {part} while {word.name}`" for part in word.parts)
    good = good or f"`reuse while {word.name}`"
    if reuse.part is None and word.parts:
        return "it does not say of which part of a row keys and values are kept", f"write {good}"
    if reuse.part is not None and reuse.part.id not in word.parts:
        return f"`{reuse.part.id}` is no part of a row that it keeps", f"write {good}"
    return "", ""


def _partial(section: ast.Section, family: ast.Family) -> tuple[str, str]:
    """Return why a part of a row cannot be computed alone, and a hint; two times "" if it can."""
    words, name = slots.backbone_words(), query.backbone(family)
    backbone = query.first(query.entries(family, "network"), ast.Backbone)
    if backbone is None or (name not in words and backbone.python is None):
        return "", ""
    good = " or ".join(f"`backbone {one.name}`" for one in words.values() if one.partial)
    if backbone.python is not None or words[name].partial is None or query.condition(family):
        return "this backbone cannot compute a part of a row", f"write {good}"
    if query.carry(family) is not None:
        return "a carried state is of the whole row", "drop the `carry`, or `reuse`"
    step = query.first(section.entries, ast.Step)
    if step is not None and (edits := slots.edits(step.actions)):
        verb = edits[0][1].verb
        return f"`{verb}` changes tokens that were kept", f"drop the {verb}, or `reuse`"
    return "", ""


def _spoken(section: ast.Section) -> set[str]:
    """Return the names that a decoder mentions, also through lets."""
    entries = [entry for entry in section.entries if not isinstance(entry, ast.Let)]
    exprs = [expr for entry in entries for expr in query.expressions(entry)]
    return query.spoken(exprs, query.those(section.entries, ast.Let))


def _weighing(section: ast.Section, family: ast.Family) -> str:
    """Return the head by which a decoder weighs the gaps that get a token; "" for none."""
    step = query.first(section.entries, ast.Step)
    actions = step.actions if step is not None else ()
    insert, draw = query.first(actions, ast.Insert), query.first(actions, ast.Draw)
    if insert is None or draw is None:
        return ""
    return numbers.weighing(insert.much, draw.head.id, section, family)


def _unused(family: ast.Family) -> Iterator[Diagnostic]:
    decoders = query.decoders(family)
    if not decoders:
        return
    nodes = [entry for section in decoders for entry in section.entries]
    spoken = {name for section in decoders for name in _spoken(section)}
    for section in decoders:
        read = spoken if section.name is None else _spoken(section)
        for entry in section.entries:
            if not isinstance(entry, ast.Param | ast.Choice | ast.Let) or entry.name in read:
                continue
            if entry.span in section.span and entry.span.source == family.span.source:
                yield NeverUsed(span=entry.span, name=entry.name)
    drawn = {
        action.head.id
        for node in nodes
        if isinstance(node, ast.Step | ast.Finish)
        for action in query.those(node.actions, ast.Draw)
    }
    drawn |= {one.head.id for one in nodes if isinstance(one, ast.Start) and one.head is not None}
    drawn |= {_weighing(section, family) for section in decoders}
    trained = {term.head.id for term in query.terms(family)}
    for term in query.terms(family):
        if term.head.id in query.heads(family) and term.head.id not in spoken | drawn:
            yield NeverDecoded(span=term.head.span, head=term.head.id)
    for head in query.heads(family).values():
        if head.name not in spoken | drawn | trained:
            yield NeverUsed(span=head.span, name=head.name)
