"""Layers of a transformer that adds to its masks what the call before made of them."""

import torch
from torch import nn

from xlm_runtime.plug import ModelSize
from xlm_runtime.shapes import Attend, Bool, Float, Int, Tensor

from .backbone import Transformer, attention_mask, rotation


class CarryingTransformer(Transformer):
    """A transformer whose masks go on from their hidden states of the call before.

    These are normed, scaled and added to the embeddings of the masks; those of all else are
    dropped. The scales start at zero, and the norm has no bias: a network that has not been
    trained, or is handed states of zero, answers as one that carries nothing.
    """

    def __init__(self, vocab: int, size: ModelSize, block: type[nn.Module]) -> None:
        super().__init__(vocab, size, block)
        self.recall = nn.LayerNorm(size.width, bias=False)
        nn.init.zeros_(self.recall.weight)

    def forward(
        self,
        xt: Int[Tensor, "batch length"],
        attend: Attend,
        carried: Float[Tensor, "batch length width"] | None = None,
        masks: Bool[Tensor, "batch length"] | None = None,
    ) -> Float[Tensor, "batch length width"]:
        """Return the hidden state of every position, in view of those carried to ``masks``.

        ``carried`` is None before the first call, ``attend`` if nothing is padded.
        """
        seen = attention_mask(attend)
        cos, sin = rotation(attend, xt, self.size)
        x = self.embed(xt)
        if carried is not None and masks is not None:
            x = x + torch.where(masks[:, :, None], self.recall(carried), 0)
        for block in self.blocks:
            x = block(x, cos, sin, seen)
        out: Tensor = self.norm(x)
        return out
