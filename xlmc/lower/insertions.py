"""Insertions of tokens into several gaps of a row: which gaps, by what numbers."""

from collections.abc import Callable

from attrs import evolve

from xlmc.calculus.code import (
    Code,
    Kind,
    Leaf,
    Names,
    Printer,
    Rank,
    beside_tokens,
    built,
    param,
    variable,
)
from xlmc.lower import ir, orders
from xlmc.lower.canvas import timely
from xlmc.lower.orders import RANDOM
from xlmc.lower.parts import Lines
from xlmc.syntax import ast, query
from xlmc.words import numbers
from xlmc.words.decoding import environment
from xlmc.words.rules.base import Actor
from xlmc.words.slots import rule_words

LEAST = 1e-300  # a weight whose logarithm is a number, in place of 0
TOKEN = 'noise.uniform("token", canvas.position)'


def several(
    action: ast.Insert,
    head: str,
    order: ir.Order,
    section: ast.Section,
    family: ast.Family,
    scope: Names,
) -> ir.Several:
    """Return which gaps get a token in a step."""
    value, rated = action.much.value, action.much.rule == "poisson"
    rule = "chance" if rated else action.much.rule  # that a Poisson number is not 0
    number = numbers.weighing(evolve(action.much, rule=rule), head, family)
    known = query.heads(family).get(number)
    at = known.at.id if known is not None and known.at is not None else ""
    leaf = _of_gap(number) if rule == "chance" else _of_row(number, at)
    names = evolve(scope, names={**scope.names, number: leaf})
    policy = query.first(section.entries, ast.Overflow)
    env, arrow = environment(section, family), query.arrows(family)[-1]
    code = Printer.code(value, names) if value is not None else None
    return ir.Several(
        rule=rule,
        code=built("-torch.expm1(-({}))", code) if rated and code is not None else code,
        order=order,
        joint=numbers.joint(head, family),
        number=number,
        kind=known.kind.id if known is not None else "",
        at=at,
        overflow=policy.policy.id if policy is not None else "",
        timely=rule == "chance"
        and value is not None
        and number != ""
        and timely(value, number, env, arrow.survival),
    )


def _of_gap(number: str) -> Leaf:
    return variable(number, Rank.TOKEN, Kind.DOUBLE)


def _of_row(number: str, at: str) -> Leaf:
    """Return the number of a row: of a head at gaps the sum over them."""
    if at != "gaps":
        return variable(number, Rank.ROW, Kind.DOUBLE)
    wide = f"{number}.sum(1, keepdim=True)"
    return variable(number, Rank.ROW, Kind.DOUBLE, f"{number}.sum(1)", wide)


def lines(
    several: ir.Several, head: str, candidates: str, draw: Callable[[str, str], Code]
) -> Lines:
    """Return the assignments of a step, up to the tokens of the gaps that are chosen.

    ``draw`` gives a draw from logits by u.
    """
    order, whole = several.order, _reads_all(several)
    found: list[tuple[str, Code]] = []
    if whole:
        found.append(("logits", built(f"canvas.network.{head}(canvas.hidden(canvas.open))")))
    found += _weights(several)
    if order.sampled:
        found.append(("token", draw("logits", f"{TOKEN}[canvas.open]")))
    found.append(("places", _places(several, candidates)))
    if several.overflow:
        fit = f"{several.overflow}(places.long(), canvas.vacant) > 0"
        found.append(("places", built(fit)))
    if order.sampled:
        return (*found, ("token", built("token[places[canvas.open]]")))
    some = "logits[places[canvas.open]]"
    some = some if whole else f"canvas.network.{head}(canvas.hidden(places))"
    found.append(("logits", built(some)))
    return (*found, ("token", draw("logits", f"{TOKEN}[places]")))


def _reads_all(several: ir.Several) -> bool:
    """Return whether the distributions of all gaps are read, and not of those chosen alone."""
    return _shared(several) or _sure(several)


def _shared(several: ir.Several) -> bool:
    """Return whether gaps are weighed by their shares of the joint distribution."""
    weighs = several.rule != "chance" or several.number != ""
    return several.joint and several.at != "gaps" and weighs


def _sure(several: ir.Several) -> bool:
    return "confidence" in several.order.scores


def _weights(several: ir.Several) -> Lines:
    """Return the assignments of what is missing in gaps and rows."""
    name, at = several.number, several.at
    share = (("share", built("shares(logits, canvas.open)")),) if _shared(several) else ()
    if not name:
        return share
    place = "canvas.open" if at == "gaps" else f'canvas.x == canvas.network.vocab["{at}"]'
    answer = f"canvas.network.{name}(canvas.hidden({place}))"
    answer = f"expected({answer})" if several.kind == "distribution" else answer
    if at == "gaps":
        return (*share, (name, built(f"spread({answer}, canvas.open)")))
    read = (name, built(answer))
    if several.rule != "chance":
        return (*share, read)
    return (*share, read, (name, built(f"share * {name}[:, None]")))


def _places(several: ir.Several, candidates: str) -> Code:
    """Return the gaps that a rule chooses."""
    rule, actor = rule_words()[several.rule], Actor(candidates, "insert", "inserted")
    amount = rule.amount(several.code, actor) if several.code is not None else None
    return rule.places(_score(several), amount, actor, last=True)


def _score(several: ir.Several) -> Code:
    """Return the score of each gap: the highest come first."""
    order = several.order
    weight = several.number if several.at == "gaps" else "share"
    random = built(f"{weight}.clamp(min={LEAST}).log() + gumbel({RANDOM})")
    if not _sure(several):
        return random
    sure = orders.codes(order)["confidence"]
    best = built(f"{weight} * spread({{}}, canvas.open)", sure)
    if order.temperature is not None:
        best = built(f"{{}} + {{}} * gumbel({RANDOM})", best, beside_tokens(order.temperature))
    if len(order.scores) == 1:
        return best
    form = f'{{}} if self.{order.param} == "random" else {{}}'
    chosen = param(order.param, "Choice").code
    return built(form, random, evolve(best, reads=best.reads | chosen.reads))
