"""The decoders: that they undo the noise, that they end, and that all they read is there."""

import math
from collections.abc import Iterator

from attrs import evolve

from xlmc import ast, query
from xlmc.check import scope
from xlmc.check.noise import sound
from xlmc.check.scope import Environment, literal
from xlmc.check.words import DERIVED, one_of, word
from xlmc.errors import Diagnostic, suggest
from xlmc.query import NETWORK_SCORES, SCORES
from xlmc.refusals import (
    ChanceLeavesRange,
    DoesNotUndo,
    MissingEntry,
    NeedsGrid,
    NeverDecoded,
    NeverEnds,
    NeverTrained,
    NeverUsed,
    NoDefaultDecoder,
    OutOfRange,
    UnknownName,
    WrongAction,
    WrongDraw,
    WrongReuse,
    WrongRule,
    WrongScore,
    WrongStart,
    WrongStep,
    WrongStop,
    WrongType,
)
from xlmc.source import Span

UNDO = {"mask": "unmask chance reveal(alpha)", "gone": "insert tokens one"}
STARTS = {"mask": "masks", "gone": "empty"}
STOPS = {
    "mask": "a decoder of masks ends when none is left: write `stop when no mask`, or nothing",
    "gone": "write `stop when done > 0.5 or length = limit`, or `chance done` for `done > 0.5`",
}
OPTIONS = {"temperature": "Scale", "top_k": "Count", "top_p": "Chance"}
GRIDDED = ("s", "t", "steps_left")


def check(family: ast.Family) -> Iterator[Diagnostic]:
    """Everything about the decoders."""
    decoders = query.decoders(family)
    if decoders and decoders[0].name is not None:
        yield NoDefaultDecoder(span=decoders[0].span)
    for section in decoders:
        yield from _decoder(section, family)
    yield from _unused(family)


def _decoder(section: ast.Section, family: ast.Family) -> Iterator[Diagnostic]:
    entries, chain = section.entries, query.chain(family)
    env = environment(section, family)
    yield from scope.declarations(entries, "a param of a decoder")
    yield from scope.lets_in_order(entries)
    for one in _lets(section):
        yield from _known(one.value, env)
    for start in query.those(entries, ast.Start):
        if chain in STARTS and start.state.id != STARTS[chain]:
            yield WrongStart(span=start.state.span, state=chain, start=STARTS[chain])
    for grid in query.those(entries, ast.Grid):
        yield from _grid(grid, section, env, chain)
    step = query.first(entries, ast.Step)
    if step is None:
        yield MissingEntry(
            span=section.span,
            entry="step",
            why="nothing says what one reverse step does",
            example=f"step {{ {UNDO.get(chain, 'unmask one')}; draw token }}",
        )
        return
    yield from _actions(step, "step", section, family, env)
    for finish in query.those(entries, ast.Finish):
        yield from _finish(finish, section, family, env)
    for stop in query.those(entries, ast.Stop):
        yield from _stop(stop, family, env)
    if chain == "gone":
        yield from _ends(section)
    for reuse in query.those(entries, ast.Reuse):
        yield from _reuse(reuse, family)


def _lets(section: ast.Section) -> list[ast.Let]:
    """The lets of a decoder; of a named one, which inherits some, those that it uses."""
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
    """What an expression of a decoder may mention."""
    grid = query.first(section.entries, ast.Grid)
    timed = grid is not None and not (
        isinstance(grid.value, ast.Name) and grid.value.id == "events"
    )
    names = {"length": "Count"}
    if query.chain(family) != "gone":
        names["masked"] = "Count"
    if query.chain(family) != "mask":
        names["limit"] = "Count"
    for head in query.heads(family).values():
        names[head.name] = "Logits"
    if timed:
        names |= {"t": "Time", "s": "Time", "steps_left": "Count"}
    schedules = {arrow.survival: arrow for arrow in query.arrows(family)}
    derived = DERIVED if timed else ()
    env = scope.environment(section.entries, "in this decoder", names, schedules, derived)
    return evolve(env, sound=sound(family) and not any(scope.lets_in_order(section.entries)))


