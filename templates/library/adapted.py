"""An architecture of transformers at work, under an attention of the family's own.

`xlm_runtime.plug.adapted` makes it and reads its weights; here is what each token sees.
"""

import torch
from torch import nn

from xlm_runtime.plug import ModelSize
from xlm_runtime.plug.adapted import check_keeps, extended, network, release, states
from xlm_runtime.shapes import Attend, Bool, Float, Int, Tensor

from .backbone import attention_mask
from .blockwise import streams
from .blockwise import visible as visible_blocks
from .causal import visible

Past = tuple[tuple[Tensor, Tensor], ...]  # keys and values of each layer: batch heads length axes


def positions(attend: Attend, xt: Int[Tensor, "batch length"]) -> Int[Tensor, "rows length"]:
    """Return the place of each token in its document, from 0: padding before it shifts nothing."""
    place = torch.arange(xt.shape[1], device=xt.device)[None]
    if attend is None:
        return place
    if attend.dtype == torch.bool:
        return (attend.cumsum(1) - 1).clamp(min=0)
    begins = attend != attend.roll(1, 1)
    begins[:, 0] = True
    return place - (place * begins).cummax(1).values


class Adapted(nn.Module):
    """An architecture of transformers whose tokens see both sides: tokens to hidden states."""

    def __init__(self, vocab: int, size: ModelSize) -> None:
        super().__init__()
        self.size = size
        self.net = network(size, vocab)

    def head(self) -> nn.Linear:
        """Take out the layer that predicts tokens."""
        return release(self.net)

    def forward(
        self, xt: Int[Tensor, "batch length"], attend: Attend
    ) -> Float[Tensor, "batch length width"]:
        """Return the hidden state of every position; ``attend`` is None if nothing is padded."""
        seen = attention_mask(attend)
        if seen is None:
            seen = torch.ones(1, 1, 1, xt.shape[1], dtype=torch.bool, device=xt.device)
        return states(self.net, xt, positions(attend, xt), seen)


class CausalAdapted(Adapted):
    """An architecture of transformers whose tokens see those before them."""

    def forward(
        self, xt: Int[Tensor, "batch length"], attend: Attend
    ) -> Float[Tensor, "batch length width"]:
        """Return the hidden state of every position, which no later token changes."""
        return states(self.net, xt, positions(attend, xt), before(attend, xt, xt.shape[1]))


def before(
    attend: Attend, row: Int[Tensor, "batch length"], new: int
) -> Bool[Tensor, "rows 1 new length"]:
    """Return what each of the last ``new`` tokens of a row sees: itself and those before it."""
    seen = visible(attend, new)
    if seen is not None:
        return seen
    key = torch.arange(row.shape[1], device=row.device)
    return (key <= key[len(key) - new :, None])[None, None]


class CachingAdapted(CausalAdapted):
    """Such an architecture that can go on from what it made of a prefix: the key/value cache."""

    def __init__(self, vocab: int, size: ModelSize) -> None:
        super().__init__(vocab, size)
        check_keeps(self.net)

    def extend(
        self, new: Int[Tensor, "batch new"], attend: Bool[Tensor, "batch length"], past: Past
    ) -> tuple[Float[Tensor, "batch new width"], Past]:
        """Return the hidden states of the last tokens, and the past for later ones.

        ``attend`` spans the past, empty at first, and the new tokens.
        """
        count, place = new.shape[1], positions(attend, attend)
        return extended(self.net, new, place[:, -count:], before(attend, attend, count), past)


class BlockwiseAdapted(Adapted):
    """An architecture of transformers whose tokens know of no later block."""

    def forward(
        self,
        xt: Int[Tensor, "batch length"],
        attend: Attend,
        block: Int[Tensor, "batch length"],
        x0: Int[Tensor, "batch length"],
    ) -> Float[Tensor, "batch length width"]:
        """Return the states of xt, each token sees its own block, and the blocks before it in x0.

        Both streams, one behind the other, have the same positions. ``attend`` is None if nothing
        is padded.
        """
        length, place = xt.shape[1], positions(attend, xt)
        clean = visible_blocks(block, attend, length)
        upper = streams(block, attend)
        lower = torch.cat([torch.zeros_like(clean), clean], 3)
        seen = torch.cat([upper, lower], 2)
        both = states(self.net, torch.cat([xt, x0], 1), torch.cat([place, place], 1), seen)
        return both[:, :length]

    def extend(
        self,
        new: Int[Tensor, "batch new"],
        attend: Attend,
        block: Int[Tensor, "batch length"],
        past: Past = (),
    ) -> tuple[Float[Tensor, "batch new width"], Past]:
        """Return the states of the last tokens of a row, and the keys and values of all so far.

        Each token in view of its own block and of those before. ``attend`` and ``block`` span the
        past, of blocks that are done, and the new tokens.
        """
        count, place = new.shape[1], positions(attend, block)
        seen = visible_blocks(block, attend, count)
        return extended(self.net, new, place[:, -count:], seen, past)


class CachingBlockwiseAdapted(BlockwiseAdapted):
    """Such an architecture whose decoder keeps the keys and values of finished blocks."""

    def __init__(self, vocab: int, size: ModelSize) -> None:
        super().__init__(vocab, size)
        check_keeps(self.net)
