"""Random tokens: the cost of the rates at which they become clean, and a step.

With z the token at time t, x the clean one, K the number of ordinary tokens and
b = (1 - alpha) / K, a token is y with the chance q(y) = alpha [y = x] + b [y is ordinary]. Running
back in time, z becomes y at the rate of the hazard of alpha times

    r(y) = (b / alpha) q(y) / q(z),

and by the network, with its p(x) in the place of [y = x], at such a rate r^ of its own. The
bound is tight for the law of a token given all *others*: r^ adds the evidence of z itself.
"""

from typing import Any

import torch
from torch.nn import functional as F

from xlm_runtime.plug import Vocabulary
from xlm_runtime.shapes import Bool, Float, Int, Tensor

from .costs import Head, Logits, chunks, summed
from .sampling import by_chunk, categorical, truncated

LEAST = 1e-6  # of alpha and 1 - alpha, beside which costs vanish or stay as they are


def ordinary(vocab: Vocabulary, device: torch.device) -> Bool[Tensor, " vocab"]:
    """Mark the ids that a random token may have: all but those of special ones."""
    return vocab.allowed(()).to(device)


def random_tokens(vocab: Vocabulary, u: Float[Tensor, "*shape"]) -> Int[Tensor, "*shape"]:
    """Draw ordinary tokens, each as likely, by u in [0, 1)."""
    ids = vocab.allowed(()).nonzero()[:, 0].to(u.device)
    return ids[(u * len(ids)).long()]


def rates_cost(
    network: Any,
    head: Head,
    hidden: Float[Tensor, "places width"],
    xt: Int[Tensor, " places"],
    x0: Int[Tensor, " places"],
    lost: Float[Tensor, " places"],
    weight: Float[Tensor, " places"] | None = None,
) -> Float[Tensor, ""]:
    """Sum the divergences of rates over places, each times its weight; ``lost`` is 1 - alpha."""
    parts, random = chunks(len(hidden), network.vocab.size), ordinary(network.vocab, hidden.device)
    share = torch.ones_like(lost) if weight is None else weight

    def cost(i: int, logits: Logits) -> Float[Tensor, ""]:
        part = parts[i]
        found = divergence(logits, xt[part], x0[part], lost[part], random)
        return (share[part] * found).sum().to(logits.dtype)

    def descend(i: int, logits: Logits) -> Float[Tensor, ""]:
        with torch.enable_grad():
            some = logits.detach().requires_grad_()
            found = cost(i, some)
        logits.copy_(torch.autograd.grad(found, some)[0])
        return found.detach()

    if len(parts) == 1:
        return cost(0, head(hidden))
    return summed(network, head, descend, hidden, parts)


@torch.no_grad()
def exact_rates_cost(
    network: Any,
    head: Head,
    hidden: Float[Tensor, "places width"],
    xt: Int[Tensor, " places"],
    x0: Int[Tensor, " places"],
    lost: Float[Tensor, " places"],
) -> Float[Tensor, " places"]:
    """Return the divergence of the rates at each place in float64; ``lost`` is 1 - alpha."""
    random = ordinary(network.vocab, hidden.device)
    costs = [
        divergence(head(hidden[part]).double(), xt[part], x0[part], lost[part], random)
        for part in chunks(len(hidden), network.vocab.size)
    ]
    return torch.cat(costs)


def divergence(
    logits: Logits,
    xt: Int[Tensor, " places"],
    x0: Int[Tensor, " places"],
    lost: Float[Tensor, " places"],
    random: Bool[Tensor, " vocab"],
) -> Float[Tensor, " places"]:
    r"""Return the divergence of the rates back, in units of the hazard of alpha.

    .. math::

        \sum_{y \ne z} \hat r(y) - r(y) + r(y) \log \frac{r(y)}{\hat r(y)}
        = \frac{b}{\alpha \, q(z)} \big[ KL(q, \hat q)
        + \tfrac{q(z)}{\hat q(z)} - 1 - \log \tfrac{q(z)}{\hat q(z)} \big]

    It is 0 where z is no ordinary token, which noise makes of nothing (Schiff et al. 2025,
    arXiv:2412.10193; in this form von Ruette et al. 2025, arXiv:2503.04482).
    """
    lost = lost.double().clamp(LEAST**2, 1 - LEAST)
    size, odds = random.sum(), (1 - lost) / lost
    r = odds * size  # alpha / b
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    extra = (r.to(p.dtype)[:, None] * p).log1p()  # log(q^ / b) at ordinary tokens
    spread = extra.masked_fill(~random, 0).sum(-1).double()
    log_x = _at(log_p, x0).double()
    seen = (r * log_x.exp()).log1p()
    known = torch.where(random[x0], (1 + r) * r.log1p() - r * seen, -r * log_x)
    relative = known - spread  # KL(q, q^) / b
    true = torch.where(xt == x0, r, 0).log1p()
    ratio = true - (r * _at(p, xt).double()).log1p()  # log(q(z) / q^(z))
    unlike = (ratio.expm1() - ratio) * size / lost  # the same, over b
    cost = (relative + unlike) / (r * true.exp())
    return torch.where(random[xt], cost, 0)


def _at(values: Float[Tensor, "places vocab"], token: Int[Tensor, " places"]) -> Tensor:
    """Return the value of the token of each place."""
    return values.gather(1, token[:, None])[:, 0]


@by_chunk
def revised(
    logits: Float[Tensor, "places vocab"],
    xt: Int[Tensor, " places"],
    u: Float[Tensor, " places"],
    *,
    now: Float[Tensor, ""],
    then: Float[Tensor, ""],
    random: Bool[Tensor, " vocab"],
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
) -> Int[Tensor, " places"]:
    r"""Draw by u in [0, 1) the token at s < t of each place, given that at t.

    .. math::

        q(y) \propto \big(a \, [y = z] + (1 - a) \pi(z)\big)
        \big(\alpha_s \, p(y) + (1 - \alpha_s) \pi(y)\big), \quad a = \alpha_t / \alpha_s

    pi is even over ordinary tokens; ``now`` and ``then`` are 1 - alpha at t and s. The cuts and the
    temperature act on p (Schiff et al. 2025, arXiv:2412.10193).
    """
    law = posterior(logits, xt, now, then, random, temperature, top_k, top_p)
    return categorical(law, u)


@by_chunk
def likeliest_revision(
    logits: Float[Tensor, "places vocab"],
    xt: Int[Tensor, " places"],
    *,
    now: Float[Tensor, ""],
    then: Float[Tensor, ""],
    random: Bool[Tensor, " vocab"],
) -> Int[Tensor, " places"]:
    """Return the likeliest of the tokens that `revised` draws; of equal ones the first."""
    return posterior(logits, xt, now, then, random).argmax(-1)


def posterior(
    logits: Float[Tensor, "places vocab"],
    xt: Int[Tensor, " places"],
    now: Float[Tensor, ""],
    then: Float[Tensor, ""],
    random: Bool[Tensor, " vocab"],
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
) -> Float[Tensor, "places vocab"]:
    """Return the log of the law that `revised` draws from, up to a constant of each place."""
    cut = truncated(logits, temperature, 1 if temperature == 0 else top_k, top_p)
    p, even = cut.double().softmax(-1), random.double() / random.sum()
    before = (1 - then) * p + then * even
    stays = (1 - now) / (1 - then)
    jump = (now - then) / (1 - then) * even[xt]
    stay = F.one_hot(xt, logits.shape[-1]) * stays
    return ((stay + jump[:, None]) * before).log()
