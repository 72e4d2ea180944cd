"""Tolerances that are bounds on rounding, so that a test holds on any processor.

A matrix product adds in an order that depends on the processor, on the number of threads and on
the shapes; results differ by a few units in the last place of the largest number added up.
"""

import torch
from torch import Tensor

ULPS = 256  # units in the last place; two layers of a small network stay below 32


def near(found: Tensor, expected: Tensor, between: torch.dtype = torch.float64) -> bool:
    """Return whether two results differ by rounding alone.

    The bound is `ULPS` units in the last place of the largest finite number in ``expected``, in
    the coarsest precision of the two and of what was computed ``between``: rotary angles are
    float32 in every network. Infinities are compared exactly; NaN is near nothing.
    """
    coarse = max(torch.finfo(kind).eps for kind in (found.dtype, expected.dtype, between))
    found, expected = found.detach().double(), expected.detach().double()
    finite = expected.isfinite()
    if found.shape != expected.shape or not torch.equal(found[~finite], expected[~finite]):
        return False
    if not finite.any():
        return True
    bound = ULPS * coarse * expected[finite].abs().max().clamp(min=1.0)
    return bool(((found[finite] - expected[finite]).abs() <= bound).all())
