"""From logits to tokens.

Every function takes logits with -inf at what may not be drawn, and leaves those at -inf.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import torch

from xlm_runtime.shapes import Float, Int, Tensor

LOGITS = 2**22  # that a function marked `by_chunk` takes at a time, if no place has more
F = TypeVar("F", bound=Callable[..., Tensor])


def by_chunk(function: F) -> F:
    """Let a function of the logits of places take so many at a time; its result is the same.

    What it makes on the way, sorted or in float64, is several times as large as what it takes.
    Tensors among its other arguments are of the places, too.
    """

    @wraps(function)
    def chunked(logits: Float[Tensor, "places vocab"], *more: Any, **options: Any) -> Tensor:
        size = max(1, LOGITS // logits.shape[-1])
        if len(logits) <= size:
            return function(logits, *more, **options)
        made: Tensor | None = None
        for i in range(0, len(logits), size):
            part = slice(i, i + size)
            own = [one[part] if isinstance(one, Tensor) else one for one in more]
            found = function(logits[part], *own, **options)
            made = found.new_empty(len(logits), *found.shape[1:]) if made is None else made
            made[part] = found
        return cast(Tensor, made)

    return cast(F, chunked)


def tempered_chance(odds: Float[Tensor, "*shape"], temperature: float) -> Float[Tensor, "*shape"]:
    """Return sigmoid(log-odds / temperature); 0 makes an event certain or impossible."""
    if temperature == 0:
        return (odds > 0).to(odds.dtype)
    return (odds.double() / temperature).sigmoid()


def tempered(
    logits: Float[Tensor, "places vocab"], temperature: float
) -> Float[Tensor, "places vocab"]:
    """Return logits / temperature, up to a constant of each place; unchanged at 0 and 1.

    In float64 and with the largest at 0, so that no temperature is too low.
    """
    if temperature in (0, 1):
        return logits
    logits = logits.double()
    return (logits - logits.amax(-1, keepdim=True)) / temperature


def keep_top_k(logits: Float[Tensor, "places vocab"], k: int) -> Float[Tensor, "places vocab"]:
    """Keep exactly the k likeliest outcomes (ties: the first); k = 0 keeps all."""
    if not 0 < k < logits.shape[-1]:
        return logits
    order = logits.argsort(dim=-1, descending=True, stable=True)
    return logits.scatter(-1, order[:, k:], -torch.inf)


def keep_top_p(logits: Float[Tensor, "places vocab"], p: float) -> Float[Tensor, "places vocab"]:
    """Keep the smallest set of likeliest outcomes whose chance is at least p.

    The outcome that crosses p is kept, and so the likeliest one always is (Holtzman et al. 2020,
    arXiv:1904.09751).
    """
    if p >= 1:
        return logits
    ordered, order = logits.sort(dim=-1, descending=True, stable=True)
    chance = ordered.double().softmax(-1)
    before = chance.cumsum(-1) - chance
    drop = before >= p
    drop[:, 0] = False
    return logits.masked_fill(torch.zeros_like(drop).scatter(-1, order, drop), -torch.inf)


@by_chunk
def categorical(
    logits: Float[Tensor, "places vocab"], u: Float[Tensor, " places"]
) -> Int[Tensor, " places"]:
    """Draw from softmax(logits) by inverting its distribution function at u in [0, 1).

    In float64: draws in low precision cut off the tail, which acts like a lower temperature.
    """
    cumulative = logits.double().softmax(-1).cumsum(-1)
    total = cumulative[:, -1]
    target = torch.minimum(u * total, total.nextafter(torch.zeros_like(total)))
    return torch.searchsorted(cumulative, target[:, None], right=True)[:, 0]


@by_chunk
def truncated(
    logits: Float[Tensor, "places vocab"],
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
) -> Float[Tensor, "places vocab"]:
    """Return the logits of the distribution for draws; not tempered at temperature 0."""
    return keep_top_p(keep_top_k(tempered(logits, temperature), top_k), top_p)


@by_chunk
def drawn(
    logits: Float[Tensor, "places vocab"],
    u: Float[Tensor, " places"],
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
) -> Int[Tensor, " places"]:
    """Draw for each place by u in [0, 1); at temperature 0 take the first of the likeliest."""
    if temperature == 0:
        return logits.argmax(-1)
    return categorical(truncated(logits, temperature, top_k, top_p), u)


@by_chunk
def confidence(
    logits: Float[Tensor, "places vocab"], token: Int[Tensor, " places"]
) -> Float[Tensor, " places"]:
    """Return the chance of the given token."""
    return logits.softmax(-1).gather(-1, token[:, None])[:, 0]


def likeliest(logits: Float[Tensor, "places vocab"]) -> Float[Tensor, " places"]:
    """Return the chance of the likeliest token."""
    return confidence(logits, logits.argmax(-1))


@by_chunk
def margin(logits: Float[Tensor, "places vocab"]) -> Float[Tensor, " places"]:
    """Return the chance of the likeliest token minus that of the second."""
    best = logits.softmax(-1).topk(2, dim=-1).values
    return best[:, 0] - best[:, 1]


@by_chunk
def negative_entropy(logits: Float[Tensor, "places vocab"]) -> Float[Tensor, " places"]:
    """Sum p log p, in nats: 0 where the token is certain."""
    entropy: Tensor = torch.special.entr(logits.softmax(-1)).sum(-1)
    return -entropy


def gumbel(u: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Convert uniform draws to standard Gumbel draws."""
    return -(-u.clamp(min=1e-300).log()).log()
