"""How good a model is: its loss, its likelihood, and its answers.

The noise is a function of the example alone, so that every evaluation sees the same. Likelihoods
are exact averages over all examples; losses are those of batches, as in training, weighted by their
rows: where a family divides by the tokens of a batch, they depend a little on ``eval.batch``.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from math import exp, log

import torch

from xlm_runtime.model import Model
from xlm_runtime.plug import Example, Noise

SEED = 0x5EED  # of every evaluation, whatever the seed of the run
Tick = Callable[[int], object]


@torch.no_grad()
def losses(model: Model, examples: Iterable[Example], size: int) -> dict[str, float]:
    """The training loss and its terms: the mean of those of batches, weighted by their rows."""
    sums: dict[str, float] = defaultdict(float)
    count = 0
    for part, batch in model.batches(examples, size):
        found = model.loss(batch, Noise(SEED, batch.example))
        for name, value in {"loss": found.total, **found.terms}.items():
            sums[name] += float(value) * len(part)
        count += len(part)
    return {name: total / count for name, total in sums.items()}


def laid(model: Model) -> str:
    """How a text is laid out, such as ``bos [body] eos``: what is predicted stands in brackets."""
    specials = {token: role for role, token in model.vocabulary.specials.items()}
    token = int(model.vocabulary.allowed(()).nonzero()[0])
    batch = model.layout([Example(0, [token])])
    words = [specials.get(i, "body") for i in batch.x0[0].tolist()]
    parts = groupby(zip(words, batch.inside[0].tolist(), strict=True), lambda pair: pair[1])
    said = []
    for inside, pairs in parts:
        text = " ".join(word for word, _ in groupby(word for word, _ in pairs))
        said.append(f"[{text}]" if inside else text)
    return " ".join(said)


def shown(losses: Mapping[str, float]) -> dict[str, float]:
    """The losses worth showing: a single term is the loss itself."""
    return dict(losses) if len(losses) > 2 else {"loss": losses["loss"]}


def said(losses: Mapping[str, float]) -> str:
    """``loss 1.234  slot 1.2  done 0.034``."""
    return "  ".join(f"{name} {value:.4f}" for name, value in shown(losses).items())


@torch.no_grad()
def likelihood(
    model: Model, examples: Iterable[Example], size: int, draws: int, tick: Tick
) -> dict[str, float]:
    """The NELBO by the family's own estimate, averaged over ``draws`` draws of its noise, if any.

    In nats per example and per token (free, not padding), the perplexity per token, and bits.
    `Model.family.claim` says what it is; callers have seen that it is not ``none``.
    """
    if model.family.nelbo is None:
        raise ValueError(f"{model.family.name} has no likelihood: {model.family.claim.why}")
    draws = draws if model.family.corrupt is not None else 1
    nats, tokens, count = 0.0, 0, 0
    for part, batch in model.batches(examples, size):
        for draw in range(draws):
            found = model.family.nelbo(model.network, batch, Noise(SEED, batch.example, draw))
            nats += float(found.nats.double().sum()) / draws
        tokens += int(found.tokens.sum())
        count += len(part)
        tick(count)
    per_token = nats / max(tokens, 1)
    return {
        "nats_per_example": nats / count,
        "nats_per_token": per_token,
        "bits_per_token": per_token / log(2),
        "perplexity": exp(min(per_token, 700.0)),
    }
