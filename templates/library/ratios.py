"""Ratios of chances: the score entropy, and the steps that they give.

A head of ratios answers for a place with the logarithms of s(y) = q(y) / q(z), how many times
likelier the token y is there at time t than z, the one that is there. At a mask they are in units
of alpha / (1 - alpha), in which the true ones are the distribution of the clean token.

Running back in time, z becomes y at the rate at which noise leads from y to z, times s(y) (Lou et
al. 2024, arXiv:2310.16834).
"""

from typing import Any

import torch
from torch.nn import functional as F

from xlm_runtime.plug import Vocabulary
from xlm_runtime.shapes import Float, Int, Tensor

from .costs import Head, Logits, dense, exact_dense
from .randoms import LEAST, ordinary
from .sampling import by_chunk, categorical


def ratios_cost(
    network: Any,
    head: Head,
    hidden: Float[Tensor, "places width"],
    target: Int[Tensor, " places"],
    weight: Float[Tensor, " places"] | None = None,
) -> Float[Tensor, ""]:
    """Sum the score entropies of masks, each times its weight."""
    return dense(network, head, hidden, lambda s, part: of_masks(s, target[part]), weight)


@torch.no_grad()
def exact_ratios_cost(
    network: Any,
    head: Head,
    hidden: Float[Tensor, "places width"],
    target: Int[Tensor, " places"],
) -> Float[Tensor, " places"]:
    """Return the score entropy of each mask in float64."""
    return exact_dense(network, head, hidden, lambda s, part: of_masks(s, target[part]))


def of_masks(log_s: Logits, x0: Int[Tensor, " places"]) -> Float[Tensor, " places"]:
    """Return the score entropy of masks, in units of the hazard: sum of s, less 1 + log s(x0)."""
    return log_s.exp().sum(-1) - 1 - _at(log_s, x0)


def random_ratios_cost(
    network: Any,
    head: Head,
    hidden: Float[Tensor, "places width"],
    xt: Int[Tensor, " places"],
    x0: Int[Tensor, " places"],
    lost: Float[Tensor, " places"],
    weight: Float[Tensor, " places"] | None = None,
) -> Float[Tensor, ""]:
    """Sum the score entropies of tokens that may be random, each times its weight."""
    vocab = network.vocab

    def cost(log_s: Logits, part: slice) -> Float[Tensor, " places"]:
        return of_random(log_s, xt[part], x0[part], lost[part], vocab)

    return dense(network, head, hidden, cost, weight)


@torch.no_grad()
def exact_random_ratios_cost(
    network: Any,
    head: Head,
    hidden: Float[Tensor, "places width"],
    xt: Int[Tensor, " places"],
    x0: Int[Tensor, " places"],
    lost: Float[Tensor, " places"],
) -> Float[Tensor, " places"]:
    """Return the score entropy of each token that may be random in float64."""
    vocab = network.vocab

    def cost(log_s: Logits, part: slice) -> Float[Tensor, " places"]:
        return of_random(log_s, xt[part], x0[part], lost[part], vocab)

    return exact_dense(network, head, hidden, cost)


def of_random(
    log_s: Logits,
    xt: Int[Tensor, " places"],
    x0: Int[Tensor, " places"],
    lost: Float[Tensor, " places"],
    vocab: Vocabulary,
) -> Float[Tensor, " places"]:
    r"""Return the score entropy of tokens that may be random, in units of the hazard.

    .. math::

        \frac{1 - \alpha}{\alpha K} \sum_{y \ne z} s(y) - r(y) + r(y) \log \frac{r(y)}{s(y)},
        \quad r(y) = \frac{q(y)}{q(z)}

    q is the distribution of a token at t given the clean one: a share ``lost`` of it is even over
    the K ordinary tokens. It is 0 where z is a token that noise makes of nothing.
    """
    random, lost = ordinary(vocab, xt.device), lost.double().clamp(LEAST**2, 1 - LEAST)
    alpha, number = 1 - lost, random.sum()
    even, same = lost / number, xt == x0
    here = even + alpha * same  # q(z)
    true = (alpha + even * random[x0]) / here  # r(x0)
    other = even / here  # and that of each of the others
    others = number - 1 - (random[x0] & ~same).long()
    known = others * (other.log() - 1) * other + torch.where(same, 0, true * (true.log() - 1))
    shown = log_s.masked_fill(~random, 0).sum(-1).double() - _at(log_s, xt).double()
    at_x0 = torch.where(same, 0, _at(log_s, x0).double())
    shown = shown - torch.where(random[x0], at_x0, 0)
    guessed = log_s.exp().sum(-1).double() - _at(log_s, xt).exp().double()
    cost = guessed + known - other * shown - true * at_x0
    return torch.where(random[xt], lost / alpha / number * cost, 0)


