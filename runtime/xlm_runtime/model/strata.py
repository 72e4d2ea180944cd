"""Draws of one example that cover all possible ones evenly, so that their mean varies less.

Two streams of noise determine a family's likelihood of an example: ``amount``, one draw for the
amount of noise, and ``corrupt``, one draw for each place: places with low ones are corrupted
first. For any family, the mean over strata, each weighted by its chance and drawn from within, has
the expectation of independent draws.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations

import torch

from xlm_runtime.plug import Batch
from xlm_runtime.plug.noise import BELOW, Noise
from xlm_runtime.shapes import Bool, Float, Int, Tensor

FEW = 6  # free tokens of whose sets, 2 to the power of their number, none is left out
Stratum = tuple[float, float, float, tuple[int, ...]]
Draws = Iterator[tuple[Noise, Float[Tensor, " batch"]]]


@dataclass(frozen=True)
class Spread(Noise):
    """One of ``draws`` sources, whose amounts lie in equal parts of the unit interval, one each."""

    draws: int = 1

    def uniform(
        self, stream: str, positions: int | Int[Tensor, "batch positions"] = 1
    ) -> Float[Tensor, "batch positions"]:
        """Return the draws of `Noise`; those of the amount lie within this draw's stratum."""
        u = super().uniform(stream, positions)
        return ((self.step + u) / self.draws).clamp(max=BELOW) if stream == "amount" else u


@dataclass(frozen=True, kw_only=True)
class Within(Noise):
    """Amounts between ``low`` and ``high``; places of lower ``group`` are noised before others."""

    low: Float[Tensor, " batch"]
    high: Float[Tensor, " batch"]
    group: Float[Tensor, "batch length"]
    free: Bool[Tensor, "batch length"]

    def uniform(
        self, stream: str, positions: int | Int[Tensor, "batch positions"] = 1
    ) -> Float[Tensor, "batch positions"]:
        """Return the draws of `Noise`; those of free places are permuted within the stratum."""
        u = super().uniform(stream, positions)
        if stream == "amount":
            width = self.high - self.low
            return (self.low + width * u[:, 0]).minimum(self.high - 2.0**-50)[:, None]
        if stream != "corrupt":
            return u
        order = torch.where(self.free, self.group + u, torch.inf).argsort(1)
        ranked = torch.where(self.free, u, torch.inf).sort(1).values
        return torch.where(self.free, torch.empty_like(u).scatter(1, order, ranked), u)


@dataclass(frozen=True)
class _Heard(Noise):
    """Noise that records the names under which it is drawn."""

    streams: set[str] = field(default_factory=set)

    def uniform(
        self, stream: str, positions: int | Int[Tensor, "batch positions"] = 1
    ) -> Float[Tensor, "batch positions"]:
        self.streams.add(stream)
        return super().uniform(stream, positions)


def streams(read: Callable[[Noise], object], batch: Batch) -> set[str]:
    """Return the names under which a likelihood draws its noise."""
    noise = _Heard(0, batch.example)
    read(noise)
    return noise.streams


def spread(seed: int, batch: Batch, draws: int) -> Draws:
    """Yield noise sources for a batch, with the weight of each."""
    weight = torch.full((len(batch.x0),), 1 / draws, dtype=torch.float64, device=batch.x0.device)
    for draw in range(draws):
        yield Spread(seed, batch.example, draw, draws=draws), weight


def every(seed: int, batch: Batch) -> Draws:
    """Yield a source for every number and set of noised places, with its chance for each row.

    Rows of fewer free tokens than others have fewer of them: the rest has chance 0.
    """
    lengths = batch.free.sum(1).tolist()
    place = (batch.free.cumsum(1) - 1).clamp(min=0)
    for step in range(max(len(strata(length)) for length in lengths)):
        rows = [strata(n)[step] if step < len(strata(n)) else _NEVER for n in lengths]
        numbers = torch.tensor([row[:3] for row in rows], dtype=torch.float64).to(place.device)
        groups = torch.tensor([[*row[3], *[0] * (1 + FEW - len(row[3]))] for row in rows])
        group = groups.double().to(place.device).gather(1, place)
        weight, low, high = numbers.unbind(1)
        yield (
            Within(
                seed=seed, example=batch.example, step=step, low=low, high=high, group=group,
                free=batch.free,
            ),
            weight,
        )  # fmt: skip


_NEVER: Stratum = (0.0, 0.0, 1.0, ())


@cache
def strata(length: int) -> list[Stratum]:
    """List the strata of some free tokens: chance, range of the amount, group of each token.

    Families noise one number of tokens for each n-th part of the amount, for n = length (1 to n)
    or length + 1 (0 to n). Where both agree the set is enough; elsewhere one token is in a group
    of its own.
    """
    if not length:
        return [(1.0, 0.0, 1.0, ())]
    found: list[Stratum] = []
    for count in range(1, length + 1):
        sets = list(combinations(range(length), count))
        begin, middle, end = (count - 1) / length, count / (length + 1), count / length
        for chosen in sets:
            of = [0 if i in chosen else 2 for i in range(length)]
            found.append(((end - middle) / len(sets), middle, end, tuple(of)))
            for last in chosen:
                apart = tuple(1 if i == last else group for i, group in enumerate(of))
                found.append(((middle - begin) / len(sets) / count, begin, middle, apart))
    return found
