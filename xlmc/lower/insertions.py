"""Insertions of tokens into several gaps of a row: which gaps, by what numbers."""

from collections.abc import Callable, Set
from functools import partial

from attrs import evolve

from xlmc.calculus.code import (
    Code,
    Kind,
    Leaf,
    Rank,
    beside_tokens,
    built,
    param,
    variable,
)
from xlmc.lower import ir, orders
from xlmc.lower.amounts import Amounts
from xlmc.lower.canvas import timely
from xlmc.lower.endings import place
from xlmc.lower.orders import RANDOM
from xlmc.lower.parts import Lines
from xlmc.syntax import ast, query
from xlmc.words import numbers
from xlmc.words.decoding import environment
from xlmc.words.rules.base import Actor, Rule
from xlmc.words.slots import answers, rule_words

LEAST = 1e-300  # a weight whose logarithm is a number, in place of 0
TOKEN = 'noise.uniform("token", canvas.position)'


def several(
    action: ast.Insert,
    head: str,
    order: ir.Order,
    amounts: Amounts,
    candidates: str,
    off: Set[str],
) -> ir.Several:
    """Return which of the candidate gaps get a token in a step.

    ``off`` are the params at whose 0 nothing else is changed.
    """
    family, rated = amounts.family, action.much.rule == "poisson"
    much = evolve(action.much, rule="chance") if rated else action.much
    number = numbers.weighing(much, head, amounts.section, family)
    joint = numbers.joint(head, family)
    at = place(number, family) if number else ""
    chances = [rule_words()[pace.rule].of_place for pace in query.paces(much)]
    share = "share" if joint and (number or not all(chances)) else ""
    weights = number if at == "gaps" else share
    actor = Actor(candidates, "insert", "inserted", weights, optional=True)
    paces = amounts.paces(much, actor, partial(_missing, number, at == "gaps" or any(chances)))
    policy = query.first(amounts.section.entries, ast.Overflow)
    return ir.Several(
        paces=_fired(paces) if rated else paces,
        order=order,
        actor=actor,
        joint=joint,
        number=number,
        kind=query.heads(family)[number].kind.id if number else "",
        at=at,
        overflow=policy.policy.id if policy is not None else "",
        timely=all(chances) and number != "" and _timely(much, number, amounts, off),
    )


def _fired(paces: tuple[ir.Pace, ...]) -> tuple[ir.Pace, ...]:
    """Return the rules by rates as rules by the chance that a Poisson number is not 0."""
    codes = ((pace, pace.code) for pace in paces if pace.code is not None)
    form = "-torch.expm1(-({}))"
    return tuple(evolve(pace, code=built(form, code)) for pace, code in codes)


def _missing(number: str, spread: bool, rule: Rule) -> dict[str, Leaf]:
    """Return the meaning of a head of numbers; ``spread``: its variable is of each gap."""
    if not number:
        return {}
    if rule.of_place:
        return {number: variable(number, Rank.TOKEN, Kind.DOUBLE)}
    if not spread:
        return {number: variable(number, Rank.ROW, Kind.DOUBLE)}
    wide = f"{number}.sum(1, keepdim=True)"
    return {number: variable(number, Rank.ROW, Kind.DOUBLE, f"{number}.sum(1)", wide)}


def _timely(much: ast.Much, number: str, amounts: Amounts, off: Set[str]) -> bool:
    """Return whether one chance of each gap follows the clock."""
    section, family = amounts.section, amounts.family
    env, arrow = environment(section, family), query.arrows(family)[-1]
    if much.value is None or much.rest is not None:
        return False
    return timely(much.value, number, env, arrow.survival, off)


def lines(several: ir.Several, head: str, draw: Callable[[str, str], Code]) -> Lines:
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
    found += orders.looks(several.paces, "canvas.open", drawn=order.sampled, known=several.number)
    found += _places(several)
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
    looks = any({*pace.looks} & {*answers()} for pace in several.paces)
    return several.actor.weights == "share" or _sure(several) or looks


def _sure(several: ir.Several) -> bool:
    return "confidence" in several.order.scores


def _weights(several: ir.Several) -> Lines:
    """Return the assignments of what is missing in gaps and rows."""
    name, at = several.number, several.at
    share = (("share", built("shares(logits, canvas.open)")),) * (several.actor.weights == "share")
    if not name:
        return share
    place = "canvas.open" if at == "gaps" else f'canvas.x == canvas.network.vocab["{at}"]'
    answer = f"canvas.network.{name}(canvas.hidden({place}))"
    answer = f"expected({answer})" if several.kind == "distribution" else answer
    if at == "gaps":
        return (*share, (name, built(f"spread({answer}, canvas.open)")))
    read = (name, built(answer))
    if not any(pace.rule.of_place for pace in several.paces):
        return (*share, read)
    return (*share, read, (name, built(f"share * {name}[:, None]")))


def _places(several: ir.Several) -> Lines:
    """Return the assignments of the gaps that the rules choose."""
    score = _score(several)
    error = built("(1 - {}).clamp(min=0)", score)
    values = {way: error if way else score for way in orders.ways(several.paces)}
    lines, scores = orders.once(several.paces, values)
    return (*lines, ("places", orders.chosen(several.paces, scores, several.actor)))


def _score(several: ir.Several) -> Code:
    """Return the score of each gap: the highest come first."""
    order, weight = several.order, several.actor.weights
    random = built(f"{weight}.clamp(min={LEAST}).log() + gumbel({RANDOM})")
    if not _sure(several):
        return random
    sure = orders.same("confidence", several.paces)
    sure = sure or built("spread({}, canvas.open)", orders.codes(order)["confidence"])
    best = built(f"{weight} * {{}}", sure)
    if order.temperature is not None:
        best = orders.heated(best, beside_tokens(order.temperature), RANDOM)
    if len(order.scores) == 1:
        return best
    form = f'{{}} if self.{order.param} == "random" else {{}}'
    chosen = param(order.param, "Choice").code
    return built(form, random, evolve(best, reads=best.reads | chosen.reads))