def _at(values: Float[Tensor, "places vocab"], token: Int[Tensor, " places"]) -> Tensor:
    """Return the value of the token of each place."""
    return values.gather(1, token[:, None])[:, 0]


@by_chunk
def returned(
    log_s: Float[Tensor, "places vocab"],
    u: Float[Tensor, " places"],
    rate: Float[Tensor, " places"],
    s: Float[Tensor, " places"],
    mask: int,
) -> Int[Tensor, " places"]:
    """Draw by u in [0, 1) what each mask is at time s: a token, or a mask still.

    It is y with the chance ``rate`` times s(y); at time 0 no mask is left.
    """
    law = log_s.double() + rate.log()[:, None]
    stays = torch.where(s > 0, 1 - law.exp().sum(-1), 0).clamp(min=0)
    law[:, mask] = stays.log()
    return categorical(law, u)


@by_chunk
def changed(
    log_s: Float[Tensor, "places vocab"],
    xt: Int[Tensor, " places"],
    u: Float[Tensor, " places"],
    *,
    kept: Float[Tensor, ""],
    vocab: Vocabulary,
) -> Int[Tensor, " places"]:
    """Draw by u in [0, 1) the token at s < t of each place: see `analytic`."""
    return categorical(analytic(log_s, xt, kept, vocab).log(), u)


def analytic(
    log_s: Float[Tensor, "places vocab"],
    xt: Int[Tensor, " places"],
    kept: Float[Tensor, ""],
    vocab: Vocabulary,
) -> Float[Tensor, "places vocab"]:
    r"""Return the chances of the token at s < t, given that at t, up to a factor of each place.

    .. math::

        \Big(s(y) - \frac{1 - a}{K} \sum_v s(v)\Big) \Big(a \, [y = z] + \frac{1 - a}{K}\Big),
        \quad a = \frac{\alpha_t}{\alpha_s}

    The first factor undoes the noise between s and t, and is cut at 0. ``kept`` is a. A token that
    noise makes of nothing stays.
    """
    random = ordinary(vocab, xt.device)
    held = F.one_hot(xt, log_s.shape[-1]).double()
    ratio = torch.where(held > 0, 1, log_s.double().exp())
    anew = (1 - kept) * random / random.sum()
    before = ratio - anew * ratio.sum(-1, keepdim=True)
    law = before.clamp(min=0) * (kept * held + anew[xt][:, None])
    return torch.where(random[xt][:, None], law, held)


@by_chunk
def stepped(
    log_s: Float[Tensor, "places vocab"],
    xt: Int[Tensor, " places"],
    u: Float[Tensor, " places"],
    *,
    rate: Float[Tensor, ""],
    vocab: Vocabulary,
) -> Int[Tensor, " places"]:
    """Draw by u in [0, 1) the token of each place after a step of Euler: see `euler`."""
    return categorical(euler(log_s, xt, rate, vocab).log(), u)


def euler(
    log_s: Float[Tensor, "places vocab"],
    xt: Int[Tensor, " places"],
    rate: Float[Tensor, ""],
    vocab: Vocabulary,
) -> Float[Tensor, "places vocab"]:
    """Return the chances of the token after a step at the rates of its start, up to a factor.

    It becomes y with the chance ``rate`` s(y) / K, and stays with the rest, which is cut at 0.
    """
    random = ordinary(vocab, xt.device)
    held = F.one_hot(xt, log_s.shape[-1]).double()
    moved = torch.where(held > 0, 0, rate / random.sum() * log_s.double().exp())
    law = moved + held * (1 - moved.sum(-1, keepdim=True)).clamp(min=0)
    return torch.where(random[xt][:, None], law, held)
