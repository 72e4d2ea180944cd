"""Rules and orders of an action: the number of candidates, and which come first."""

from collections.abc import Callable, Iterable, Iterator

from attrs import evolve, frozen

from xlmc.check import scope
from xlmc.check.settings import TYPES
from xlmc.check.words import DERIVED, VALUES, one_of
from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import (
    NeedsGrid,
    NeverEnds,
    OutOfRange,
    WrongRule,
    WrongScore,
    WrongType,
)
from xlmc.syntax import ast, query
from xlmc.syntax.expression import literal
from xlmc.theory.environment import Environment
from xlmc.theory.probe import SLIP, Sample, distinct, rows
from xlmc.words import slots
from xlmc.words.answers import KIND, NUMBERS, answered, answering, read_by
from xlmc.words.orders.base import Order, Weight
from xlmc.words.rules.base import Rule
from xlmc.words.slots import order_words, rule_words, subject_words

NARROWER = {"Scale": ("Count", "Size", "Chance"), "Count": ("Size",)}  # types of such values
GRIDDED = ("s", "t", "steps_left")
STEPS = 1_000_000  # of a decoder, at most


def known(expr: ast.Expr, env: Environment) -> Iterator[Diagnostic]:
    """Report unknown names, and names that only lack a grid with a message of their own."""
    late = [one for one in query.names(expr) if one.id in env.lets and not _timely(one, env)]
    for one in late:
        yield _late(one, env)
    if late:
        return
    timed = "t" in env.names
    missing = [(n.span, n.id) for n in query.names(expr) if n.id in GRIDDED]
    missing += [(c.span, c.function) for c in query.calls(expr) if c.function in DERIVED]
    if timed or not missing or not env.remedy:
        yield from scope.known(expr, env)
        return
    for span, name in missing:
        yield NeedsGrid(span=span, name=name)


def _timely(let: ast.Name, env: Environment) -> bool:
    """Return whether a let reads nothing of the answer that is unknown where it is read."""
    return all(env.names.get(name) == KIND for name in read_by(let, env))


def _late(let: ast.Name, env: Environment) -> Diagnostic:
    """Return a complaint about a let that reads what is unknown where it is read."""
    heads = sorted(name for name in read_by(let, env) if env.names.get(name) == NUMBERS)
    what = f"the head `{heads[0]}`" if heads else "the network's answer"
    why = "the network has not answered yet: only amounts of actions may read its answer"
    why = "only amounts of insertions and edits read how much is missing or wrong" if heads else why
    where = "insertion or edit" if heads else "action"
    return WrongType(
        span=let.span,
        expected="a number",
        found=f"`{let.id}`, which reads {what}",
        why=why,
        hint=f"read it in the amount of an {where}",
    )


def moments(env: Environment) -> Iterator[Sample]:
    """Yield rows of all sizes, with all numbers of masks, at all times if there are some."""
    times = [{"t": n / 8, "s": (n - 1) / 8, "steps_left": float(n)} for n in range(8, 0, -1)]
    for row in rows("masked"):
        for time in times if "t" in env.names else [{}]:
            yield {**row, "limit": 2 * row["length"], **time}


def growing(env: Environment) -> Iterator[Sample]:
    """Yield the samples of rows that tokens come into, empty ones among them."""
    for sample in moments(env):
        yield {**sample, "length": 0.0, "masked": 0.0, "limit": sample["length"]}
        yield sample


@frozen
class Places:
    """The candidates of an action: rows that have them, and phrases for messages about them.

    ``nothing``: a step that takes none; ``number``: the range of a number of them.
    """

    moments: Callable[[Environment], Iterator[Sample]]
    nothing: str
    number: str = ""


MASKS = Places(moments, "no mask is revealed")


def paces(
    much: ast.Much, env: Environment, places: Places = MASKS, *, endless: bool = False
) -> Iterator[tuple[ast.Much, list[Diagnostic]]]:
    """Yield each rule of an action with what is wrong with it; ``endless``: there is no grid."""
    for pace in query.paces(much):
        wrong = list(_never(pace))
        if pace.value is not None:
            wrong += known(pace.value, env)
            if not wrong and env.sound:
                last, rule = endless and pace.rest is None, pace.rule
                every = list(samples(pace.value, env, places))
                wrong += goes_on(rule, pace.value, env, every, places.nothing) if last else []
                hint = places.number if rule_words()[rule].counts else ""
                wrong = wrong or list(in_range(rule, pace.value, env, every, hint))
        yield pace, wrong


def single(action: ast.Act | ast.Insert, hint: str) -> Iterator[Diagnostic]:
    """Complain about a rule that an action does not have, or a second one where it has one."""
    much, word = action.much, slots.action(action)
    for pace in query.paces(much):
        if why := word.wrong_rule(pace):
            yield WrongRule(span=pace.span, rule=pace.rule, why=why, hint=hint)
            return
    if word.alone and (other := much.rest) is not None:
        drop = f"drop `{much.link} {other.span.text}`"
        yield WrongRule(span=other.span, rule=other.rule, why=word.alone, hint=drop)


