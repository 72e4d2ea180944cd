"""Random tokens: the cost of the rates at which they become clean, and a step.

With z the token at time t, x the clean one and alpha the chance that a token is still clean, the
token at t is y with the chance q(y) = alpha [y = x] + b(y); b is even over the ordinary tokens,
and beside them a mask may have some of it. Those that are drawn anew right at t become y with the
chance w(y). Running back in time, z becomes y at the rate of the hazard of alpha times

    r(y) = (1 - alpha) / alpha * w(z) q(y) / q(z),

and by the network, with its p(x) in the place of [y = x], at such a rate r^ of its own. The
bound is tight for the distribution of a token given all *others*: r^ adds the evidence of z itself.
"""

from typing import Any

import torch
from torch.nn import functional as F

from xlm_runtime.plug import Vocabulary
from xlm_runtime.shapes import Float, Int, Tensor

from .costs import Head, Logits, dense, exact_dense
from .randoms import LEAST, Level, ordinary
from .sampling import by_chunk, categorical, truncated

NEVER = 1e-300  # in the place of a chance of 0, whose logarithm is needed


def rates_cost(
    network: Any,
    head: Head,
    hidden: Float[Tensor, "places width"],
    xt: Int[Tensor, " places"],
    x0: Int[Tensor, " places"],
    level: Level,
    written: Float[Tensor, " places"],
    weight: Float[Tensor, " places"] | None = None,
) -> Float[Tensor, ""]:
    """Sum the divergences of rates over places, each times its weight."""
    vocab = network.vocab

    def cost(logits: Logits, part: slice) -> Float[Tensor, " places"]:
        return divergence(logits, xt[part], x0[part], level.at(part), written[part], vocab)

    return dense(network, head, hidden, cost, weight)


@torch.no_grad()
def exact_rates_cost(
    network: Any,
    head: Head,
    hidden: Float[Tensor, "places width"],
    xt: Int[Tensor, " places"],
    x0: Int[Tensor, " places"],
    level: Level,
    written: Float[Tensor, " places"],
) -> Float[Tensor, " places"]:
    """Return the divergence of the rates at each place in float64."""
    vocab = network.vocab

    def cost(logits: Logits, part: slice) -> Float[Tensor, " places"]:
        return divergence(logits, xt[part], x0[part], level.at(part), written[part], vocab)

    return exact_dense(network, head, hidden, cost)


def divergence(
    logits: Logits,
    xt: Int[Tensor, " places"],
    x0: Int[Tensor, " places"],
    level: Level,
    written: Float[Tensor, " places"],
    vocab: Vocabulary,
) -> Float[Tensor, " places"]:
    r"""Return the divergence of the rates back, in units of the hazard of alpha.

    .. math::

        \sum_{y \ne z} \hat r(y) - r(y) + r(y) \log \frac{r(y)}{\hat r(y)}
        = \frac{(1 - \alpha) \, w(z)}{\alpha \, q(z)} \big[ KL(q, \hat q)
        + \tfrac{q(z)}{\hat q(z)} - 1 - \log \tfrac{q(z)}{\hat q(z)} \big]

    ``written`` is the share of random tokens among those that are drawn anew at this time. The
    divergence is 0 where z is a token that noise makes of nothing (Schiff et al. 2025,
    arXiv:2412.10193; in this form von Ruette et al. 2025, arXiv:2503.04482).
    """
    random, lost = ordinary(vocab, xt.device), level.lost.double().clamp(LEAST**2, 1 - LEAST)
    alpha, even = 1 - lost, (level.random.double() / random.sum()).clamp(min=NEVER)
    log_r = alpha.log() - even.log()  # r = alpha / b(y), y being an ordinary token
    r, log_p = log_r.exp(), logits.log_softmax(-1)
    extra = _log1p_exp(log_r.to(log_p.dtype)[:, None] + log_p)  # log(q^(y) / b(y))
    spread = extra.masked_fill(~random, 0).sum(-1).double()
    log_x = _at(log_p, x0).double()
    known = (1 + r) * _log1p_exp(log_r) - r * _log1p_exp(log_r + log_x)
    relative = even * (torch.where(random[x0], known, -r * log_x) - spread)  # KL(q, q^)
    true = torch.where(xt == x0, _log1p_exp(log_r), 0)  # log(q(z) / b(z))
    ratio = true - _log1p_exp(log_r + _at(log_p, xt).double())  # log(q(z) / q^(z))
    unlike = torch.where(random[xt], ratio.expm1() - ratio, 0)
    token = written / random.sum() / (even * true.exp())  # w(z) / q(z), of a token and of a mask
    mask = (1 - written) / (level.lost - level.random)
    masked = xt == vocab.specials.get("mask", -1)
    rate = torch.where(random[xt], token, torch.where(masked, mask, 0))
    return lost / alpha * rate * (relative + unlike)