def _known(expr: ast.Expr, env: Environment) -> Iterator[Diagnostic]:
    """Unknown names, but for those that only lack a grid."""
    timed = "t" in env.names
    missing = [(n.span, n.id) for n in query.names(expr) if n.id in GRIDDED]
    missing += [(c.span, c.function) for c in query.calls(expr) if c.function in DERIVED]
    if timed or not missing:
        yield from scope.known(expr, env)
        return
    for span, name in missing:
        yield NeedsGrid(span=span, name=name)


def _grid(
    grid: ast.Grid, section: ast.Section, env: Environment, chain: str
) -> Iterator[Diagnostic]:
    value = grid.value
    if chain == "gone":
        yield WrongAction(
            span=grid.span,
            action="walk a grid for",
            why="one token is inserted at a time, until the decoder stops",
            hint="drop the grid",
        )
        return
    if isinstance(value, ast.Name):
        yield from one_of(value, ("events", "uniform"), "a grid")
        if value.id == "uniform":
            yield _number_of_steps(grid)
        yield from _events(value, section)
        return
    name = evolve(word(value, value.function), id=value.function + "'" * value.primes)
    yield from one_of(name, ("uniform",), "a grid with a number of steps")
    if len(value.arguments) != 1 or value.keywords:
        yield _number_of_steps(grid)
        return
    steps = value.arguments[0]
    wrong = list(scope.known(steps, env))
    yield from wrong or _steps(steps, env)


def _number_of_steps(grid: ast.Grid) -> Diagnostic:
    return MissingEntry(
        span=grid.span,
        owner="grid",
        entry="number of steps",
        why="of how many?",
        example="param steps : Count = 128` and write `grid uniform(steps)",
    )


def _steps(steps: ast.Expr, env: Environment) -> Iterator[Diagnostic]:
    """A literal or a param of type Count, of at least 1; the param's own mistakes apart."""
    number, text = literal(steps), steps.span.text
    kind = env.names.get(steps.id) if isinstance(steps, ast.Name) else None
    if isinstance(steps, ast.Name) and kind == "Count":
        number = env.defaults.get(steps.id)
        text = f"{steps.id} = {number:g}" if number is not None else ""
    if number is not None and (number < 1 or (kind is None and number != int(number))):
        yield OutOfRange(
            span=steps.span,
            value=text,
            kind="number of steps",
            meaning="an integer of at least 1",
            hint="",
        )
    elif number is None and kind in (None, "Chance", "Scale", "Number", "Time"):
        yield WrongType(
            span=steps.span,
            expected="a Count",
            found=f"`{text}`" + (f", a {kind}" if kind else ""),
            why="the number of steps is an integer or a param of type Count",
            hint="write `param steps : Count = 128` and `grid uniform(steps)`",
        )


def _events(value: ast.Name, section: ast.Section) -> Iterator[Diagnostic]:
    """The times at which the exact chain reveals one token: one at a time, any of them."""
    step = query.first(section.entries, ast.Step)
    for action in query.those(step.actions, ast.Unmask) if step else ():
        random = action.order is not None and action.order.score.id == "random"
        if value.id == "events" and (action.much.rule != "one" or not random):
            yield WrongRule(
                span=action.much.span,
                rule=action.much.rule,
                why="at its events the chain reveals one token, any of them",
                hint="write `unmask one by random`",
            )


def _actions(
    block: ast.Step | ast.Finish,
    block_name: str,
    section: ast.Section,
    family: ast.Family,
    env: Environment,
) -> Iterator[Diagnostic]:
    chain, actions = query.chain(family), block.actions
    for kind in (ast.Unmask, ast.Insert, ast.Pick, ast.Draw):
        same: tuple[ast.Node, ...] = query.those(actions, kind)
        for again in same[1:]:
            action = kind.__name__.lower()
            problem = f"this {block_name} has two `{action}`"
            yield WrongStep(
                span=again.span, problem=problem, why="again here", hint="keep one of them"
            )
    unmask, insert = query.first(actions, ast.Unmask), query.first(actions, ast.Insert)
    if chain in UNDO and unmask is None and insert is None:
        yield DoesNotUndo(span=block.span, state=chain, example=_undo(chain, env))
    if unmask is not None:
        yield from _unmask(unmask, section, env, chain)
    if insert is not None:
        yield from _insert(insert, chain, env)
    yield from _picks(actions, env, chain)
    draw = query.first(actions, ast.Draw)
    if draw is None:
        head = next(
            (h.name for h in query.heads(family).values() if h.kind.id == "logits"), "token"
        )
        problem = f"this {block_name} draws no token"
        why = "nothing says which token"
        yield WrongStep(span=block.span, problem=problem, why=why, hint=f"add `draw {head}`")
    else:
        yield from _draw(draw, family, env, chain)


