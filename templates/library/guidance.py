"""Guidance: answers moved away from those that are given without the prompt."""

from collections.abc import Callable
from dataclasses import replace

import torch

from xlm_runtime.plug import Vocabulary
from xlm_runtime.shapes import Bool, Float, Int, Tensor

from .canvas import Canvas
from .sampling import by_chunk
from .ticks import Tick

Hidden = Callable[[Canvas], Bool[Tensor, "batch length"]]
Read = Callable[[Canvas], Float[Tensor, "places width"]]
Head = Callable[[Float[Tensor, "places width"]], Float[Tensor, "places vocab"]]


def guided(
    canvas: Canvas,
    head: Head,
    hidden: Hidden,
    places: Bool[Tensor, "batch length"],
    rows: Bool[Tensor, " batch"] | None,
    tick: Tick,
    scale: float,
) -> tuple[Canvas, Float[Tensor, "places vocab"]]:
    """Query a head at some places for logits moved away from the unconditional ones.

    .. math:: unconditional + (w + 1) (conditional - unconditional)

    For the unconditional ones some tokens are ``hidden`` by masks. At scale w = 0 nothing else is
    read. Ho & Salimans 2022, arXiv:2207.12598.
    """
    canvas = canvas.query(tick, rows)
    conditional = head(canvas.hidden(places))
    if scale == 0:
        return canvas, conditional
    other = canvas.beside(lambda: canvas.mask(hidden(canvas))).query(tick, rows)
    logits = steered(conditional, head(other.hidden(places)), scale)
    return replace(canvas.keep(other), calls=other.calls), logits


def led(
    canvas: Canvas, without: Callable[[], Canvas], head: Head, read: Read, tick: Tick, scale: float
) -> tuple[Canvas, Float[Tensor, "places vocab"]]:
    """Query a head for logits moved away from those that rows ``without`` some tokens get.

    ``read`` gives the hidden states of either canvas in which the head is read, as many of each.
    As `guided`, and at scale 0 nothing else is read.
    """
    canvas = canvas.query(tick)
    conditional = head(read(canvas))
    if scale == 0:
        return canvas, conditional
    other = canvas.beside(without).query(tick)
    logits = steered(conditional, head(read(other)), scale)
    return replace(canvas.keep(other), calls=canvas.calls + 1), logits


def open_gaps(canvas: Canvas) -> Float[Tensor, "gaps width"]:
    """Return the hidden states of the open gaps."""
    return canvas.hidden(canvas.open)


def free_places(canvas: Canvas) -> Float[Tensor, "places width"]:
    """Return the hidden states of the free places."""
    return canvas.hidden(canvas.free)


def last_token(canvas: Canvas) -> Float[Tensor, "batch width"]:
    """Return the hidden states of the last tokens."""
    return canvas.last


def prompt(canvas: Canvas) -> Bool[Tensor, "batch length"]:
    """Return the prompts: the tokens before the brackets, unless they are specials only."""
    before = in_front(canvas)
    return before & (before & body(canvas.x, canvas.network.vocab)).any(1, keepdim=True)


def prompt_alone(canvas: Canvas, lead: int, tail: int) -> Bool[Tensor, "batch length"]:
    """Return the prompts without the layout's specials, so many before and after."""
    before = in_front(canvas)
    place, number = before.cumsum(1), before.sum(1, keepdim=True)
    return prompt(canvas) & (place > lead) & (place <= number - tail)


def in_front(canvas: Canvas) -> Bool[Tensor, "batch length"]:
    """Return the tokens before the brackets, whose last gap may be open."""
    edge = (canvas.inside | canvas.open).cumsum(1)
    return canvas.seen & ((edge == 0) | ((edge == 1) & canvas.open & ~canvas.inside))


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
