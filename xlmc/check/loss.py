"""The loss: its terms, their weights, and what their sum is divided by."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import islice, product
from math import nan

from attrs import evolve

from xlmc.calculus.evaluate import FLOAT, Scope, value_of
from xlmc.calculus.survival import POINTS
from xlmc.check import scope
from xlmc.check.around import around
from xlmc.check.noise import sound
from xlmc.check.rules import number
from xlmc.check.scope import Environment, literal
from xlmc.check.words import DERIVED, one_of, word
from xlmc.diagnostics.diagnostic import Diagnostic, suggest
from xlmc.diagnostics.semantic_errors import (
    Clamped,
    Diverges,
    MissingEntry,
    NegativeWeight,
    NeverUsed,
    NoBound,
    NoneVisible,
    NothingToSay,
    UnknownName,
    WrongTerm,
    ZeroWeight,
)
from xlmc.diagnostics.semantic_errors import TooHard as TooHardRefusal
from xlmc.syntax import ast, query
from xlmc.syntax.expression import MathError, TooHard, inline

DIVERGENCES = ("binary_cross_entropy", "cross_entropy", "joint_cross_entropy", "poisson")
TERMS = {
    "mask": "token : cross_entropy(x0) on mask  weight bound",
    "gone": "slot : joint_cross_entropy(gone)",
    "none": "token : cross_entropy(following)",
}
DRAWN = {  # amounts under which there is a bound
    "mask": "amount count ~ uniform(1, length)",
    "gone": "amount count ~ uniform(0, length)",
    "both": "amount t ~ uniform(1e-3, 1)",
}
DRAW = "draw one: `amount t ~ uniform(0, 1)`"
COUNT = "draw the exact count, `amount count ~ uniform(1, length)`, which needs no weight in t; or "
TIMES = tuple(10.0**-k for k in range(9, 0, -1))
GROWTH = 3.0  # from one hundredth of the distance to an end to the next: what diverges
GUARD = 1e-3  # of the range, at an end that does
ROWS = (  # in which a weight is followed through the range
    {"count": 1.0, "length": 1.0, "visible": 1.0},
    {"count": 2.0, "length": 5.0, "visible": 1.0},
    {"count": 300.0, "length": 1000.0, "visible": 1.0},
)
PEAKS = 8  # that are climbed
ZOOMS = 17  # of a quarter each
OTHERS = {  # values of params, so odd that no formula is by chance the same at all of them
    "Chance": (0.0, 0.37, 0.83, 1.0),
    "Count": (0.0, 1.0, 3.0, 17.0),
    "Scale": (0.0, 0.37, 2.9, 130.0),
}


def check(family: ast.Family) -> Iterator[Diagnostic]:
    """Everything about the `loss` section."""
    section = next((s for s in family.sections if s.kind == "loss"), None)
    if section is None:
        return
    terms = query.terms(family)
    if not terms:
        yield MissingEntry(
            span=section.span,
            entry="term",
            why="nothing is penalised",
            example=TERMS.get(query.chain(family), TERMS["mask"]),
        )
    yield from scope.declarations(section.entries, "a param of the loss")
    yield from scope.lets_in_order(section.entries)
    for term in terms:
        yield from _term(term, family)
    for one in query.those(section.entries, ast.Let):
        yield from _known(one.value, family)
    for mean in query.those(section.entries, ast.Mean):
        yield from _mean(mean, query.chain(family))
    yield from _unused(section, terms)


def _unused(section: ast.Section, terms: Iterable[ast.Term]) -> Iterator[Diagnostic]:
    exprs = [expr for term in terms for expr in query.weighed(term)]
    spoken = query.spoken(exprs, query.those(section.entries, ast.Let))
    for entry in section.entries:
        if isinstance(entry, ast.Param | ast.Choice | ast.Let) and entry.name not in spoken:
            yield NeverUsed(span=entry.span, name=entry.name)


def _mean(mean: ast.Mean, chain: str) -> Iterator[Diagnostic]:
    own = {"mask": ("masked",), "gone": ("gone",), "both": (), "none": ()}
    corrupted = own.get(chain, ("masked", "gone"))
    yield from one_of(mean.over, ("tokens", *corrupted, "block", "sequences"), "a denominator")
    if mean.per is not None:
        yield from one_of(mean.per, ("sequence",), "what a denominator can be per")
        if mean.over.id in ("block", "sequences"):
            known = ("tokens", *corrupted)
            yield from one_of(mean.over, known, "a denominator of its own for each sequence")


def _term(term: ast.Term, family: ast.Family) -> Iterator[Diagnostic]:
    head = query.heads(family).get(term.head.id)
    if head is None and not query.heads(family):
        return
    if head is None:
        hint = suggest(term.head.id, query.heads(family))
        where = "among the heads of the network"
        yield UnknownName(span=term.head.span, name=term.head.id, where=where, hint=hint)
        return
    kind = word(term.divergence, term.divergence.kind)
    wrong = list(one_of(kind, DIVERGENCES, "a divergence"))
    wrong = wrong or list(_fits(term, head, query.chain(family)))
    yield from wrong
    if not wrong:
        yield from _options(term, weights(family))
    if not wrong and term.weight is not None:
        yield from _weight(term, term.weight, family)
    if not wrong and ends(term) and query.chain(family) != "both":
        yield from _sees_both(term, family)


def _options(term: ast.Term, env: Environment) -> Iterator[Diagnostic]:
    """``balance``: how much rows in which nothing is missing count; the others 1 - balance."""
    for option in term.divergence.options:
        if term.divergence.kind != "binary_cross_entropy":
            why, hint = "it takes no options", "drop it"
            yield WrongTerm(span=option.span, divergence=term.divergence.kind, why=why, hint=hint)
            continue
        yield from one_of(word(option, option.name), ("balance",), "an option of a divergence")
        yield from number(option.value, "Chance", "balance", env)


# What trains a head, by the noise, its kind and its place: divergence, target, and `on`.
FITS = {
    ("mask", "logits", "tokens"): ("cross_entropy", "x0", "mask"),
    ("mask", "chance", "special"): ("binary_cross_entropy", "none mask", None),
    ("gone", "logits", "gaps"): ("joint_cross_entropy", "gone", None),
    ("gone", "chance", "special"): ("binary_cross_entropy", "none gone", None),
    ("gone", "distribution", "special"): ("cross_entropy", "gone", None),
    ("both", "logits", "tokens"): ("cross_entropy", "x0", "mask"),
    ("both", "count", "gaps"): ("poisson", "gone", None),
    ("both", "distribution", "gaps"): ("cross_entropy", "gone", None),
}


ARROWS = {
    "mask": "`clean -> mask`",
    "gone": "`clean -> gone`",
    "both": "`clean -> mask` with `mask -> gone`",
}


def _fits(term: ast.Term, head: ast.Head, chain: str) -> Iterator[Diagnostic]:
    """Whether a divergence fits its head, its target and the noise."""
    divergence, target = term.divergence, term.divergence.target
    at = head.at.id if head.at is not None else ""
    if not chain or (head.kind.id == "logits" and at not in ("tokens", "gaps")):
        return  # noise and network say what is wrong with them
    if chain == "none":
        yield from _follows(term, head, at)
        return
    place = at if at in ("tokens", "gaps") and head.kind.id != "chance" else "special"
    fit = FITS.get((chain, head.kind.id, place))
    target_is = f"none {target.state.id}" if isinstance(target, ast.Nothing) else target.id
    on = term.on.id if term.on is not None else None
    if fit == (divergence.kind, target_is, on):
        return
    why = hint = ""
    if divergence.kind not in [one[0] for (noise, *_), one in FITS.items() if noise == chain]:
        why = _not_of_this_noise(divergence.kind, chain)
    elif fit is None or divergence.kind != fit[0]:
        why = f"`{head.name}` is {head.kind.id}{' at ' + at if at else ''}"
        places = [p for (c, k, p), one in FITS.items() if (c, k) == (chain, head.kind.id)
                  and one[0] == divergence.kind and p != "special"]  # fmt: skip
        if places:
            hint = f"write `head {head.name} : {head.kind.id} at {places[0]}` in the network"
    elif target_is != fit[1]:
        why = f"its target is `{fit[1]}`, not `{target_is}`"
    else:
        why = (
            "it needs `on mask`: visible tokens are known" if fit[2] else "`on` has no meaning here"
        )
    hint = hint or (f"write `{head.name} : {written(fit)}`" if fit else "")
    yield WrongTerm(span=divergence.span, divergence=divergence.kind, why=why, hint=hint)


def _not_of_this_noise(kind: str, chain: str) -> str:
    """Why no head is trained by a divergence under a noise."""
    state = "mask" if kind == "cross_entropy" else "gone"
    if state not in {"both": ("mask", "gone")}.get(chain, (chain,)):
        return f"tokens never go `{state}`"
    homes = {noise: ARROWS[noise] for (noise, *_), one in FITS.items() if one[0] == kind}
    return f"xlmc supports it under {' and '.join(homes.values())} alone"


def written(fit: tuple[str, str, str | None]) -> str:
    """A divergence as it stands in a spec."""
    kind, target, on = fit
    return f"{kind}({target})" + (f" on {on}" if on else "")


def _follows(term: ast.Term, head: ast.Head, at: str) -> Iterator[Diagnostic]:
    """Without noise, logits at a token speak of the token after it."""
    divergence, target = term.divergence, term.divergence.target
    hint = f"write `{head.name} : cross_entropy(following)`"
    why = ""
    if head.kind.id != "logits":
        why = "nothing is corrupted, and nothing is missing that this head could tell"
        hint = f"drop the head `{head.name}` and its term"
    elif divergence.kind != "cross_entropy":
        why = "nothing is corrupted: a token is predicted from those before it"
    elif at != "tokens":
        why = f"`{head.name}` is {head.kind.id}{' at ' + at if at else ''}"
        hint = f"write `head {head.name} : logits` in the network"
    elif not isinstance(target, ast.Name) or target.id != "following":
        said = f"none {target.state.id}" if isinstance(target, ast.Nothing) else target.id
        why = f"nothing hides `{said}`; the target is `following`, the token after this one"
    elif term.on is not None:
        why = "`on` has no meaning here: every token is predicted"
    if why:
        yield WrongTerm(span=divergence.span, divergence=divergence.kind, why=why, hint=hint)


def _sees_both(term: ast.Term, family: ast.Family) -> Iterator[Diagnostic]:
    amount = query.amount(family)
    if amount is None or amount.variable.id != "count" or not amount.law.arguments:
        return
    low = amount.law.arguments[0]
    said = not any(section.span == amount.span for section in family.sections)
    if literal(low) == 1:
        yield NothingToSay(
            span=low.span if said else term.span,
            head=term.head.id,
            state=query.chain(family),
            why="the counts start at 1" if said else "the counts start at 1 where none is written",
        )


def weights(family: ast.Family) -> Environment:
    """What a weight may mention."""
    amount = query.amount(family)
    timed = amount is not None and amount.variable.id == "t"
    names = {"length": "Count", "bound": "Rate"}
    if query.chain(family) not in ("both", "none"):
        names["count"] = "Count"  # with two clocks: of which of the two?
    schedules = {arrow.survival: arrow for arrow in query.arrows(family)} if timed else {}
    derived = tuple(name for name in DERIVED if name != "reveal") if timed else ()
    where = "in a weight" if timed or amount is None else "in a weight where the amount is a count"
    entries = query.entries(family, "loss")
    if timed:
        names["t"] = "Time"
    env = scope.environment(entries, where, names, schedules, derived)
    drawn = query.chain(family) in ("mask", "gone")
    return evolve(env, around=True, remedy=DRAW if drawn else "")


def _known(expr: ast.Expr, family: ast.Family) -> Iterator[Diagnostic]:
    """What is wrong with the names and functions of a weight, or of a let of one."""
    env = weights(family)
    yield from scope.known(expr, env)
    yield from around(expr, env, masks=query.chain(family) not in ("gone", "none"))


def bound(term: ast.Term, family: ast.Family) -> ast.Expr | str:
    """The weight under which the term is its part of the likelihood bound, or why there is none.

    Without noise the term is -log p itself.
    Masked tokens: the hazard, by the range of t; or length / count (atlas of Sahoo et al. 2024).
    Dropped tokens: the number of counts, which makes a sum over insertions of their mean.
    Both in turn: the hazard of the term's own clock.
    """
    amount, chain = query.amount(family), query.chain(family)
    if chain == "none":
        return ast.Number(Fraction(1), "1", span=term.span)
    if amount is None or not amount.law.arguments:
        return "there is no noise"
    low, high = query.extent(amount)
    if counts(term) and chain != "gone":
        return "a distribution of numbers is no rate: `poisson` of a `count at gaps` has a bound"
    if term.divergence.kind in ("cross_entropy", "poisson") and not counts(term):
        if amount.variable.id == "count":
            return ast.Binary("/", _counts(low), _name("count", term), span=term.span)
        if amount.law.function == "fixed":
            return "every example has the same amount of noise"
        return _hazard(low, high, term, family)
    if chain != "gone":
        return "masks show themselves: nothing is learnt about the likelihood"
    if not any(map(ends, query.terms(family))):
        return "without a head that says when nothing is missing there is no law over lengths"
    if amount.variable.id == "count" or _uniform_counts(low, high, family):
        return _counts(low)
    return "the counts of dropped tokens are not uniform"


def counts(term: ast.Term) -> bool:
    """Whether a term is the cross-entropy of a number of missing tokens."""
    target = term.divergence.target
    counted = isinstance(target, ast.Name) and target.id == "gone"
    return term.divergence.kind == "cross_entropy" and counted


def ends(term: ast.Term) -> bool:
    """Whether a term is of a head that says if nothing is missing: a chance, or a number's."""
    return term.divergence.kind == "binary_cross_entropy" or counts(term)