def _never(pace: ast.Much) -> Iterator[Diagnostic]:
    """Complain about a rule after ``else`` or ``or`` that no row, or no place, reaches."""
    rule, other = rule_words()[pace.rule], pace.rest
    why = ""
    if pace.otherwise is not None and not rule.empty:
        why = f"`{rule.name}` always takes a place: no row is left for it"
    if pace.also is not None and rule.whole:
        why = f"`{rule.name}` takes every place: none is left for it"
    if other is not None and why:
        hint = f"drop `{pace.link} {other.span.text}`"
        yield WrongRule(span=other.span, rule=other.rule, why=why, hint=hint)


def samples(value: ast.Expr, env: Environment, places: Places = MASKS) -> Iterator[Sample]:
    """Yield samples of rows, times and answers with distinct values for an expression."""
    return answered(value, env, distinct(value, env, places.moments(env)))


def in_range(
    rule: str, value: ast.Expr, env: Environment, samples: Iterable[Sample], hint: str = ""
) -> Iterator[Diagnostic]:
    """Complain where the amount of a rule leaves its range, with the rule's hint or another."""
    word = rule_words()[rule]
    for sample, found in scope.values(value, env, samples):
        if not isinstance(found, float):
            yield found
            return
        wrong = word.wrong(value, found, scope.show(value, env, sample), hint)
        if wrong is not None:
            yield wrong
            return


def goes_on(
    rule: str,
    value: ast.Expr,
    env: Environment,
    samples: Iterable[Sample],
    nothing: str,
) -> Iterator[Diagnostic]:
    """Complain about a step that may do nothing: without a grid, a row could wait for ever."""
    some = rule_words()[rule].some
    if some is None:
        return
    least, example = some
    least_of = {
        name: float(TYPES["Size"].low) if env.names[name] == "Size" else 0.0
        for name in env.defaults
    }
    lowest = evolve(env, defaults=least_of)
    for sample, found in scope.values(value, lowest, samples):
        if isinstance(found, float) and found < least:
            where = scope.show(value, env, {**sample, **dict(sorted(least_of.items()))})
            yield NeverEnds(
                span=value.span,
                why=f"{f'{found:g} {where}'.strip()}: {nothing}",
                hint=f"write `{rule} max({example}, ...)`, or add a grid",
            )
            return


def reaches(
    value: ast.Expr, scores: Iterable[Order], env: Environment, weight: Weight | None
) -> Iterator[Diagnostic]:
    """Complain about a threshold that every score is above, or none."""
    values = scope.values(value, env, samples(value, env))
    found = [v for _, v in values if isinstance(v, float)]
    for score in scores if found else ():
        why = score.beyond(min(found), max(found), weight)
        if why:
            hint = f"write `{score.threshold}`"
            yield WrongRule(span=value.span, rule="above", why=why, hint=hint)
            return


def scored(
    action: ast.Act | ast.Insert,
    section: ast.Section,
    env: Environment,
    weight: Weight | None = None,
) -> Iterator[Diagnostic]:
    """Check the order of an action, or report a rule that needs an order and has none.

    ``weight``: of the scores of gaps, where a head predicts how many tokens each of them misses.
    """
    if action.order is not None:
        yield from ordering(action.order, action, section, env, weight)
        return
    words = [rule_words()[pace.rule] for pace in query.paces(action.much)]
    for rule in [one for one in words if one.scored][:1]:
        why = f"`{rule.name}` {rule.scored}: it needs a score"
        yield WrongRule(span=action.span, rule=rule.name, why=why, hint="add `by confidence`")


def ordering(
    order: ast.Order,
    action: ast.Act | ast.Insert,
    section: ast.Section,
    env: Environment,
    weight: Weight | None = None,
) -> Iterator[Diagnostic]:
    """Complain where the candidates of an action cannot be ordered so."""
    much, own = action.much, slots.action(action).rules
    names = query.scores(order, section)
    given = query.choice(order.score.id, section) is not None
    what = "a score" if given else "a score, nor a param with scores as options"
    for name in names:
        yield from one_of(name, order_words(), what)
    rules = [rule_words()[pace.rule] for pace in query.paces(much)]
    scores = [order_words()[name.id] for name in names if name.id in order_words()]
    if not any(rule.ordered for rule in rules):
        good = [one.name for one in rule_words().values() if one.ordered]
        fitting = ", ".join(f"`{name}`" for name in good if not own or name in own)
        yield WrongScore(
            span=order.span,
            why=f"`{rules[0].name}` takes places in no order",
            hint=f"drop the order, or take the first places by another rule: {fitting}",
        )
    scored = next((rule for rule in rules if rule.scored), None)
    if scored and not (len(scores) == len(names) and all(score.network for score in scores)):
        why = f"`{scored.name}` {scored.scored}: it needs a score of the network's answer"
        why += "".join(f", and `{one.name}` is none" for one in scores if not one.network)
        yield WrongScore(span=order.score.span, why=why, hint="write `by confidence`")
    else:
        yield from _thresholds(much, scores, env, weight)
    if order.of is not None:
        yield from _subject(order.of, scores)
    if order.temperature is not None:
        errors = next((rule for rule in rules if rule.errors), None)
        yield from warm(order.temperature, errors, env)