def _log1p_exp(x: Tensor) -> Tensor:
    """Return log(1 + exp(x))."""
    return -F.logsigmoid(-x)


def _at(values: Float[Tensor, "places vocab"], token: Int[Tensor, " places"]) -> Tensor:
    """Select from each place's values the one at its token id."""
    return values.gather(1, token[:, None])[:, 0]


@by_chunk
def revised(
    logits: Float[Tensor, "places vocab"],
    xt: Int[Tensor, " places"],
    u: Float[Tensor, " places"],
    *,
    now: Level,
    then: Level,
    vocab: Vocabulary,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
) -> Int[Tensor, " places"]:
    r"""Draw by u in [0, 1) the token at s < t of each place, given that at t.

    .. math::

        q(y) \propto \big(a \, [y = z] + b_t(z) - a \, b_s(z)\big)
        \big(\alpha_s \, p(y) + b_s(y)\big), \quad a = \alpha_t / \alpha_s

    b is the chance that a token has been drawn anew and is y since; ``now`` and ``then`` are the
    noise at t and s. The cuts and the temperature act on p (von Ruette et al. 2025,
    arXiv:2503.04482).
    """
    law = posterior(logits, xt, now, then, vocab, temperature, top_k, top_p)
    return categorical(law, u)


@by_chunk
def likeliest_revision(
    logits: Float[Tensor, "places vocab"],
    xt: Int[Tensor, " places"],
    *,
    now: Level,
    then: Level,
    vocab: Vocabulary,
) -> Int[Tensor, " places"]:
    """Return the likeliest of the tokens that `revised` draws; of equal ones the first."""
    return posterior(logits, xt, now, then, vocab).argmax(-1)


def posterior(
    logits: Float[Tensor, "places vocab"],
    xt: Int[Tensor, " places"],
    now: Level,
    then: Level,
    vocab: Vocabulary,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
) -> Float[Tensor, "places vocab"]:
    """Return the log-chances that `revised` draws from, up to a constant of each place."""
    cut = truncated(logits, temperature, 1 if temperature == 0 else top_k, top_p)
    at_t, at_s = (drawn_anew(level, vocab, xt.device) for level in (now, then))
    before = (1 - then.lost) * cut.double().softmax(-1) + at_s
    stays = (1 - now.lost) / (1 - then.lost)
    jump = (at_t - stays * at_s).clamp(min=0)[xt]
    held = F.one_hot(xt, logits.shape[-1]).double()
    law = (stays * held + jump[:, None]) * before
    return torch.where(jump[:, None] > 0, law, held).log()  # a token that noise cannot make stays


def drawn_anew(level: Level, vocab: Vocabulary, device: torch.device) -> Float[Tensor, " vocab"]:
    """Return the chances that a token has been drawn anew and is each one since."""
    random = ordinary(vocab, device)
    law = level.random * random.double() / random.sum()
    if "mask" in vocab.specials:
        law[vocab["mask"]] = level.lost - level.random
    return law
