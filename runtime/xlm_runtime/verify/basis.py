"""Time in a table: its rows at a few knots, and straight lines between them."""

from math import log

import torch

from xlm_runtime.shapes import Float, Int, Tensor

KNOTS = 11
_LEAST = 3e-3  # no knot is nearer to an end of the clock
_FIRST = 1e-6  # and no time below this is distinguished
_APART = 0.05  # knots closer than this on the scale of logits are one


class Basis:
    """Knots over the times of training, dense at both ends of the clock.

    Between knots rows change in a straight line on the scale log(t / (1 - t)), as chances do that
    vanish like powers of t or of 1 - t. Without times there is one knot.
    """

    def __init__(self, times: Float[Tensor, " times"] | None, number: int = KNOTS) -> None:
        self.parts, self.number = 1, number
        if times is None or number == 1:
            return
        self.reach = max(1.0, float(times.max()))
        shares = torch.sin(torch.linspace(0, torch.pi / 2, number, dtype=torch.float64)) ** 2
        places = self._place(torch.quantile(times.double(), shares)).clamp(min=_logit(_LEAST))
        kept = torch.cat([torch.ones(1, dtype=torch.bool), places.diff() > _APART])
        self.knots = places[kept]
        self.parts = len(self.knots)

    def __call__(
        self, times: Float[Tensor, " batch"]
    ) -> tuple[Int[Tensor, " batch"], Float[Tensor, " batch"]]:
        """Return the knot below each time, and the share of the one above.

        Below the first knot the share is negative, and chances go on vanishing like powers; above
        the last one nothing changes.
        """
        place = self._place(times)
        lower = (torch.searchsorted(self.knots, place) - 1).clamp(0, self.parts - 2)
        low, high = self.knots[lower], self.knots[lower + 1]
        return lower, ((place - low) / (high - low)).clamp(max=1)

    def _place(self, times: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
        return (times.double() / self.reach).clamp(_FIRST, 1 - _LEAST).logit()


def _logit(share: float) -> float:
    return log(share / (1 - share))
