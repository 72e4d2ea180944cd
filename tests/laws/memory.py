"""Tensors that are made while something is computed: their number and their sizes."""

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode


class Made(TorchDispatchMode):
    """A number of each tensor that is made, those apart that share the memory of another."""

    def __init__(self, number: Callable[[torch.Tensor], int] = torch.Tensor.numel) -> None:
        super().__init__()
        self.number = number
        self.sizes: list[int] = []

    @property
    def largest(self) -> int:
        return max(self.sizes)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **kwargs or {})
        given = {one.data_ptr() for one in args if isinstance(one, torch.Tensor)}
        for one in made if isinstance(made, tuple | list) else (made,):
            if isinstance(one, torch.Tensor) and one.data_ptr() not in given:
                self.sizes.append(self.number(one))
        return made
