"""Names of tensor shapes in annotations: ``Int[Tensor, "batch length"]``.

`Attend` describes the positions of rows for the network: which are not padding, or None if there
is none; if a row holds several documents, the number of each position's from 1 on, and 0 at
padding.
"""

from jaxtyping import Bool, Float, Int, Num
from torch import Tensor

__all__ = ["Attend", "Bool", "Float", "Int", "Num", "Tensor"]

Attend = Bool[Tensor, "batch length"] | Int[Tensor, "batch length"] | None
