"""Decoders that edit: they insert, delete and substitute tokens."""

from dataclasses import dataclass, replace

import torch

from xlm_runtime.plug import Draft, Noise
from xlm_runtime.shapes import Bool, Float, Int, Tensor

from .canvas import Canvas, Decoding


@dataclass(frozen=True, kw_only=True)
class Editing(Decoding):
    """A decoder that makes a text of a draft, in steps of several edits."""

    def active(self, canvas: Canvas) -> Bool[Tensor, " batch"]:
        """Return the rows that can still change: they hold a free token or an open gap."""
        return (canvas.free | canvas.open).any(1)

    def finish(self, canvas: Canvas, noise: Noise) -> Canvas:
        """Take out masks that are left, and on the right the tokens for which there is no room."""
        later = canvas.free.flip(1).cumsum(1).flip(1)  # of the free tokens, from each on
        over = canvas.inside.sum(1) - canvas.room
        beyond = canvas.masked | (canvas.free & (later <= over[:, None]))
        return canvas.remove(beyond) if beyond.any() else canvas


def begun(given: Canvas, draft: Draft) -> Canvas:
    """Put drafts between given tokens, however little room a row has."""
    width = given.x.shape[1]
    there = draft.gap < width
    number = torch.zeros_like(given.x).scatter_add(1, draft.gap.clamp(max=width - 1), there.long())
    wide = replace(given, room=given.room + given.inside.sum(1) + draft.token.shape[1] + 1)
    made = wide.insert(number, given.network.vocab["pad"])
    x = made.x.masked_scatter(made.free, draft.token[there])
    return replace(made, x=x, room=given.room)


def comes(
    rate: Float[Tensor, "batch length"], u: Float[Tensor, "batch length"]
) -> Bool[Tensor, "batch length"]:
    """Draw, by u in [0, 1), where a Poisson number of a given mean is not 0."""
    return u < -torch.expm1(-rate.double())


def either(
    one: Float[Tensor, "batch length"],
    other: Float[Tensor, "batch length"],
    u: Float[Tensor, "batch length"],
    places: Bool[Tensor, "batch length"],
) -> tuple[Bool[Tensor, "batch length"], Bool[Tensor, "batch length"]]:
    """Draw, by u in [0, 1), at which places one of two events comes first, and where the other.

    One comes where a Poisson number with the mean of both is not 0; which, by their rates.
    """
    one, rate = one.double(), one.double() + other.double()
    chance = -torch.expm1(-rate)
    first = places & (u * rate < chance * one)
    return first, places & (u < chance) & ~first


def edited(
    canvas: Canvas,
    gone: Bool[Tensor, "batch length"],
    gaps: Bool[Tensor, "batch length"],
    token: Int[Tensor, " gaps"],
) -> Canvas:
    """Delete some tokens, and insert one right of each of some positions, all of them of old.

    No gap closes where a row is full: tokens may leave it later.
    """
    row, place = gone.nonzero(as_tuple=True)
    place = place + (gaps.cumsum(1) - gaps.long())[row, place]  # behind what comes to its left
    made = replace(canvas, room=canvas.room + gaps.shape[1] + 1).insert_each(gaps, token)
    moved = torch.zeros_like(made.free).index_put((row, place), torch.ones_like(row).bool())
    return replace(made.remove(moved), room=canvas.room)