def clock(term: ast.Term, family: ast.Family) -> ast.Arrow:
    """The arrow that a term's head is trained to undo."""
    arrows = query.arrows(family)
    undone = "mask" if term.divergence.kind == "cross_entropy" and not counts(term) else "gone"
    return next((arrow for arrow in arrows if arrow.target.id == undone), arrows[-1])


def inlined(term: ast.Term, family: ast.Family) -> ast.Expr | None:
    """The weight of a term with `bound` and the lets written out; TooHard where that is long."""
    if term.weight is None:
        return None
    stands_for: dict[str, ast.Expr] = {}
    found = bound(term, family)
    if not isinstance(found, str):
        stands_for["bound"] = found
    for one in query.those(query.entries(family, "loss"), ast.Let):
        stands_for[one.name] = inline(one.value, stands_for)
    return inline(term.weight, stands_for)


def _name(name: str, near: ast.Node) -> ast.Name:
    return ast.Name(name, span=near.span)


def _counts(low: ast.Expr) -> ast.Expr:
    """Length + 1 counts from 0, length counts from 1."""
    length = _name("length", low)
    if literal(low) == 1:
        return length
    return ast.Binary("+", length, ast.Number(Fraction(1), "1", span=low.span), span=low.span)


def _hazard(low: ast.Expr, high: ast.Expr, term: ast.Term, family: ast.Family) -> ast.Expr:
    arrow = clock(term, family)
    hazard = ast.Call("hazard", (_name(arrow.survival, arrow),), span=term.span)
    a, b = exact(low), exact(high)
    if b - a == 1:
        return hazard
    width = ast.Number(b - a, format(float(b - a), "g"), span=term.span)
    return ast.Binary("*", width, hazard, span=term.span)


