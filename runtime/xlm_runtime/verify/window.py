"""The part of the clock over which the likelihood of two clocks is compared."""

import torch
from attrs import evolve, frozen

from xlm_runtime.shapes import Bool, Float, Tensor
from xlm_runtime.verify.bench import Bench, pick, source
from xlm_runtime.verify.slack import fates

RARE = 0.05  # of the tokens are changed before the window: no data fits what is as rare
_HALVINGS = 30


@frozen
class Window:
    """A range of times, and of what a network is given for them."""

    low: float
    high: float
    given: tuple[float, float]
    why: str = f"earlier, with less than {RARE:.0%} of the tokens changed, nothing is compared"

    def holds(self, times: Float[Tensor, " batch"] | None) -> Bool[Tensor, " batch"]:
        """Select the rows whose network input is in the range."""
        assert times is not None
        found: Tensor = (times >= self.given[0]) & (times <= self.given[1])
        return found

    def __str__(self) -> str:
        return f"t from {self.low:.4g} to {self.high:.4g} ({self.why})"


def window(bench: Bench) -> Window | None:
    """Return the times that training draws, but for the earliest; None without a time.

    The earliest are those at which less than `RARE` of the tokens are masked or gone.
    """
    found = _drawn(bench)
    return None if found is None else _window(bench, max(_earliest(bench), found[0]), found[1])


def trained(bench: Bench) -> Window | None:
    """Return the times that training draws; None without a time."""
    found = _drawn(bench)
    if found is None:
        return None
    why = "which training draws: at no earlier time the cost is below 0"
    return evolve(_window(bench, *found), why=why)


def _drawn(bench: Bench) -> tuple[float, float] | None:
    """Return the first and the last time that training draws; None without a time."""
    if not bench.timed():
        return None
    batch = bench.weighted(1)
    drawn = bench.family.amount(batch, source(batch, bench.settings.seed))  # type: ignore[misc]
    return (float(drawn.min()), float(drawn.max())) if drawn.is_floating_point() else None


def _window(bench: Bench, low: float, high: float) -> Window:
    low, high = max(round(low, 3), 1e-3), min(1.0, -(-high * 1000 // 1) / 1000)
    return Window(low, high, (_given(bench, low), _given(bench, high)))


def _earliest(bench: Bench) -> float:
    """Return the time at which `RARE` of the tokens are changed, by halving."""
    alpha, beta = bench.family.clocks
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if 1 - fates(alpha, beta, middle)[0] < RARE:
            low = middle
        else:
            high = middle
    return high


@torch.no_grad()
def _given(bench: Bench, t: float) -> float:
    """Return the network's input at a time, by training on one row."""
    batch = pick(bench.weighted(1), torch.arange(1))
    amount = torch.full((1,), t, dtype=torch.float64)
    noise = source(batch, bench.settings.seed)
    noised = bench.family.noised(batch, amount, noise, bench.vocab, bench.table.network)
    bench.loss(bench.table, noised, batch)
    assert bench.table.heard is not None
    return float(bench.table.heard[0])
