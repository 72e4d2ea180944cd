"""Ticks: the times of a decoder's steps, each from a time t to an earlier time s."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import repeat

import torch

from xlm_runtime.shapes import Float, Tensor


@dataclass(frozen=True)
class Tick:
    """The times of one step, from t to s; ``left`` steps are left, this one included."""

    t: Float[Tensor, "*rows"]
    s: Float[Tensor, "*rows"]
    left: int = 0

    def at(self, t: Float[Tensor, " batch"]) -> "Tick":
        """Return this tick at the times ``t``, one for each row; s equals t."""
        return replace(self, t=t, s=t)

    def select(self, rows: Tensor) -> "Tick":
        """Return the tick of some rows."""
        return replace(self, t=self.t[rows], s=self.s[rows]) if self.t.ndim else self


def end(device: torch.device) -> Tick:
    """Return the tick at time 0."""
    now = torch.zeros((), dtype=torch.float64, device=device)
    return Tick(now, now)


def endless(device: torch.device) -> Iterator[Tick]:
    """Return ticks at time 0 without end: a step is taken while a row is active."""
    return repeat(end(device))


def still(t: float, times: int, device: torch.device) -> Iterator[Tick]:
    """Return ticks at one time, behind the last step of a grid: no step is left."""
    now = torch.full((), t, dtype=torch.float64, device=device)
    return repeat(Tick(now, now), times)


def uniform(steps: int, device: torch.device) -> Iterator[Tick]:
    """Return the ticks of a uniform grid of times from 1 to 0."""
    index = torch.arange(steps + 1, dtype=torch.float64, device=device)
    grid = 1 - index / steps
    return (Tick(grid[i], grid[i + 1], steps - i) for i in range(steps))
