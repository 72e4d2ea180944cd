"""Decoders that draw the length of a text before they fill it."""

from abc import abstractmethod
from dataclasses import dataclass, replace

import torch

from xlm_runtime.plug import Batch, Decoded, History, Noise, Record
from xlm_runtime.shapes import Int, Tensor

from .canvas import Canvas, Decoding
from .network import Network


@dataclass(frozen=True, kw_only=True)
class Sized(Decoding):
    """A decoder whose rows begin empty and get the number of masks that the network predicts."""

    @abstractmethod
    def length(
        self, network: Network, batch: Batch, noise: Noise, limit: int
    ) -> Int[Tensor, " batch"]:
        """Return the number of tokens of each row."""

    @torch.no_grad()
    def __call__(
        self, network: Network, batch: Batch, noise: Noise, limit: int, record: Record = False
    ) -> Decoded:
        """Decode a batch, whatever the length of its rows; the history begins without a mask."""
        empty = Canvas.of(network, batch, limit).remove(batch.free)
        gap = empty.open & (empty.open.cumsum(1) == 1)
        number = self.length(network, batch, noise, limit)
        canvas = empty.insert(gap * number[:, None], network.vocab["mask"])
        sized = replace(
            batch,
            x0=canvas.x,
            inside=canvas.inside,
            free=canvas.free,
            open=canvas.open,
            attend=canvas.attend,
        )
        history = History(record)
        history.add(empty.x)
        made = super().__call__(network, sized, noise, limit, record)
        return replace(made, nfe=made.nfe + 1, history=(*history.states, *made.history))