def _undo(chain: str, env: Environment) -> str:
    """An action that undoes the noise."""
    return UNDO[chain].replace("alpha", next(iter(env.schedules), "alpha"))


def _unmask(
    action: ast.Unmask, section: ast.Section, env: Environment, chain: str
) -> Iterator[Diagnostic]:
    if chain not in UNDO:
        return  # the noise section says what is wrong with it
    if chain != "mask":
        why = f"tokens go `{chain}`, not `mask`"
        hint = f"write `{_undo(chain, env)}`"
        yield WrongAction(span=action.span, action="unmask", why=why, hint=hint)
        return
    rule, value, order = action.much.rule, action.much.value, action.order
    if value is not None:
        wrong = list(_known(value, env))
        yield from wrong
        if not wrong and env.sound:
            yield from _amount(rule, value, env)
            if not query.those(section.entries, ast.Grid):
                yield from _goes_on(rule, value, env)
    if order is not None:
        yield from _order(order, rule, section, env)
    elif rule == "above":
        why = "a threshold needs a score"
        yield WrongRule(span=action.span, rule=rule, why=why, hint="add `by confidence`")


def _amount(rule: str, value: ast.Expr, env: Environment) -> Iterator[Diagnostic]:
    """The values that a chance or a quota takes over the run of a decoder."""
    axes: dict[str, list[float]] = {"masked": [1, 3], "length": [3], "limit": [8]}
    samples = list(scope.grid(axes))
    if "t" in env.names:
        samples = [
            {**sample, "t": left / 8, "s": (left - 1) / 8, "steps_left": float(left)}
            for sample in samples
            for left in range(8, 0, -1)
        ]
    for sample, found in scope.values(value, env, samples):
        if not isinstance(found, float):
            yield found
            return
        if rule == "chance" and not -1e-9 <= found <= 1 + 1e-9:
            where = scope.show(value, env, sample)
            yield ChanceLeavesRange(span=value.span, value=f"{found:g}", where=where)
            return
        if rule == "quota" and found < -1e-9:
            yield WrongRule(
                span=value.span,
                rule="quota",
                why=f"{found:g} {scope.show(value, env, sample)}",
                hint="a quota is at least 0: `masked / steps_left`",
            )
            return


def _goes_on(rule: str, value: ast.Expr, env: Environment) -> Iterator[Diagnostic]:
    """Without a grid, steps are taken until no mask is left: each must reveal some."""
    least = {"quota": 1.0 - 1e-9, "chance": 1e-9}.get(rule, -math.inf)
    lowest = evolve(env, defaults=dict.fromkeys(env.defaults, 0.0))
    samples = scope.grid({"masked": [1, 3], "length": [1, 3, 40], "limit": [8]})
    for sample, found in scope.values(value, lowest, samples):
        if isinstance(found, float) and found < least:
            zeros = dict.fromkeys(sorted(env.defaults), 0.0)
            where = scope.show(value, env, {**sample, **zeros})
            yield NeverEnds(
                span=value.span,
                why=f"{found:g} {where}: no mask is revealed",
                hint=f"write `{rule} max({1 if rule == 'quota' else 0.01}, ...)`, or add a grid",
            )
            return


