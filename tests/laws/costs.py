"""What losses and likelihoods ought to be, computed from the spec and a table alone."""

import re
from collections.abc import Callable, Mapping
from itertools import combinations
from math import comb, log

import numpy as np
import torch
from laws import zoo
from laws.build import VOCAB, Package
from laws.examples import around, one
from laws.scripted import chosen
from laws.table import MASK, Row, drops, masked_costs, near, normal

NODES, WEIGHTS = np.polynomial.legendre.leggauss(12)


def times(spec: zoo.Spec) -> list[tuple[float, float]]:
    """Nodes and weights of a quadrature over the law of t; the weights add up to 1."""
    span = spec.high - spec.low
    return [(spec.low + span * (x + 1) / 2, w / 2) for x, w in zip(NODES, WEIGHTS, strict=True)]


def hazard(spec: zoo.Spec, t: float) -> float:
    return -spec.slope(t) / (1 - spec.alpha(t))


def weight(spec: zoo.Spec, t: float, count: int, length: int) -> float:
    """The weight that the term over masked or missing tokens has by its spec."""
    if spec.has("weight hazard"):
        a, da = spec.alpha(t), spec.slope(t)
        return -da / (1 - a) - da / a - log(a) - da + a + (1 - a)
    if spec.has("weight 1 / t"):
        return 1 / t
    if not (spec.has("on mask  weight bound") or spec.has("on mask weight bound")):
        return length + 1.0 if spec.has("(gone) weight bound") else 1.0
    if spec.has("amount count"):
        return (length + spec.has("count ~ uniform(0")) / count
    return (spec.high - spec.low) * hazard(spec, t)


def per_sequence(spec: zoo.Spec, count: int, length: int) -> float:
    """What a row's loss is divided by before the mean over rows."""
    return {"tokens": length, "masked": count, "gone": count}[spec.over.split()[0]] or 1


def amounts(spec: zoo.Spec, length: int) -> list[tuple[float, list[float]]]:
    """(t, the chance of every count): all noise levels; t is nan where the amount is a count."""
    if spec.has("amount count"):
        low = 1 if spec.has("count ~ uniform(1") else 0
        if length < low:
            return [(float("nan"), [1.0])]
        cells = length + 1 - low
        return [(float("nan"), [float(k >= low) / cells for k in range(length + 1)])]
    found = []
    for t, share in times(spec):
        p = 1 - spec.alpha(t)
        law = [comb(length, k) * p**k * (1 - p) ** (length - k) for k in range(length + 1)]
        found.append((t, [share * x for x in law]))
    return found


def mask_cost(
    spec: zoo.Spec, answer: Callable[[Row], np.ndarray], row: Row, free: list[int]
) -> float:
    """The expected loss of a row, the common denominator of the batch apart."""
    p = spec.kernel
    seen = (lambda state, i: near(state, i, p)) if p else (lambda *_: 1.0)
    costs, length = masked_costs(answer, row, free, seen), len(free)
    total = 0.0
    for t, law in amounts(spec, length):
        for k in range(1, length + 1):
            own = per_sequence(spec, k, length) if "per" in spec.over else 1
            total += law[k] * weight(spec, t, k, length) * costs[k] / own
    return total


def gone_cost(
    spec: zoo.Spec,
    logits: Mapping[Row, np.ndarray],
    odds: Mapping[Row, float],
    string: Row,
    around: tuple[Row, Row],
) -> tuple[float, float]:
    """The expected terms of a row: insertions and the decision to stop."""
    length, insertions, stops = len(string), 0.0, 0.0
    law = np.sum([chances for _, chances in amounts(spec, length)], 0)
    for left, _, missing in drops(string):
        n = len(missing)
        chance = law[n] / comb(length, n)
        state = around[0] + left + around[1]
        own = per_sequence(spec, n, length) if "per" in spec.over else 1
        z = -odds[state] if n == 0 else odds[state]
        bound = length + 1.0 if spec.has("(none gone) weight stop_scale * bound") else 1.0
        bound = length + 1.0 if spec.has("(none gone) weight bound") else bound
        bound *= share(spec, n == 0)
        stops += chance * bound * float(np.logaddexp(0, z)) / own
        if n:
            flat = normal(logits[state].reshape(1, -1))[0].reshape(logits[state].shape)
            at = len(around[0]) - 1
            cost = -sum(flat[at + gap, token] for gap, token in missing) / n
            insertions += chance * weight(spec, float("nan"), n, length) * float(cost) / own
    return insertions, stops


def share(spec: zoo.Spec, complete: bool) -> float:
    """How much a row counts for the decision to stop: as `balance` says, else 1."""
    found = re.search(r"balance = (\w[\w.]*)", spec.text)
    if found is None:
        return 1.0
    default = re.search(rf"param {found[1]} +: Chance = (\S+)", spec.text)
    value = float(default[1] if default else found[1])
    return value if complete else 1 - value


def over(package: Package, noised, batch) -> int:
    """What the sum of a batch is divided by, from the spec's words alone."""
    match package.spec.over:
        case "tokens":
            return max(1, int(batch.free.sum()))
        case over if package.spec.two and over.startswith(("masked", "gone")):
            assert len(batch.x0) == 1  # so that each row's own mean is the mean
            number = noised.masked if over.startswith("masked") else noised.missing
            return max(1, int(number.sum()))
        case "masked" | "gone":
            return max(1, int(noised.count.sum()))
        case "block":
            return len(batch.x0) * batch.room
        case _:
            return len(batch.x0)


def expected_terms(package: Package, network, body: Row) -> dict[str, torch.Tensor]:
    """The terms of the package's own loss for one example, summed over all that noise can do.

    Multiplied by the denominator of the batch, which is another's business.
    """
    batch = one(package, body)
    places = batch.free[0].nonzero()[:, 0].tolist()
    length, spec = len(places), package.spec
    totals: dict[str, torch.Tensor] = {}
    for t, law in amounts(spec, length):
        for k in range(length + 1):
            for taken in combinations(places, k):
                if not law[k]:
                    continue
                gone = torch.zeros_like(batch.free)
                gone[0, list(taken)] = True
                amount = torch.tensor([k]) if np.isnan(t) else torch.tensor([t]).double()
                noised = chosen(package, batch, amount, gone)
                losses = package.family.loss(network, noised, batch)
                assert torch.allclose(losses.total, sum(losses.terms.values()))
                share = law[k] / comb(length, k) * over(package, noised, batch)
                for name, term in losses.terms.items():
                    totals[name] = totals.get(name, torch.zeros(())) + share * term
    return totals


def row_of(package: Package, body: Row, layout: str = "text") -> tuple[Row, list[int]]:
    """The ids of a laid-out body and its places."""
    before, after = around(package, layout)
    return before + body + after, list(range(len(before), len(before) + len(body)))


def masked(row: Row, places: list[int]) -> Row:
    return tuple(MASK if i in places else x for i, x in enumerate(row))


assert VOCAB["mask"] == MASK
