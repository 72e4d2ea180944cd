"""Matrices in 8 or 4 bits, beside which adapters are trained (QLoRA, arXiv:2305.14314).

The library bitsandbytes rounds them and reads them back:

    8 bits   each row to multiples of its largest entry / 127
    4 bits   each 64 entries to the 16 levels of NF4, quantiles of a normal distribution, times
             their largest entry

A matrix is read back, in the precision of the inputs, wherever it is multiplied, in the forward
pass and again in the backward pass. Nothing else is rounded, the inputs in particular.
"""

from collections.abc import Iterator
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from xlm_runtime.system import extras

Bits = Literal[8, 4]
_BLOCK = 64  # entries that share a scale in 4 bits


class Rounded(nn.Linear):
    """A linear layer of a rounded matrix, which no optimiser changes; its bias is not rounded.

    weight: the codes, a buffer. scales: the largest entry of each row or block. kind: the class of
    the layer before, and dtype the type of its weights.
    """

    def __init__(self, layer: nn.Module, bits: Bits) -> None:
        nn.Module.__init__(self)
        matrix = layer.get_parameter("weight")
        weight = matrix if isinstance(layer, nn.Linear) else matrix.T
        self.out_features, self.in_features = weight.shape
        self.bits, self.kind, self.dtype = bits, type(layer), weight.dtype
        self.register_parameter("bias", getattr(layer, "bias", None))
        codes, scales = _round(weight.detach().cpu().float(), bits)
        self.register_buffer("weight", codes.to(weight.device))
        self.register_buffer("scales", scales.to(weight.device))

    def forward(self, x: Tensor) -> Tensor:
        """Multiply by the matrix, and add the bias."""
        kind = x.device.type
        if torch.is_autocast_enabled(kind):
            x = x.to(torch.get_autocast_dtype(kind))
        y: Tensor = _Product.apply(x, self)  # type: ignore[no-untyped-call]
        return y if self.bias is None else y + self.bias.to(y.dtype)

    def read(self, dtype: torch.dtype) -> Tensor:
        """Return the matrix: ``out_features`` by ``in_features``."""
        found: Tensor
        bnb: Any = _library(self.bits)
        if self.bits == 8:
            found = bnb.int8_vectorwise_dequant(self.weight, self.scales)
            return found.to(dtype)
        shape = torch.Size((self.out_features, self.in_features))
        state = bnb.QuantState(
            absmax=self.scales, shape=shape, dtype=dtype, blocksize=_BLOCK, quant_type="nf4"
        )
        found = bnb.dequantize_4bit(self.weight, state)
        return found

    def whole(self) -> nn.Linear:
        """Return a linear layer of the matrix as it is read."""
        made = nn.Linear(self.in_features, self.out_features, bias=False, device="meta")
        made.weight = nn.Parameter(self.read(torch.float32).to(self.dtype), requires_grad=False)
        made.bias = self.bias
        return made

    def before(self, linear: nn.Linear) -> nn.Module:
        """Return a linear layer as one of the `kind` that this layer was."""
        if issubclass(self.kind, nn.Linear):
            return linear
        made: Any = self.kind(self.out_features, self.in_features)  # of transformers, transposed
        made.weight = nn.Parameter(linear.weight.detach().T.contiguous(), requires_grad=False)
        made.bias = linear.bias
        found: nn.Module = made
        return found

    def extra_repr(self) -> str:
        """Describe the layer in one line."""
        return f"{self.in_features}, {self.out_features}, {self.bits} bits"


class _Product(torch.autograd.Function):
    """The product of inputs and a rounded matrix, of which the codes alone are kept."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: Rounded) -> Tensor:
        ctx.layer = layer
        return F.linear(x, layer.read(x.dtype))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return grad @ ctx.layer.read(grad.dtype), None


def check(bits: Bits) -> None:
    """Check that matrices can be rounded.  Raises UsageError if the library is not installed."""
    _library(bits)


def matrices(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yield names and layers of the matrices of a network, those of transformers included."""
    from transformers.pytorch_utils import Conv1D

    for name, module in network.named_modules():
        if isinstance(module, nn.Linear | Conv1D):
            yield name, module


def round_off(network: nn.Module, bits: Bits) -> None:
    """Replace the matrices of a network by rounded ones."""
    for name, layer in [*matrices(network)]:
        network.set_submodule(name, Rounded(layer, bits))


def bytes_of(network: nn.Module, bits: Bits) -> int:
    """Return the bytes that the matrices of a network take once they are rounded."""
    total = 0
    for _, module in matrices(network):
        rows, columns = module.get_parameter("weight").shape
        scales = rows if bits == 8 else rows * columns // _BLOCK
        total += rows * columns * bits // 8 + 4 * scales
    return total


def _round(weight: Tensor, bits: Bits) -> tuple[Tensor, Tensor]:
    """Return the codes of a float32 matrix on the CPU, and their scales."""
    bnb = _library(bits)
    if bits == 8:
        codes, scales, _ = bnb.int8_vectorwise_quant(weight)
        return codes, scales
    codes, state = bnb.quantize_4bit(weight, blocksize=_BLOCK, quant_type="nf4")
    return codes, state.absmax


def _library(bits: Bits) -> Any:
    return extras.needed("bitsandbytes", "bits", f"train.lora_bits={bits}").functional
