"""Names for tensor shapes, as they stand in annotations: ``Int[Tensor, "batch length"]``."""

from jaxtyping import Bool, Float, Int, Num
from torch import Tensor

__all__ = ["Bool", "Float", "Int", "Num", "Tensor"]
