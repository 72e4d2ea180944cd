"""How a table's answers may change with the time that a network is told."""

import torch

from xlm_runtime.shapes import Float, Tensor

_LEAST = 3e-3


class Basis:
    """Few smooth functions of what a network is told, orthonormal over the times of training.

    A constant, a straight line and a parabola, and the logarithms with which chances vanish at
    the ends of the clock. Without times there is the constant alone.
    """

    def __init__(self, times: Float[Tensor, " times"] | None) -> None:
        self.parts = 1
        if times is None:
            return
        self.low, self.high = float(times.min()), float(times.max())
        raw = self._raw(times)
        self.parts = raw.shape[1]
        self.turn = torch.linalg.inv(torch.linalg.qr(raw).R) * len(times) ** 0.5

    def __call__(self, times: Float[Tensor, " batch"]) -> Float[Tensor, "batch parts"]:
        """The functions at some times; beyond those of training they stay what they are there."""
        found: Tensor = self._raw(times.clamp(self.low, self.high)) @ self.turn
        return found

    def _raw(self, times: Float[Tensor, " batch"]) -> Float[Tensor, "batch parts"]:
        reach = max(1.0, self.high)
        near = (times.double() / reach).clamp(_LEAST, 1 - _LEAST)
        return torch.stack(
            [torch.ones_like(near), near, near**2, near.log(), (1 - near).log()], dim=1
        )
