"""Fates of tokens by clocks with scales: at a time each is clean, a mask or gone."""

from dataclasses import dataclass

import torch

from xlm_runtime.shapes import Float, Int, Tensor

CLEAN = 0
MASKED = 1
GONE = 2
LATE = 3e-3  # of hazards until t = 1: below it the chance to be clean is computed by its series


@dataclass(frozen=True)
class Scales:
    """Scales of the clocks of tokens: factors on their hazards at a scale of 1, back from t = 1.

    unmasking: of a mask to become clean. insertion: of a gone token to return as a mask.
    """

    unmasking: Float[Tensor, "batch length"]
    insertion: Float[Tensor, "batch length"]


def chances(u: Float[Tensor, "batch 1"], scales: Scales) -> Float[Tensor, "fates batch length"]:
    r"""Return the chances of each token to be clean, a mask and gone.

    ``u``: the chance at a scale of 1 that a clock has not fired yet. With w the scale of unmasking
    and v that of insertion:

    .. math::

        P(\mathrm{gone}) = u^v, \qquad
        P(\mathrm{mask}) = v \, \frac{u^w - u^v}{v - w} \; \to \; -u^v \log u^v
        \;\; (w \to v)

    In forms of which none cancels: those of the hazards a and b until t = 1, in w and v.
    """
    still = u.double().clamp(min=1e-300).log()
    a, b = -scales.unmasking * still, -scales.insertion * still
    gone = (-b).exp()
    masked = b * (-torch.minimum(a, b)).exp() * mean_decay((a - b).abs())
    series = a * b / 2 * (1 - (a + b) / 3 + (a * a + a * b + b * b) / 12)
    clean = torch.where(a + b < LATE, series, 1 - gone - masked)
    return torch.stack([clean, masked, gone])


def mean_decay(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Return (1 - exp(-x)) / x, the mean of exp from -x to 0, which is 1 at 0."""
    small = x < 1e-4
    near = 1 - x / 2 + x * x / 6
    return torch.where(small, near, -torch.expm1(-x) / torch.where(small, 1, x))


def drawn_fates(
    chance: Float[Tensor, "fates batch length"], u: Float[Tensor, "batch length"]
) -> Int[Tensor, "batch length"]:
    """Draw the fate of each token by u in [0, 1): CLEAN, MASKED or GONE."""
    return (u < chance[GONE]).long() + (u < chance[GONE] + chance[MASKED]).long()
