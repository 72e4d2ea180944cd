"""Evaluation of a model: its loss, its likelihood, and its answers.

The noise is a function of the example alone, so that every evaluation sees the same. Likelihoods
are exact averages over all examples; losses are those of one batch of all examples, whatever
``eval.batch`` is.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from math import exp, log, nan, sqrt
from typing import Any

import torch

from xlm_runtime.data.length_law import LAW, Lengths, conditions, joint
from xlm_runtime.model import nelbo
from xlm_runtime.model.model import Model
from xlm_runtime.model.nelbo import SEED, Tick
from xlm_runtime.plug import Batch, Example, Noise


class Total:
    """The training loss and its terms, of batches as one."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = defaultdict(float)
        self._over = 0

    @torch.no_grad()
    def add(self, model: Model, batch: Batch) -> None:
        """Add a batch, under the noise of every evaluation."""
        found = model.loss(batch, Noise(SEED, batch.example))
        for name, value in {"loss": found.total, **found.terms}.items():
            self._sums[name] += float(value) * int(found.over)
        self._over += int(found.over)

    def means(self) -> dict[str, float]:
        """Return the losses of all that was added."""
        return {name: total / max(self._over, 1) for name, total in self._sums.items()}


def losses(model: Model, examples: Iterable[Example], size: int) -> dict[str, float]:
    """Return the training loss and its terms, of all examples as one batch."""
    total = Total()
    for _, batch in model.batches(examples, size):
        total.add(model, batch)
    return total.means()


def laid(model: Model, cut: bool = False) -> str:
    """Describe the layout of an example: ``prompt bos [body eos] keeping given``.

    Brackets enclose the predicted part. A text that is ``cut`` has no end.
    """
    specials = {token: role for role, token in model.vocabulary.specials.items()}
    body, prompt = model.vocabulary.allowed(()).nonzero()[:2, 0].tolist()
    size = model.body if cut else min(2, model.body)
    given = [place == 0 for place in range(size)]
    batch = model.layout([Example(0, [body] * size, [prompt], given, cut=cut)])
    words = [{body: "body", prompt: "prompt", **specials}[i] for i in batch.x0[0].tolist()]
    parts = groupby(zip(words, batch.inside[0].tolist(), strict=True), lambda pair: pair[1])
    said = []
    for inside, pairs in parts:
        text = " ".join(word for word, _ in groupby(word for word, _ in pairs))
        said.append(f"[{text}]" if inside else text)
    if not batch.free[batch.inside].all():
        said.append("keeping prefix" if model.layout.begins else "keeping given")
    return " ".join(said)


def shown(losses: Mapping[str, float]) -> dict[str, float]:
    """Return the losses to print: a single term is the loss itself."""
    return dict(losses) if len(losses) > 2 else {"loss": losses["loss"]}


def said(losses: Mapping[str, float]) -> str:
    """Format losses: ``loss 1.234  slot 1.2  done 0.034``."""
    return "  ".join(f"{name} {value:.4f}" for name, value in shown(losses).items())


def likelihood(
    model: Model,
    examples: Sequence[Example],
    size: int,
    draws: int,
    tick: Tick,
    lengths: Sequence[int],
) -> dict[str, Any]:
    """Estimate the NELBO with the family's own estimator, averaged over its noise, if any.

    In nats per example and per token, the perplexity per token, and bits; with counts and with
    standard errors over examples, which include the noise: of ratios, and by the delta method of
    the perplexity. Every family counts the same tokens: those of the body that are not given, and
    no special; the end of a text adds nats and no token. ``estimator`` names the average: over all
    noise if few tokens are free, else over ``draws`` of it; ``given`` is the condition. If that is
    the length, ``joint`` has the numbers of a text and its length, by the distribution of the
    training ``lengths``: they compare with those of other families. `Model.family.claim` names
    their relation to -log p; callers have checked that it is not ``none``.
    """
    every = nelbo.enumerable(model, examples, size)
    made = nelbo.estimate(model, examples, size, draws, tick, every=every)
    tokens = [len(example.body) - sum(example.given) for example in examples]
    measured = {**_likelihood(made.nats, tokens), "estimator": made.estimator}
    law = Lengths(lengths, model.body)
    return measured | _with_lengths(model, examples, law, made.nats, tokens)


def _with_lengths(
    model: Model, examples: Sequence[Example], law: Lengths, nats: list[float], tokens: list[int]
) -> dict[str, Any]:
    """Return the condition of a likelihood, and the joint likelihood if it differs."""
    cuts = law.cuts or any(example.cut for example in examples)
    given = conditions(model.layout.given, cuts)
    more = joint(model.layout.given, law, examples)
    if more is None:
        return {"given": given}
    whole = [a + b for a, b in zip(nats, more, strict=True)]
    known = [name for name in model.layout.given if name not in ("length", "end")]
    said = {"given": conditions(known, cuts), "lengths": LAW}
    return {"given": given, "joint": {**_likelihood(whole, tokens), **said}}


def _likelihood(nats: Sequence[float], tokens: Sequence[int]) -> dict[str, float]:
    """Return the nats of examples in every unit, each with its standard error and count."""
    per_example, per_token = ratio(nats, [1] * len(nats)), ratio(nats, tokens)
    perplexity = exp(min(per_token[0], 700.0))
    bits = per_token[0] / log(2), per_token[1] / log(2)
    found: dict[str, float] = {}
    for name, (value, error), count in (
        ("nats_per_example", per_example, len(nats)),
        ("nats_per_token", per_token, sum(tokens)),
        ("bits_per_token", bits, sum(tokens)),
        ("perplexity", (perplexity, perplexity * per_token[1]), sum(tokens)),
    ):
        found |= {name: value, f"{name}_error": error, f"{name}_count": count}
    return found


def sections(found: Mapping[str, Any], claim: str) -> list[tuple[dict[str, float], str]]:
    """Return the numbers of a likelihood with their description, those given its length first.

    A number is joint if no length is given, so that it compares with the joint ones of other
    families.
    """
    made = []
    for name, part in (("", found), ("joint ", found.get("joint", {}))):
        numbers = {
            f"{name}{key}": part[key] for key in part if not isinstance(part[key], str | dict)
        }
        made.append((numbers, ", ".join(filter(None, (claim, part.get("given", ""))))))
    return made


def ratio(m: Sequence[float], d: Sequence[float]) -> tuple[float, float]:
    """Return the ratio of two sums over examples, and its standard error (see `metrics.ratio`)."""
    n, below = len(m), sum(d) or 1
    value = sum(m) / below
    spread = sum((a - value * b) ** 2 for a, b in zip(m, d, strict=True))
    return value, sqrt(n / (n - 1) * spread) / below if n > 1 else nan
