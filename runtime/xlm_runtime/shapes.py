"""Names for tensor shapes, as they stand in annotations: ``Int[Tensor, "batch length"]``.

`Attend` is what a network is told of the positions of its rows: which are not padding, or None
where there is none; where a row holds several documents, the number of each position's from 1 on,
and 0 at padding.
"""

from jaxtyping import Bool, Float, Int, Num
from torch import Tensor

__all__ = ["Attend", "Bool", "Float", "Int", "Num", "Tensor"]

Attend = Bool[Tensor, "batch length"] | Int[Tensor, "batch length"] | None
