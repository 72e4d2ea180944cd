"""Guidance: answers moved away from those that are given without the prompt."""

from collections.abc import Callable
from dataclasses import replace

import torch

from xlm_runtime.plug import Vocabulary
from xlm_runtime.shapes import Bool, Float, Int, Tensor

from .canvas import Canvas
from .sampling import by_chunk
from .ticks import Tick

Head = Callable[[Float[Tensor, "places width"]], Float[Tensor, "places vocab"]]


def guided(
    canvas: Canvas,
    head: Head,
    hidden: Bool[Tensor, "batch length"],
    places: Bool[Tensor, "batch length"],
    rows: Bool[Tensor, " batch"],
    tick: Tick,
    scale: float,
) -> tuple[Canvas, Float[Tensor, "places vocab"]]:
    """Query a head at some places for logits moved away from the unconditional ones.

    .. math:: unconditional + (w + 1) (conditional - unconditional)

    For the unconditional ones some tokens are ``hidden`` by masks. At scale w = 0 without a second
    call. Ho & Salimans 2022, arXiv:2207.12598.
    """
    canvas = canvas.query(tick, rows)
    conditional = head(canvas.hidden(places))
    if scale == 0:
        return canvas, conditional
    other = canvas.mask(hidden).query(tick, rows)
    unconditional = head(other.hidden(places))
    return replace(canvas, calls=other.calls), steered(conditional, unconditional, scale)


def prompt(canvas: Canvas) -> Bool[Tensor, "batch length"]:
    """Return the prompts: all that stands before the brackets, where that is more than specials."""
    before = (canvas.inside.cumsum(1) == 0) & canvas.seen
    return before & (before & body(canvas.x, canvas.network.vocab)).any(1, keepdim=True)


def given(canvas: Canvas) -> Bool[Tensor, "batch length"]:
    """Return the tokens that are given inside the brackets, specials apart."""
    return canvas.inside & ~canvas.free & body(canvas.x, canvas.network.vocab)


def body(x: Int[Tensor, "batch length"], vocab: Vocabulary) -> Bool[Tensor, "batch length"]:
    """Return what is no special token; nothing of the size of the vocabulary is made or copied."""
    found = torch.ones_like(x, dtype=torch.bool)
    for special in vocab.specials.values():
        found = found & (x != special)
    return found


@by_chunk
def steered(
    logits: Float[Tensor, "places vocab"], other: Float[Tensor, "places vocab"], scale: float
) -> Float[Tensor, "places vocab"]:
    """Return (scale + 1) logits - scale other; what is impossible stays impossible."""
    found = other + (scale + 1) * (logits - other)
    return found.masked_fill(logits == -torch.inf, -torch.inf)
