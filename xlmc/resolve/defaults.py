"""Defaults of a spec, written into its tree; `xlmc expand` prints the result."""

from fractions import Fraction

from attrs import evolve

from xlmc.diagnostics.source import Span
from xlmc.resolve.duplicates import key
from xlmc.resolve.inherit import drawn, laid
from xlmc.syntax import ast, query
from xlmc.syntax.expression import remaining
from xlmc.theory.process import Process
from xlmc.words import arrows, slots
from xlmc.words.noises.base import Noise
from xlmc.words.slots import rule_words

NEUTRAL = {  # what a draw may be told with: the type of a param, and where it changes nothing
    "temperature": ("Scale", "1.0"),
    "top_k": ("Count", "0"),
    "top_p": ("Chance", "1.0"),
}


def complete(family: ast.Family) -> ast.Family:
    """Write out every default of a family, and complete every named decoder.

    Tolerates a spec that is wrong: what cannot be completed is left for the checks.
    """
    process = Process.of(family)
    default = _with_params(query.entries(family, "decoder"))
    sections = tuple(_section(section, process, default) for section in family.sections)
    return evolve(family, sections=sections)


def _section(section: ast.Section, process: Process, default: tuple[ast.Node, ...]) -> ast.Section:
    noise = arrows.noise(process)
    match section.kind:
        case "noise":
            entries = _noise(section.entries, noise, section.span)
        case "network" if section.name is not None:
            entries = _of_tokens(section.entries)
        case "network":
            entries = _network(section.entries, noise, section.span)
        case "loss":
            entries = _loss(section.entries, section.span)
        case "decoder":
            own = section.entries if section.name is None else overlay(default, section.entries)
            entries = _decoder(own, noise, process, section.span)
        case _:
            entries = _collate(section.entries, section.span)
    return evolve(section, entries=entries)


def explicit(family: ast.Family) -> ast.Family:
    """Return a spec of the same meaning as a complete family: named decoders drop entries."""
    default = query.entries(family, "decoder")
    sections = tuple(
        evolve(section, entries=(*_without(section, default), *section.entries))
        if section.kind == "decoder" and section.name is not None
        else evolve(section, entries=tuple(map(_written, section.entries)))
        for section in family.sections
    )
    return evolve(family, sections=sections)


def _written(entry: ast.Node) -> ast.Node:
    """Return an entry as a spec writes it: an arrow of events with their expected number."""
    if isinstance(entry, ast.Arrow) and entry.events is not None:
        return evolve(entry, value=entry.events)
    return entry


def _without(section: ast.Section, default: tuple[ast.Node, ...]) -> tuple[ast.Drop, ...]:
    """Return a drop for every entry of the default decoder that a named one does not have."""
    own = {key(entry) for entry in section.entries}
    return tuple(
        ast.Drop(key(entry), span=section.span) for entry in default if key(entry) not in own
    )


def overlay(base: tuple[ast.Node, ...], over: tuple[ast.Node, ...]) -> tuple[ast.Node, ...]:
    """Replace entries of ``base`` by those of ``over`` with the same key; new ones follow."""
    old = {key(entry): entry for entry in base}
    dropped = {entry.key for entry in over if isinstance(entry, ast.Drop)}
    own = [entry for entry in over if not isinstance(entry, ast.Drop)]
    new = {key(entry): laid(old.get(key(entry)), entry) for entry in own}
    kept = [new.pop(key(entry), entry) for entry in base if key(entry) not in dropped]
    return (*kept, *new.values())


def _has(entries: tuple[ast.Node, ...], kind: type[ast.Node]) -> bool:
    return any(isinstance(entry, kind) for entry in entries)


def _name(id: str, span: Span) -> ast.Name:
    return ast.Name(id, span=span)


def _noise(entries: tuple[ast.Node, ...], noise: Noise | None, span: Span) -> tuple[ast.Node, ...]:
    entries = tuple(_surviving(one) if isinstance(one, ast.Arrow) else one for one in entries)
    if noise is None or noise.amount is None or _has(entries, ast.Amount):
        return entries
    return (*entries, noise.amount.amount(span))


def _surviving(arrow: ast.Arrow) -> ast.Arrow:
    """Return an arrow with its survival: of events the share of them that is yet to come."""
    if arrow.events is None:
        return arrow
    return evolve(arrow, value=remaining(arrow.events, arrow.argument))


def _network(
    entries: tuple[ast.Node, ...], noise: Noise | None, span: Span
) -> tuple[ast.Node, ...]:
    whole = tuple(map(_entry, entries))
    if _has(entries, ast.Attention):
        return whole
    kind = noise.attention if noise is not None else Noise.attention
    attention = ast.Attention(_name(kind, span), span=span)
    place = 1 if whole and isinstance(whole[0], ast.Backbone) else 0
    return (*whole[:place], attention, *whole[place:])


def _entry(entry: ast.Node) -> ast.Node:
    """Return an entry of the network: tokens are predicted at tokens, a state carried at masks."""
    match entry:
        case ast.Head(at=None) if slots.of_tokens(entry):
            return evolve(entry, at=_name("tokens", entry.span))
        case ast.Carry(at=at, over=over):
            at = at if at is not None else _name("mask", entry.span)
            calls = over if over is not None else ast.Number(Fraction(2), "2", span=entry.span)
            return evolve(entry, at=at, over=calls)
        case _:
            return entry