def exact(expr: ast.Expr) -> Fraction:
    """The exact value of a literal."""
    return expr.value if isinstance(expr, ast.Number) else Fraction(0)


def _uniform_counts(low: ast.Expr, high: ast.Expr, family: ast.Family) -> bool:
    """Whether t ~ U(0, 1) makes the count uniform on 0..length: the survival is 1 - t."""
    if (literal(low), literal(high)) != (0, 1):
        return False
    arrow = query.arrows(family)[-1]
    points = [i / 16 for i in range(17)]
    return all(abs(value_of(arrow.value, Scope({"t": t}), FLOAT) - (1 - t)) < 1e-9 for t in points)


def _weight(term: ast.Term, weight: ast.Expr, family: ast.Family) -> Iterator[Diagnostic]:
    env = weights(family)
    wrong = list(_known(weight, family))
    if not sound(family):
        yield from wrong
        return
    if any(name.id == "bound" for name in query.names(weight)):
        found = bound(term, family)
        if isinstance(found, str):
            hint = "drop the weight"
            if "uniform" in found or "same amount" in found:
                hint = f"write `{DRAWN[query.chain(family)]}`"
            wrong.append(NoBound(span=weight.span, why=found, hint=hint))
    wrong += _clamped(weight, term, family)
    yield from wrong
    entries = query.entries(family, "loss")
    lets = [one for let in query.those(entries, ast.Let) for one in _known(let.value, family)]
    if wrong or lets or any(scope.lets_in_order(entries)):
        return
    try:
        whole = inlined(term, family)
    except TooHard as hard:
        yield TooHardRefusal(span=weight.span, reason=hard.reason)
        return
    if query.around(whole) and (term.divergence.kind != "cross_entropy" or counts(term)):
        yield NoneVisible(span=weight.span)
        return
    samples = list(scope.distinct(weight, env, _samples(term, family)))
    off = (one for _, one in _valued(weight, env, samples) if not isinstance(one, float))
    wrong = [*islice(off, 1)] or [*_nothing(term, env, samples, family)]
    yield from wrong
    if not wrong:
        yield from _diverges(term, weight, env, family)