def _order(
    order: ast.Order, rule: str, section: ast.Section, env: Environment
) -> Iterator[Diagnostic]:
    choice = _choice(order.score.id, section)
    if choice is None:
        yield from one_of(order.score, SCORES, "a score, nor a param that chooses one")
    scores = [option.id for option in choice.options] if choice else [order.score.id]
    for option in choice.options if choice else ():
        yield from one_of(option, SCORES, "a score")
    if rule in ("chance", "all"):
        yield WrongScore(
            span=order.span,
            why=f"`{rule}` reveals without an order",
            hint="drop the order, or take a number of tokens: `quota`, `one`, `above`",
        )
    if rule == "above" and not set(scores) <= set(NETWORK_SCORES):
        yield WrongScore(
            span=order.score.span,
            why="a threshold needs a score of the network's answer",
            hint="write `by confidence`",
        )
    if order.of is not None:
        yield from one_of(order.of, ("likeliest", "sampled"), "a token to score")
        if "confidence" not in scores:
            why = "only confidence looks at one token"
            yield WrongScore(span=order.of.span, why=why, hint=f"drop `of {order.of.id}`")
    if order.temperature is not None:
        yield from _number(order.temperature, "Scale", "temperature", env)


def _choice(name: str, section: ast.Section) -> ast.Choice | None:
    choices = query.those(section.entries, ast.Choice)
    return next((choice for choice in choices if choice.name == name), None)


def _insert(action: ast.Insert, chain: str, env: Environment) -> Iterator[Diagnostic]:
    if chain not in UNDO:
        return
    if chain != "gone":
        why = f"tokens go `{chain}`, not `gone`"
        hint = f"write `{_undo(chain, env)}`"
        yield WrongAction(span=action.span, action="insert", why=why, hint=hint)
        return
    yield from one_of(action.what, ("tokens",), "something that this noise takes away")
    if action.much.rule != "one":
        yield WrongRule(
            span=action.much.span,
            rule=action.much.rule,
            why="one joint law over gaps and tokens is good for one insertion",
            hint="write `insert tokens one`",
        )


def _picks(actions: tuple[ast.Action, ...], env: Environment, chain: str) -> Iterator[Diagnostic]:
    for pick in query.those(actions, ast.Pick):
        yield from one_of(pick.what, ("gap",), "something to pick")
        if chain == "mask":
            why = "masks stand where they stand"
            yield WrongAction(span=pick.span, action="pick", why=why, hint="drop the pick")
        yield from _options(pick, env)


def _draw(draw: ast.Draw, family: ast.Family, env: Environment, chain: str) -> Iterator[Diagnostic]:
    heads = query.heads(family)
    head = heads.get(draw.head.id)
    if head is None and not heads:
        return
    if head is None:
        yield UnknownName(
            span=draw.head.span,
            name=draw.head.id,
            where="among the heads of the network",
            hint=suggest(draw.head.id, heads),
        )
        return
    place = {"mask": "tokens", "gone": "gaps"}.get(chain)
    good = [h.name for h in heads.values() if h.kind.id == "logits" and h.at and h.at.id == place]
    if head.kind.id != "logits" or (place and good and head.name not in good):
        yield WrongDraw(
            span=draw.head.span,
            why=f"`{head.name}` gives no logits at {place or 'tokens'}",
            hint=f"write `draw {good[0]}`" if good else "add a head of logits",
        )
    yield from _trained(draw.head.span, head.name, family)
    yield from _options(draw, env)


def _options(action: ast.Pick | ast.Draw, env: Environment) -> Iterator[Diagnostic]:
    for option in action.options:
        yield from one_of(word(option, option.name), OPTIONS, "an option of a draw")
        if option.name in OPTIONS:
            yield from _number(option.value, OPTIONS[option.name], option.name, env)
    if action.greedy and action.options:
        why = "the likeliest outcome needs no options"
        yield WrongDraw(span=action.span, why=why, hint="drop the options, or `greedy`")


def _number(expr: ast.Expr, kind: str, what: str, env: Environment) -> Iterator[Diagnostic]:
    """A param of the right type, or a literal in its range."""
    if literal(expr) is not None:
        yield from scope.in_range(expr, kind, f"{what} is a number")
        return
    wrong = list(scope.known(expr, env))
    yield from wrong
    if wrong:
        return
    found = env.names.get(expr.id) if isinstance(expr, ast.Name) else None
    if found is None or found not in (kind, *(("Count", "Chance") if kind == "Scale" else ())):
        yield WrongType(
            span=expr.span,
            expected=f"a {kind}",
            found=f"`{expr.span.text}`" + (f", a {found}" if found else ""),
            why=f"{what} is a param of type {kind} or a number",
            hint=f"write `param {what} : {kind} = ...`",
        )


