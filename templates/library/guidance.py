"""Guidance: answers led away from those that are given without the prompt."""

import torch

from xlm_runtime.plug import Batch, Vocabulary
from xlm_runtime.shapes import Bool, Float, Int, Tensor

from .sampling import by_chunk


def prompt(batch: Batch, vocab: Vocabulary) -> Bool[Tensor, "batch length"]:
    """The prompts: all that stands before the brackets, where that is more than specials."""
    before = batch.inside.cumsum(1) == 0
    if batch.attend is not None:
        before = before & (batch.attend > 0)
    return before & (before & body(batch.x0, vocab)).any(1, keepdim=True)


def given(batch: Batch, vocab: Vocabulary) -> Bool[Tensor, "batch length"]:
    """The tokens that are given inside the brackets, specials apart."""
    return batch.inside & ~batch.free & body(batch.x0, vocab)


def body(x: Int[Tensor, "batch length"], vocab: Vocabulary) -> Bool[Tensor, "batch length"]:
    """What is no special token; nothing of the size of the vocabulary is made or copied."""
    found = torch.ones_like(x, dtype=torch.bool)
    for special in vocab.specials.values():
        found = found & (x != special)
    return found


@by_chunk
def led(
    logits: Float[Tensor, "places vocab"], blind: Float[Tensor, "places vocab"], scale: float
) -> Float[Tensor, "places vocab"]:
    """(scale + 1) logits - scale blind; what is impossible stays impossible."""
    found = blind + (scale + 1) * (logits - blind)
    return found.masked_fill(logits == -torch.inf, -torch.inf)