def _valued(
    weight: ast.Expr, env: Environment, samples: Iterable[scope.Sample]
) -> Iterator[tuple[scope.Sample, float | Diagnostic]]:
    """The values of a weight, and complaints in the place of those that it cannot have."""
    for sample, value in scope.values(weight, env, samples):
        if isinstance(value, float) and value < 0:
            where = scope.show(weight, env, sample)
            yield sample, NegativeWeight(span=weight.span, value=f"{value:g}", where=where)
        else:
            yield sample, value


def _nothing(
    term: ast.Term, env: Environment, samples: Sequence[scope.Sample], family: ast.Family
) -> Iterator[Diagnostic]:
    """A complaint if a weight is 0 whatever the params are."""
    assert term.weight is not None
    for one in settings(family, env):
        if any(value != 0 for _, value in scope.values(term.weight, one, samples)):
            return
    yield ZeroWeight(span=term.weight.span, head=term.head.id)


def settings(family: ast.Family, env: Environment) -> Iterator[Environment]:
    """The params of a loss as they are by default, then other values of each and of all."""
    yield env
    params = query.those(query.entries(family, "loss"), ast.Param)
    exprs = [expr for term in query.terms(family) for expr in query.weighed(term)]
    read = query.spoken(exprs, env.lets.values())
    others = {param.name: OTHERS[param.kind] for param in params if param.name in read}
    for name, found in others.items():
        yield from (evolve(env, defaults={**env.defaults, name: value}) for value in found)
    for found in zip(*others.values(), strict=True):
        yield evolve(env, defaults={**env.defaults, **dict(zip(others, found, strict=True))})


