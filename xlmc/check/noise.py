"""The noise: the chain of states, its survival, and the amount."""

from collections.abc import Iterator

from attrs import evolve

from xlmc.calculus.evaluate import Scope, evaluate
from xlmc.calculus.limits import check_limits
from xlmc.calculus.survival import Survival, examine
from xlmc.check import drafts, events, shares
from xlmc.check.scope import declarations, known, lets_in_order
from xlmc.check.settings import OF_NOISE
from xlmc.check.words import name_span, one_of, reserved, word
from xlmc.diagnostics.diagnostic import Diagnostic, Related
from xlmc.diagnostics.semantic_errors import (
    LeftOver,
    MissingEntry,
    NeverUsed,
    NoValue,
    Rises,
    WrongAmount,
    WrongArgument,
    WrongChain,
    WrongEnd,
)
from xlmc.diagnostics.semantic_errors import TooHard as TooHardRefusal
from xlmc.syntax import ast, query
from xlmc.syntax.expression import MathError, TooHard, literal
from xlmc.theory.environment import Environment
from xlmc.theory.instances import Values, at, worlds
from xlmc.theory.process import SPOILED, STATES, Process, step_of
from xlmc.words import arrows as arrows_of
from xlmc.words.slots import amount_words

END = 0.05  # how much may survive until t = 1 before it counts as a mistake
EXACT = 1e-6
SHARED = (("clean", "mask", "random"), SPOILED[0])  # the arrows that lead to one of several states
LAST = ("gone", "random", "draft")  # states that a token does not leave


def check(family: ast.Family) -> Iterator[Diagnostic]:
    """Check the `noise` section."""
    entries = query.entries(family, "noise")
    section = next((s for s in family.sections if s.kind == "noise"), None)
    if section is None:
        return
    arrows = query.arrows(family)
    if beside := list(_beside(family)):
        yield from beside
        return
    if nothing := query.first(entries, ast.NoNoise):
        for arrow in arrows:
            why = "`none` says that there is no arrow"
            yield WrongChain(span=arrow.span, why=why, related=(Related(nothing.span, "here"),))
    elif not arrows:
        yield MissingEntry(
            span=section.span,
            entry="arrow",
            why="nothing is corrupted",
            example="clean -> mask  survival alpha(t) = 1 - t",
        )
    process = Process.of(family)
    yield from _params(family)
    for arrow in arrows:
        yield from _arrow(arrow, family, starts=process.clocks < 2)
    yield from _life(arrows)
    yield from events.competing(arrows)
    yield from drafts.law(family)
    amount, last = query.amount(family), arrows_of.noise(process)
    if amount is not None and nothing is None:
        yield from _of_times(amount, last.uncounted) if last and last.uncounted else _amount(amount)
    elif amount is not None:
        why, hint = "nothing is corrupted", "drop the amount, or write an arrow in place of `none`"
        yield WrongAmount(span=amount.span, why=why, hint=hint)


def _beside(family: ast.Family) -> Iterator[Diagnostic]:
    """Report arrows that extend the parent's noise although they were to replace it."""
    entries = query.entries(family, "noise")
    states = [entry for entry in entries if isinstance(entry, ast.Arrow | ast.NoNoise)]
    own = [entry for entry in states if entry.span.source == family.span.source]
    others = [entry for entry in states if entry not in own]
    if own and others and not Process.of(family).known:
        related = (Related(others[0].span, "this stays"),)
        why, hint = (
            "the parent's noise stays, and `none` contradicts it",
            "write `replace noise { ... }`",
        )
        yield WrongChain(span=own[0].span, why=why, hint=hint, related=related)


def _of_times(amount: ast.Amount, why: str) -> Iterator[Diagnostic]:
    """Check an amount of noise that is a time; ``why`` it is no count."""
    hint = "write `amount t ~ uniform(1e-3, 1)`"
    if amount.variable.id == "count":
        yield WrongAmount(span=amount.span, why=why, hint=hint)
        return
    for one in _amount(amount):
        yield evolve(one, hint=hint) if isinstance(one, WrongAmount) else one


def _params(family: ast.Family) -> Iterator[Diagnostic]:
    """Check the params and lets of the noise."""
    entries = query.entries(family, "noise")
    lets = query.those(entries, ast.Let)
    written = [expr for one in query.those(entries, ast.Arrow) for expr in query.formulas(one)]
    spoken = query.spoken(written, lets)
    numbers = [one.size for one in query.those(entries, ast.Blocks)]
    numbers += [n for one in query.those(entries, ast.Draft) for n in drafts.numbers(one)]
    sizes = query.spoken(numbers, ()) - spoken
    own = [one for one in entries if isinstance(one, ast.Param) and one.name in sizes]
    others = tuple(one for one in entries if one not in own)
    yield from declarations(others, "a param of the noise", OF_NOISE)
    yield from declarations(tuple(own), "a param of the noise")
    yield from lets_in_order(entries)
    for entry in others:
        if isinstance(entry, ast.Param | ast.Let) and entry.name not in spoken:
            yield NeverUsed(span=entry.span, name=entry.name)
    for let in lets:
        yield from known(let.value, _environment(family))