def _thresholds(
    much: ast.Much, scores: Iterable[Order], env: Environment, weight: Weight | None
) -> Iterator[Diagnostic]:
    own = answering(env)
    for pace in query.paces(much):
        value = pace.value
        compares = rule_words()[pace.rule].thresholds and env.sound
        if compares and value is not None and not any(known(value, own)):
            yield from reaches(value, scores, own, weight)


def warm(value: ast.Expr, errors: Rule | None, env: Environment) -> Iterator[Diagnostic]:
    """Complain about a temperature that is no number of at least 0; or that has no use."""
    if errors is not None:
        why = f"`{errors.name}` takes the surest places: a temperature would put others before them"
        yield WrongScore(span=value.span, why=why, hint="drop the temperature")
        return
    if literal(value) is not None or (isinstance(value, ast.Name) and value.id in env.defaults):
        yield from number(value, "Scale", "temperature", env)
        return
    wrong = list(known(value, env))
    yield from wrong
    if wrong or not env.sound:
        return
    for sample, found in scope.values(value, env, distinct(value, env, moments(env))):
        if not isinstance(found, float):
            yield found
            return
        if found < -SLIP:
            why = f"a temperature is at least 0, and this is {found:g}"
            where = scope.show(value, env, sample)
            yield WrongScore(span=value.span, why=f"{why} {where}".strip(), hint="write `2 * s`")
            return


def _subject(of: ast.Name, scores: Iterable[Order]) -> Iterator[Diagnostic]:
    yield from one_of(of, subject_words(), "what is scored")
    subject = subject_words().get(of.id, subject_words()["likeliest"])
    if subject.there:
        yield WrongScore(span=of.span, why="a mask holds no token", hint=f"drop `of {of.id}`")
    elif not any(score.network if subject.law else score.token for score in scores):
        yield WrongScore(span=of.span, why=subject.unfit, hint=f"drop `of {of.id}`")


def number(expr: ast.Expr, kind: str, what: str, env: Environment) -> Iterator[Diagnostic]:
    """Check that an expression is a param of the right type, or a literal in its range."""
    if literal(expr) is not None:
        yield from scope.in_range(expr, kind, f"{what} is a number")
        return
    wrong = list(scope.known(expr, env))
    yield from wrong
    if wrong:
        return
    found = env.names.get(expr.id) if isinstance(expr, ast.Name) else None
    varies = isinstance(expr, ast.Name) and expr.id in VALUES
    if varies or found not in (kind, *NARROWER.get(kind, ())):
        yield WrongType(
            span=expr.span,
            expected=f"a {kind}",
            found=f"`{expr.span.text}`" + _kind(found, varies=varies),
            why=f"{what} is a param of type {kind} or a number",
            hint=f"write `param {what} : {kind} = ...`",
        )


def _kind(kind: str | None, *, varies: bool) -> str:
    """Describe the kind of a name, to follow it in a message."""
    if varies:
        return ", which varies and is no param"
    return f", a {kind}" if kind else ""


def a_chance(expr: ast.Expr, env: Environment, *, what: str, hint: str) -> Iterator[Diagnostic]:
    """Check that a literal or a param of type Chance is from 0 to 1."""
    value, text = literal(expr), expr.span.text
    kind = env.names.get(expr.id) if isinstance(expr, ast.Name) else None
    if kind is None and value is not None:
        if value not in TYPES["Chance"]:
            meaning = str(TYPES["Chance"])
            yield OutOfRange(span=expr.span, value=text, kind=what, meaning=meaning, hint="")
    elif kind != "Chance":
        yield WrongType(
            span=expr.span,
            expected="a Chance",
            found=f"`{text}`" + _kind(kind, varies=False),
            why=f"the {what} is a number from 0 to 1 or a param of type Chance",
            hint=hint,
        )


def at_least_one(
    expr: ast.Expr, env: Environment, *, what: str, hint: str, most: int | None = None
) -> Iterator[Diagnostic]:
    """Check that a literal or a param of type Count is at least 1."""
    value, text = literal(expr), expr.span.text
    kind = env.names.get(expr.id) if isinstance(expr, ast.Name) else None
    varies = isinstance(expr, ast.Name) and expr.id in VALUES
    if isinstance(expr, ast.Name) and kind in ("Count", "Size"):
        value = env.defaults.get(expr.id)
        text = f"{expr.id} = {value:g}" if value is not None else text
    if varies or (value is None and kind in (None, "Chance", "Scale", "Number", "Time")):
        yield WrongType(
            span=expr.span,
            expected="a Count",
            found=f"`{text}`" + _kind(kind, varies=varies),
            why=f"the {what} is an integer or a param of type Count",
            hint=hint,
        )
    elif value is not None and (value < 1 or (kind is None and value != int(value))):
        meaning = "an integer of at least 1"
        yield OutOfRange(span=expr.span, value=text, kind=what, meaning=meaning, hint="")
    elif value is not None and most is not None and value > most:
        meaning = f"an integer of at most {most:_}"
        yield OutOfRange(span=expr.span, value=text, kind=what, meaning=meaning, hint="")