def _clamped(weight: ast.Expr, term: ast.Term, family: ast.Family) -> Iterator[Diagnostic]:
    """Numbers that a bound is cut off at; a param says that it is meant."""
    lets = query.those(query.entries(family, "loss"), ast.Let)
    spoken = query.spoken([weight], lets)
    for expr in (weight, *(one.value for one in lets if one.name in spoken)):
        for call in query.calls(expr):
            if call.function in ("min", "max") and "bound" in query.spoken(call.arguments, lets):
                numbers = [a for a in call.arguments if literal(a) is not None]
                if numbers and not idle(call, term, family):
                    yield from (Clamped(span=a.span, limit=a.span.text) for a in numbers)


def idle(call: ast.Call, term: ast.Term, family: ast.Family) -> bool:
    """Whether a ``max`` of something and 0 is never the 0."""
    others = [a for a in call.arguments if literal(a) is None]
    low = max((literal(a) or 0.0 for a in call.arguments if a not in others), default=1.0)
    if call.function != "max" or low > 0 or len(others) != 1:
        return False
    env = weights(family)
    samples = scope.distinct(others[0], env, _samples(term, family))
    found = scope.values(others[0], env, samples)
    return all(isinstance(value, float) and value >= 0 for _, value in found)


def _samples(term: ast.Term, family: ast.Family) -> Iterator[scope.Sample]:
    """Rows of every size, with every amount of noise."""
    amount, found = query.amount(family), bound(term, family)
    if amount is None:
        yield from ({"length": length, "bound": 1.0} for length in scope.SIZES)
        return
    low, high = map(literal, query.extent(amount))
    # Weights of tokens are read where there are some, that of a row always.
    least = (0.0,) if ends(term) else ()
    visible = (0.0, 0.5, 2.0) if query.around(inlined(term, family)) else (0.0,)
    for row, seen in product(scope.rows("count", least), visible):
        point = {**row, "visible": seen}
        if amount.variable.id != "t" or low is None or high is None:
            yield with_bound(point, found, family)
        elif row["count"] in (0, 1, row["length"]):
            for i in range(1, 16):
                t = low + (high - low) * i / 16
                yield with_bound({"t": t, **point}, found, family)