def _environment(family: ast.Family) -> Environment:
    """Return what a formula of the noise may mention."""
    where = "in the noise, whose formulas read t, and params and lets of the noise"
    names = {param.name: param.kind for param in query.given(family)} | {"t": "Time"}
    names |= {one.name: "Number" for one in query.those(query.entries(family, "noise"), ast.Let)}
    return Environment(where, names, {}, (), {}, {})


def _arrow(arrow: ast.Arrow, family: ast.Family, starts: bool) -> Iterator[Diagnostic]:
    """Check one arrow; ``starts`` if decoding starts without the tokens that survive at t = 1."""
    yield from one_of(arrow.origin, STATES, "a state")
    yield from one_of(arrow.target, STATES, "a state")
    for other in (arrow.other, arrow.third):
        yield from one_of(other, STATES, "a state") if other is not None else ()
    yield from reserved(arrow.survival, "a schedule", arrow)
    if arrow.argument != "t":
        span = name_span(arrow, arrow.argument)
        yield WrongArgument(span=span, name=arrow.argument, schedule=arrow.survival)
        return
    entries = query.entries(family, "noise")
    env, params = _environment(family), query.given(family)
    lets = [one.value for one in query.those(entries, ast.Let)]
    formulas = query.formulas(arrow)
    of_lets = {one for value in lets for one in known(value, env)}
    wrong = [one for expr in formulas for one in known(expr, env) if one not in of_lets]
    yield from wrong
    if wrong or of_lets or any(lets_in_order(entries)):
        return
    if all(_sound(param, arrow) for param in params):
        found = list(_everywhere(arrow, params, query.constants(family), starts))
        yield from found or events.few(at(arrow, next(worlds(params))))


def _sound(param: ast.Param, arrow: ast.Arrow) -> bool:
    """Return whether a param has a name of its own, a type, and a value in its range."""
    if param.kind == "Learned":
        return param.name != arrow.argument
    value = literal(param.default)
    named = param.name != arrow.argument and param.kind in OF_NOISE
    return named and value is not None and value in OF_NOISE[param.kind]


def _everywhere(
    arrow: ast.Arrow,
    params: tuple[ast.Param, ...],
    constants: tuple[ast.Let, ...],
    starts: bool,
) -> Iterator[Diagnostic]:
    """Check the formulas of an arrow at all values of the params that they read."""
    read = query.spoken(query.formulas(arrow), constants)
    params = tuple(param for param in params if param.name in read)
    shown = False
    for values in worlds(params, constants):
        found = list(_constants(constants, values)) or list(_survival(at(arrow, values)))
        if not any(one.severity == "error" for one in found):
            found += shares.check(at(arrow, values))
        kept = [one for one in found if starts or not isinstance(one, LeftOver)]
        wrong = [one for one in kept if one.severity == "error"]
        yield from (with_values(one, params, values) for one in (wrong if shown else kept))
        if wrong:
            return
        shown = shown or bool(kept)


def _constants(constants: tuple[ast.Let, ...], values: Values) -> Iterator[Diagnostic]:
    """Report the first let over params that cannot be evaluated at these values."""
    for one in constants:
        if one.name not in values:
            try:
                evaluate(one.value, Scope(values))
            except MathError as error:
                hint = "it needs a value for every value of the params"
                span, reason = error.node.span, error.reason
                yield NoValue(span=span, reason=reason, where="in a let of the noise", hint=hint)
                return


def with_values(one: Diagnostic, params: tuple[ast.Param, ...], values: Values) -> Diagnostic:
    """Return a complaint with the values of params at which it holds."""
    others = [param for param in params if values[param.name] != literal(param.default)]
    shown = [Related(p.span, f"which may be {values[p.name]:g}, as here") for p in others]
    return evolve(one, related=(*one.related, *shown))


