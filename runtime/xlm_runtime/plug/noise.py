"""Counter-based randomness: a draw is a function of (seed, example, step, stream, position).

A sample therefore does not depend on the batch it shares, on the rows that have been dropped from
it, on the number of ranks, or on whether the run was interrupted.
"""

from dataclasses import dataclass, replace
from functools import cache, cached_property
from hashlib import blake2b

import torch

from xlm_runtime.shapes import Float, Int, Tensor

BELOW = 1 - 2.0**-53  # the largest draw
_GOLDEN = -7046029254386353131  # 0x9E3779B97F4A7C15 as a signed 64-bit integer
_MIX_1 = -4658895280553007687  # 0xBF58476D1CE4E5B9
_MIX_2 = -7723592293110705685  # 0x94D049BB133111EB


def _shift(x: Tensor, bits: int) -> Tensor:
    """Shift signed 64-bit integers to the right, as if they were unsigned."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def _mix(x: Tensor) -> Tensor:
    """Mix bits by SplitMix64's finaliser (Steele, Lea & Flood 2014), a bijection."""
    x = (x ^ _shift(x, 30)) * _MIX_1
    x = (x ^ _shift(x, 27)) * _MIX_2
    return x ^ _shift(x, 31)


@dataclass(frozen=True)
class Noise:
    """A source of uniform draws for the rows of a batch.

    ``seed`` names the run, ``example`` each row (its index in the data), ``step`` the training or
    decoding step. Two draws with the same names are equal; any other two are independent. The rows
    may be the ``part``-th of ``parts`` parts of the batch of a step, all of one size.
    """

    seed: int
    example: Int[Tensor, " batch"]
    step: int = 0
    part: int = 0
    parts: int = 1

    def at(self, step: int) -> "Noise":
        """Return the source of another step."""
        other = replace(self, step=step)
        vars(other)["_rows_mixed"] = self._rows_mixed  # no step changes it
        return other

    def rows(self, rows: Tensor) -> "Noise":
        """Return the source of some of the rows (a boolean mask or indices)."""
        return replace(self, example=self.example[rows])

    def uniform(
        self, stream: str, positions: int | Int[Tensor, "batch positions"] = 1
    ) -> Float[Tensor, "batch positions"]:
        """Draw independently from U[0, 1) in float64, once for each row and position.

        ``stream`` separates the uses of randomness within one step. ``positions`` is the number of
        draws, or their positions: the draws of one row at equal positions are equal.
        """
        counter = positions
        if isinstance(counter, int):
            counter = torch.arange(counter, device=self.example.device)[None]
        return _unit(_mix(self._key(stream)[:, None] + counter * _GOLDEN))

    def stratified(self, stream: str) -> Float[Tensor, " batch"]:
        """Draw once for each row, in a stratum of its own: one stratum for each row of the step."""
        row, rows = self._rows()
        return ((row + self.uniform(stream)[:, 0]) / rows).clamp(max=BELOW)

    def antithetic(self, stream: str) -> Float[Tensor, " batch"]:
        """Draw evenly spaced numbers for the rows of the step, with one random shift for all."""
        row, rows = self._rows()
        shared = replace(self, example=torch.zeros(1, dtype=torch.long))
        key = shared._key(f"shared {stream}")
        return (row.double() / rows + float(_unit(_mix(key)))) % 1

    def _rows(self) -> tuple[Int[Tensor, " batch"], int]:
        """Return the place of each row among those of the step, and their number."""
        here = len(self.example)
        row = torch.arange(here, device=self.example.device)
        return self.part * here + row, self.parts * here

    def _key(self, stream: str) -> Int[Tensor, " batch"]:
        return _mix(self._mixed ^ _name(stream))

    @cached_property
    def _mixed(self) -> Int[Tensor, " batch"]:
        """The seed, the row and the step, which all streams share."""
        return _mix(self._rows_mixed + _signed(self.step * _GOLDEN))

    @cached_property
    def _rows_mixed(self) -> Int[Tensor, " batch"]:
        """The seed and the row, which all steps share."""
        return _mix(self.example.long() * _GOLDEN + _signed(self.seed))


@cache
def _name(stream: str) -> int:
    return int.from_bytes(blake2b(stream.encode(), digest_size=8).digest(), "big", signed=True)


def _signed(value: int) -> int:
    """Return ``value`` modulo 2**64, as a signed 64-bit integer."""
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)


def _unit(x: Int[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Return the upper 53 bits as a float64 in [0, 1)."""
    return _shift(x, 11).double() * 2.0**-53