def with_bound(point: scope.Sample, found: ast.Expr | str, family: ast.Family) -> scope.Sample:
    """A sample with the value of a `bound` at it, where there is one; nan where it has none."""
    if isinstance(found, str):
        return point
    schedules = {arrow.survival: arrow for arrow in query.arrows(family)}
    try:
        return {**point, "bound": scope.value(found, point, schedules)}
    except MathError:
        return {**point, "bound": nan}


def _diverges(
    term: ast.Term, weight: ast.Expr, env: Environment, family: ast.Family
) -> Iterator[Diagnostic]:
    """Whether weight times chance of corruption grows without end somewhere in the range."""
    amount, found = query.amount(family), bound(term, family)
    if amount is None or amount.variable.id != "t" or "t" not in scope.reads(weight, env):
        return
    low, high = map(literal, query.extent(amount))
    assert low is not None
    assert high is not None
    of_rows = {"count", "length"} & scope.reads(weight, env)
    for row in ROWS if of_rows else ROWS[:1]:

        def risks(times: Sequence[float], row: scope.Sample = row) -> list[float | Diagnostic]:
            samples = [with_bound({"t": t, **row}, found, family) for t in times]
            at = [(one["t"], value) for one, value in _valued(weight, env, samples)]
            return [v * _chance(term, t, family) if isinstance(v, float) else v for t, v in at]

        wrong = _at_an_end(weight, risks, amount, query.chain(family))
        wrong = wrong or (_inside(weight, risks, low, high) if low < high else [])
        yield from wrong
        if wrong:
            return


Risks = Callable[[Sequence[float]], list[float | Diagnostic]]