def _of_tokens(entries: tuple[ast.Node, ...]) -> tuple[ast.Node, ...]:
    """Return the entries of a second network, whose heads are read at tokens."""
    return tuple(
        evolve(entry, at=_name("tokens", entry.span))
        if isinstance(entry, ast.Head) and entry.at is None
        else entry
        for entry in entries
    )


def _loss(entries: tuple[ast.Node, ...], span: Span) -> tuple[ast.Node, ...]:
    if _has(entries, ast.Mean):
        return entries
    return (*entries, ast.Mean(_name("tokens", span), span=span))


def _decoder(
    entries: tuple[ast.Node, ...], noise: Noise | None, process: Process, span: Span
) -> tuple[ast.Node, ...]:
    start = slots.start(process)
    if start and not _has(entries, ast.Start):
        entries = (ast.Start(_name(start, span), span=span), *entries)
    choices = {
        entry.name: {option.id for option in entry.options}
        for entry in entries
        if isinstance(entry, ast.Choice)
    }
    entries = tuple(
        evolve(entry, actions=tuple(_action(action, choices) for action in entry.actions))
        if isinstance(entry, ast.Step)
        else entry
        for entry in _with_draws(_with_params(entries))
    )
    if process.drops and slots.crowds(entries) and not _has(entries, ast.Overflow):
        policy = "skip_row" if _has(entries, ast.Grid) else "drop_right"  # no row waits for ever
        entries = (*entries, ast.Overflow(_name(policy, span), span=span))
    grid = slots.grid(entries)
    leaves = noise is not None and noise.hides and grid is not None and grid.timed
    return _with_finish(entries) if leaves and not _has(entries, ast.Finish) else entries


def _with_params(entries: tuple[ast.Node, ...]) -> tuple[ast.Node, ...]:
    """Add a param for `with temperature`, at a value that changes nothing until it is set."""
    said = {e.name for e in entries if isinstance(e, ast.Param | ast.Choice | ast.Let)}
    new = {
        o.name: ast.Param(o.name, *_neutral(o.name, o.span), span=o.span)
        for o in query.told(entries)
        if o.name in NEUTRAL and o.name not in said
        if isinstance(o.value, ast.Name) and o.value.id == o.name
    }
    params = [(n, e.name) for n, e in enumerate(entries, 1) if isinstance(e, ast.Param)]
    started = int(bool(entries) and isinstance(entries[0], ast.Start))
    like = [n for n, name in params if name in NEUTRAL]
    place = max(like or [n for n, _ in params], default=started)
    return (*entries[:place], *new.values(), *entries[place:])


def _neutral(option: str, span: Span) -> tuple[str, ast.Number]:
    kind, text = NEUTRAL[option]
    return kind, ast.Number(Fraction(text), text, span=span)


def _with_draws(entries: tuple[ast.Node, ...]) -> tuple[ast.Node, ...]:
    """Add the draw of the step to a finish that has none; a correction is from no posterior."""
    step = next((e for e in entries if isinstance(e, ast.Step)), None)
    if step is None:
        return entries
    last = tuple(evolve(a, law=None) if isinstance(a, ast.Draw) else a for a in step.actions)
    return tuple(
        evolve(e, actions=drawn(step.actions if e.over is None else last, e.actions))
        if isinstance(e, ast.Finish)
        else e
        for e in entries
    )


def _action(action: ast.Action, choices: dict[str, set[str]]) -> ast.Action:
    """Add an order to a rule that takes some of the places: at random by default."""
    if not isinstance(action, ast.Act) or not (found := slots.chooses(action)):
        return action
    order, span = action.order, action.span
    if order is None:
        rules = [rule_words()[pace.rule] for pace in query.paces(action.much)]
        scored = any(rule.scored for rule in rules)
        scored |= any(word.revises for _, word in slots.edits((action,)))
        if scored or not any(rule.ordered for rule in rules):
            return action
        return evolve(action, order=ast.Order(_name("random", span), span=span))
    scores = choices.get(order.score.id, {order.score.id})
    if found == "masks" and order.of is None and "confidence" in scores:
        order = evolve(order, of=_name("likeliest", span))
    return evolve(action, order=order)


def _with_finish(entries: tuple[ast.Node, ...]) -> tuple[ast.Node, ...]:
    """Add a finish that reveals the masks at the end of a grid, drawn as in the step."""
    step = next((e for e in entries if isinstance(e, ast.Step)), None)
    draw = next((a for a in step.actions if isinstance(a, ast.Draw)), None) if step else None
    if step is None or draw is None:
        return entries
    verb, much = _name("unmask", step.span), ast.Much("all", span=step.span)
    unmask = ast.Act(verb, much, span=step.span)
    place = entries.index(step) + 1
    finish = ast.Finish((unmask, draw), span=step.span)
    return (*entries[:place], finish, *entries[place:])


def _collate(entries: tuple[ast.Node, ...], span: Span) -> tuple[ast.Node, ...]:
    pads = [entry for entry in entries if isinstance(entry, ast.Pad)]
    said = {side.part.id for pad in pads for side in pad.sides}
    missing = [
        (part, side) for part, side in (("body", "right"), ("prompt", "left")) if part not in said
    ]
    if not missing:
        return entries
    sides = tuple(ast.Side(_name(a, span), _name(b, span), span=span) for a, b in missing)
    old = tuple(side for pad in pads for side in pad.sides)
    others = tuple(entry for entry in entries if not isinstance(entry, ast.Pad))
    return (*others, ast.Pad((*old, *sides), span=span))