def _finish(
    finish: ast.Finish, section: ast.Section, family: ast.Family, env: Environment
) -> Iterator[Diagnostic]:
    if query.chain(family) == "gone":
        yield WrongAction(
            span=finish.span,
            action="finish",
            why="an insertion decoder ends when it stops",
            hint="drop the block",
        )
        return
    yield from _actions(finish, "finish", section, family, env)
    step = query.first(section.entries, ast.Step)
    heads = [a.head for b in (step, finish) if b for a in query.those(b.actions, ast.Draw)]
    if len({head.id for head in heads}) > 1:
        hint = f"write `draw {heads[0].id}`"
        yield WrongDraw(span=heads[-1].span, why="the step draws from another head", hint=hint)
    for unmask in query.those(finish.actions, ast.Unmask):
        if unmask.much.rule != "all":
            yield WrongRule(
                span=unmask.much.span,
                rule=unmask.much.rule,
                why="masks would be left in the sample",
                hint="write `unmask all`",
            )


def _stop(stop: ast.Stop, family: ast.Family, env: Environment) -> Iterator[Diagnostic]:
    chain, heads = query.chain(family), query.heads(family)
    chances = {name for name, head in heads.items() if head.kind.id == "chance"}
    for one in stop.conditions:
        match one:
            case ast.NoState(state=state):
                if chain == "gone" or state.id != "mask":
                    why = f"no token shows that it is `{state.id}`"
                    yield WrongStop(span=one.span, why=why, hint=STOPS.get(chain, ""))
            case ast.Compare(op="=", left=ast.Name(id="length"), right=ast.Name(id="limit")):
                if chain == "mask":
                    why = "a canvas of masks has its length from the start"
                    yield WrongStop(span=one.span, why=why, hint=STOPS[chain])
            case ast.Compare() | ast.Happens() if chain == "mask":
                why = "masks show what is missing: nothing else is asked"
                yield WrongStop(span=one.span, why=why, hint=STOPS[chain])
            case ast.Compare(op=">", left=ast.Name(id=head), right=right) if head in chances:
                yield from _trained(one.span, head, family)
                yield from _number(right, "Chance", "threshold", env)
            case ast.Happens(chance=ast.Name(id=head)) if head in chances:
                yield from _trained(one.span, head, family)
            case ast.Compare() | ast.Happens():
                yield from _not_a_condition(one, chances, env)


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


def _trained(span: Span, head: str, family: ast.Family) -> Iterator[Diagnostic]:
    trained = {term.head.id for term in query.terms(family)}
    if head not in trained and trained and trained <= {*query.heads(family)}:
        yield NeverTrained(span=span, head=head)


def _ends(section: ast.Section) -> Iterator[Diagnostic]:
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


def _reuse(reuse: ast.Reuse, family: ast.Family) -> Iterator[Diagnostic]:
    yield from one_of(reuse.what, ("unchanged",), "something that allows reuse")
    if query.condition(family) is not None:
        yield WrongReuse(span=reuse.span, why="the backbone is told the time, which moves on")
    elif query.chain(family) == "gone":
        yield WrongReuse(span=reuse.span, why="every insertion changes the row")


def _unused(family: ast.Family) -> Iterator[Diagnostic]:
    decoders = query.decoders(family)
    if not decoders:
        return
    nodes = [entry for section in decoders for entry in section.entries]
    spoken = {
        name.id for node in nodes for expr in query.expressions(node) for name in query.names(expr)
    }
    for entry in decoders[0].entries:
        if isinstance(entry, ast.Param | ast.Choice | ast.Let) and entry.name not in spoken:
            yield NeverUsed(span=entry.span, name=entry.name)
    drawn = {
        action.head.id
        for node in nodes
        if isinstance(node, ast.Step | ast.Finish)
        for action in query.those(node.actions, ast.Draw)
    }
    trained = {term.head.id for term in query.terms(family)}
    for term in query.terms(family):
        if term.head.id in query.heads(family) and term.head.id not in spoken | drawn:
            yield NeverDecoded(span=term.head.span, head=term.head.id)
    for head in query.heads(family).values():
        if head.name not in spoken | drawn | trained:
            yield NeverUsed(span=head.span, name=head.name)
