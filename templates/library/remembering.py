"""Rows with the state that the network carries from call to call."""

from dataclasses import dataclass, field, replace
from typing import TypeVar

import torch

from xlm_runtime.shapes import Bool, Float, Tensor

from .canvas import Answer, Canvas
from .ticks import Tick

C = TypeVar("C", bound="Remembering")


@dataclass(frozen=True)
class Remembering(Canvas):
    """A canvas whose masks keep their hidden states of the last call for the next one.

    carried: these states, zero at all other places; None before the first call.
    """

    carried: Float[Tensor, "batch length width"] | None = field(default=None, kw_only=True)

    def query(self: C, tick: Tick, rows: Bool[Tensor, " batch"] | None = None) -> C:
        """Query the network for some rows, at least one (None: for all), and keep its answer."""
        some = slice(None) if rows is None else rows
        x, masked = self.x[some], self.masked[some]
        attend = None if self.attend is None else self.attend[some]
        before = None if self.carried is None else self.carried[some]
        hidden = self.network.trunk(x, attend, before)
        calls = self.calls + (1 if rows is None else rows)
        answer = Answer(rows, slice(None), hidden)
        carried = torch.where(masked[:, :, None], hidden, 0)
        if rows is not None:
            whole = self.carried
            if whole is None:
                whole = carried.new_zeros(*self.x.shape, carried.shape[2])
            carried = whole.masked_scatter(rows[:, None, None], carried)
        return replace(self, answer=answer, calls=calls, carried=carried)
