"""The number of tokens of a text, by a head that sees the row without them."""

from collections.abc import Callable

import torch

from xlm_runtime.plug import Batch
from xlm_runtime.shapes import Float, Tensor

from .growth import take_out
from .network import Network
from .places import filled
from .reading import read

Head = Callable[[Tensor], Tensor]


def length_logits(
    network: Network, head: Head, special: str, batch: Batch
) -> Float[Tensor, "batch counts"]:
    """Return the logits of the number of free tokens: 0, 1, ...; read at a special token.

    Masks would show the number, so that the row is read without its free part: a short one.
    """
    short = take_out(batch, batch.free, network.vocab["pad"])
    columns = filled(short.x0, short.attend)
    x, attend = short.x0[:, columns], short.attend
    assert attend is not None
    t = torch.ones((), dtype=torch.float64, device=x.device)
    hidden = read(network, x, attend[:, columns], short.free[:, columns], t)
    return head(hidden[x == network.vocab[special]])


def bounded(logits: Float[Tensor, "batch counts"], most: int) -> Float[Tensor, "batch counts"]:
    """Return the log-chances of the numbers up to ``most``; -inf beyond."""
    number = torch.arange(logits.shape[1], device=logits.device)
    return logits.double().masked_fill(number > most, -torch.inf).log_softmax(-1)


def length_nats(logits: Float[Tensor, "batch counts"], batch: Batch) -> Float[Tensor, " batch"]:
    """Return -log of the chance of the number of free tokens, among the numbers that fit in it.

    It is infinite for a number beyond the classes of the head.
    """
    law, length = bounded(logits, batch.room), batch.free.sum(1)
    last = law.shape[1] - 1
    found = law.gather(1, length.clamp(max=last)[:, None])[:, 0]
    return torch.where(length > last, torch.inf, -found)