def _at_an_end(weight: ast.Expr, risks: Risks, amount: ast.Amount, chain: str) -> list[Diagnostic]:
    """The ends of the range towards which a risk grows; the other end of a guard stays as it is."""
    found: list[Diagnostic] = []
    low, high = query.extent(amount)
    a, b = literal(low) or 0.0, literal(high) or 0.0
    away = GUARD if b - a > 10 * GUARD else (b - a) * GUARD
    guards = (f"{_short(a + away)}, {high.span.text}", f"{low.span.text}, {_short(b - away)}")
    for end, towards, guard in ((a, 1.0, guards[0]), (b, -1.0, guards[1])):
        points = [end + towards * (b - a) * step for step in TIMES]
        known = [risk for risk in risks(points) if isinstance(risk, float)]
        if len(known) == len(points) and known[0] > GROWTH * known[2] > GROWTH**2 * known[4] > 0:
            hint = f"keep away from that end, `amount t ~ uniform({guard})`"
            hint += ", at the cost of what lies beyond it"
            hint = hint if chain == "both" else COUNT + hint
            value, at = f"{known[0]:.3g}", f"{points[0]:g}"
            found.append(Diverges(span=weight.span, value=value, at=at, hint=hint))
    return found


def _short(time: float) -> str:
    return "1e-3" if time == GUARD else f"{time:g}"


def _inside(weight: ast.Expr, risks: Risks, low: float, high: float) -> list[Diagnostic]:
    """A pole between the ends: near the highest of many points there are ever higher ones."""
    times = [low + (high - low) * point for point in POINTS[1:]]
    found = risks(times)
    if wrong := [risk for risk in found if not isinstance(risk, float)]:
        return wrong[:1]
    heights = [risk for risk in found if isinstance(risk, float)]
    inner = range(1, len(times) - 1)
    peaks = [i for i in inner if heights[i - 1] < heights[i] >= heights[i + 1]]
    for i in sorted(peaks, key=lambda i: -heights[i])[:PEAKS]:
        if wrong := _climb(weight, risks, times[i - 1], times[i + 1]):
            return wrong
    return []


def _climb(weight: ast.Expr, risks: Risks, a: float, b: float) -> list[Diagnostic]:
    """A complaint if a peak between two times has no top: ever nearer to it, ever higher."""
    tops: list[float] = []
    for n in range(ZOOMS):
        times = [a + (b - a) * k / 8 for k in range(1, 8)]
        found = risks(times)
        if wrong := [risk for risk in found if not isinstance(risk, float)]:
            return wrong[:1]
        heights = [risk for risk in found if isinstance(risk, float)]
        best = heights.index(max(heights))
        tops.append(heights[best])
        a, t, b = (times[best] + (b - a) * k / 8 for k in (-1, 0, 1))
        if n >= 4 and tops[n] < GROWTH * tops[n - 4]:
            return []
    hint = "between the ends of the range a weight must be finite"
    return [Diverges(span=weight.span, value=f"{tops[-1]:.3g}", at=f"{t:.6g}", hint=hint)]


def _chance(term: ast.Term, t: float, family: ast.Family) -> float:
    """The chance that a token is where the term speaks of it, up to a factor that hardly grows."""
    arrows = query.arrows(family)
    if len(arrows) == 1 or clock(term, family) is arrows[-1]:
        return _corrupted(arrows[-1], t)
    present = value_of(arrows[-1].value, Scope({"t": t}), FLOAT)
    return max(_corrupted(arrow, t) for arrow in arrows) * float(present)


def _corrupted(arrow: ast.Arrow, t: float) -> float:
    """1 - alpha(t), also where floats round it to 0."""
    chance = 1 - value_of(arrow.value, Scope({"t": t}), FLOAT)
    if chance > 1e-9:
        return float(chance)
    call = ast.Call("corrupted", (_name(arrow.survival, arrow),), span=arrow.span)
    return scope.exactly(call, {"t": t}, {arrow.survival: arrow})