def _life(arrows: tuple[ast.Arrow, ...]) -> Iterator[Diagnostic]:
    """Check the states that the arrows of a token's life connect."""
    if not {state for arrow in arrows for state in step_of(arrow)} <= {*STATES}:
        return
    now = "clean"
    for i, arrow in enumerate(arrows):
        why = ""
        if i == 2 or now in LAST:
            why = (
                f"no arrow may follow one to `{now}`"
                if now in LAST
                else "xlmc supports chains of up to two arrows"
            )
            yield WrongChain(span=arrow.span, why=why)
        elif arrow.origin.id != now:
            why = (
                "the first arrow starts from `clean`"
                if i == 0
                else f"the arrow before it leads to `{now}`"
            )
            yield WrongChain(span=arrow.origin.span, why=why)
        elif why := _no_target(arrow.target.id, now):
            yield WrongChain(span=arrow.target.span, why=why)
        elif arrow.other is not None and step_of(arrow) not in SHARED:
            why = "beside `mask`, xlmc supports a share of `random`, and then one of `clean`"
            hint = "write `clean -> mask | random share EXPR  survival alpha(t) = ...`"
            yield WrongChain(span=arrow.other.span, why=why, hint=hint)
        if why:
            return
        now = arrow.other.id if arrow.other is not None else arrow.target.id


def _no_target(target: str, now: str) -> str:
    """Return why a token in one state does not go to another; "" if it can."""
    if target == "clean":
        return "noise never makes a token clean"
    if target == "draft" and now != "clean":
        return "a draft is what a clean text becomes, by its own arrow"
    if target == now:
        return f"it is `{now}` already"
    if target == "random" and now == "mask":
        return "no decoder can undo it: a random token does not show that it was a mask"
    return ""


def sound(family: ast.Family) -> bool:
    """Return whether anything can be computed from the noise."""
    process = Process.of(family)
    if not process.known or (not process.ordered and process.amount is None):
        return False
    return not any(one.severity == "error" for one in check(family))


def _survival(arrow: ast.Arrow) -> Iterator[Diagnostic]:
    if wrong := list(events.expected(arrow)):
        yield from wrong
        return
    span = arrow.value.span
    try:
        check_limits(arrow.value)
        facts = examine(arrow)
    except TooHard as hard:
        yield TooHardRefusal(span=hard.node.span, reason=hard.reason)
        return
    except MathError as error:
        yield NoValue(span=error.node.span, reason=error.reason, where="at some t", hint="")
        return
    if facts.undefined is not None:
        trouble = facts.undefined
        where = f"at t = {trouble.t:g}"
        yield NoValue(span=trouble.node.span, reason=trouble.reason, where=where, hint="")
        return
    ends = list(_ends(arrow, facts))
    yield from ends
    if facts.kink is not None:
        trouble = facts.kink
        hint = "a survival needs a derivative everywhere; use a smooth function"
        where = f"at t = {trouble.t:g}"
        yield NoValue(span=trouble.node.span, reason=trouble.reason, where=where, hint=hint)
    if facts.rises is not None and not any(isinstance(end, WrongEnd) for end in ends):
        if arrow.events is not None:
            hint = "the expected number of events never falls"
            yield NoValue(
                span=span, reason="falls", where=f"after t = {facts.rises:.3g}", hint=hint
            )
            return
        yield Rises(span=span, start=f"{facts.rises:.3g}", stop=f"{min(1, facts.rises + 0.01):.3g}")


def _ends(arrow: ast.Arrow, facts: Survival) -> Iterator[Diagnostic]:
    start, end = facts.start, facts.end
    span, name = arrow.value.span, arrow.survival
    turned = start is not None and end is not None and abs(start) < EXACT and abs(end - 1) < EXACT
    if start is not None and abs(start - 1) > EXACT:
        hint = "t = 0 is data, where every token is clean"
        hint += ", and t = 1 is noise: put `1 - t` in the place of `t`" if turned else ""
        yield WrongEnd(span=span, schedule=name, at="0", value=f"{start:g}", wanted="1", hint=hint)
    most = _most(arrow)
    if end is not None and not turned and not -EXACT <= end <= most:
        some = f" (up to {END} are allowed)" if most == END else ""
        hint = f"t = 1 is noise, where no token is clean{some}"
        yield WrongEnd(span=span, schedule=name, at="1", value=f"{end:g}", wanted="0", hint=hint)
    elif end is not None and end > EXACT:
        yield LeftOver(span=span, schedule=name, share=f"{end:.3g}")


def _most(arrow: ast.Arrow) -> float:
    """Return how much may survive until t = 1: none where nothing shows what has."""
    word = next((w for w in arrows_of.known().values() if w.last == step_of(arrow)), None)
    return EXACT if word is not None and word.forgets else END


def _amount(amount: ast.Amount) -> Iterator[Diagnostic]:
    law = amount.law
    wrong = list(one_of(amount.variable, ("t", "count"), "an amount of noise"))
    name = evolve(word(law, law.function), id=law.function + "'" * law.primes)
    wrong += one_of(name, amount_words(), "a distribution of the amount")
    if amount.spread is not None:
        wrong += one_of(amount.spread, ("antithetic", "stratified"), "a way of spreading draws")
    yield from wrong
    if wrong:
        return
    yield from amount_words()[law.function].check(amount)
