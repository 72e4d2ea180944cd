"""A network that knows the only text of its data: a perfect answer to every noised form of it.

The tokens of the text are all different, so what can be missing where follows from what is seen.
Where several forms of noise lead to the same row, they are equally likely: each has as many tokens
in each state.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from attrs import frozen
from torch import nn

from xlm_runtime.plug import Batch, Vocabulary
from xlm_runtime.shapes import Bool, Float, Int, Tensor
from xlm_runtime.verify.table import build, continued, outputs

IMPOSSIBLE = -1e9  # a logit whose chance is 0 in float32
_SURE = 20.0  # of a ratio to a random token: a step takes what is so much likelier
Alignment = Sequence[int]  # for each token that is seen, its place in the text


@frozen
class Head:
    """An answer of a head, and its places.

    kind: ``logits``, ``ratios``, ``count``, ``rate``, ``distribution`` or ``chance``. at:
    ``tokens``, ``gaps`` or the name of a special token. ahead: it is read one position to the left
    of the token it predicts.
    """

    kind: str
    at: str
    ahead: bool = False


class Known(nn.Module):
    """A network in the place of a generated one, with its `trunk` and all of its heads.

    The heads are the package's own: each reads numbers of the hidden state that are its own, and
    the trunk writes the answers there. ``unmarked``: a token has its place in the text, also a
    mask or a random one.
    """

    def __init__(
        self,
        make: Any,
        vocab: Vocabulary,
        allowed: Bool[Tensor, " vocab"],
        heads: Mapping[str, Head],
        text: Batch,
        unmarked: bool = False,
    ):
        super().__init__()
        width = -(-outputs(build(make, vocab, allowed, 0)) // 4) * 4
        self.network = build(make, vocab, allowed, 0, width)
        self.heads, self.width, self.unmarked = heads, width, unmarked
        self.parts = dict(_parts(self.network, heads))
        self.ids: list[int] = text.x0[0].tolist()
        self.free: list[bool] = text.free[0].tolist()

    def __getattr__(self, name: str) -> Any:
        """Return a head, or another attribute of the network than its trunk."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("network"), name)

    def trunk(
        self, xt: Int[Tensor, "batch length"], attend: Tensor | None, *_: Tensor
    ) -> Float[Tensor, "batch length width"]:
        """Write the answers for a batch of rows where the heads read them."""
        hidden = torch.zeros(*xt.shape, self.width)
        seen = torch.ones_like(xt, dtype=torch.bool) if attend is None else attend.bool()
        for row, own in enumerate(seen):
            places = own.nonzero()[:, 0].tolist()
            ids = xt[row, own].tolist()
            known = self._ways(ids)
            for name, part in self.parts.items():
                for i, place in enumerate(places):
                    answer = self._answer(self.heads[name], known, i, part)
                    hidden[row, place, part.start : part.stop] = answer
        return hidden

    def _ways(self, ids: list[int]) -> Sequence[Alignment]:
        """Return every way in which a row can be a noised form of the text."""
        if self.unmarked:
            return [range(len(ids))]
        return list(aligned(ids, self.ids, self.free, self.network.vocab["mask"]))

    def extend(
        self,
        new: Int[Tensor, "batch new"],
        attend: Bool[Tensor, "batch length"] | None,
        *more: Any,
    ) -> tuple[Float[Tensor, "batch new width"], tuple[tuple[Tensor, Tensor], ...]]:
        """Return the states of the last tokens of a row; the tokens themselves are the past."""
        xt, kept = continued(new, more)
        return self.trunk(xt, attend)[:, -new.shape[1] :], kept

    def _answer(self, head: Head, known: Sequence[Alignment], i: int, part: range) -> Tensor:
        """Return the numbers that a head reads at the i-th token of a row."""
        if head.at == "gaps":
            missing = [self._missing(one, i) for one in known]
            if head.kind == "logits":
                return logits_of([id for some in missing for id in some], len(part))
            if head.kind == "distribution":
                return logits_of([min(len(some), len(part) - 1) for some in missing], len(part))
            return count_of([*map(len, missing)])
        if head.kind == "chance":
            complete = len(known) == 1 and len(known[0]) == len(self.ids)
            return torch.tensor([-IMPOSSIBLE if complete else IMPOSSIBLE])
        if head.kind == "rate":
            return count_of([1])  # at a scale of 1
        if head.kind == "count":
            return count_of([len(self.ids) - len(one) for one in known])
        places = [one[i] + head.ahead for one in known]
        sure = _SURE if head.kind == "ratios" and self.unmarked else 0.0
        return sure + logits_of([self.ids[at] for at in places if at < len(self.ids)], len(part))

    def _missing(self, one: Alignment, i: int) -> list[int]:
        """Return the ids that are missing to the right of the i-th token."""
        end = one[i + 1] if i + 1 < len(one) else len(self.ids)
        return self.ids[one[i] + 1 : end]


def aligned(
    seen: Sequence[int], ids: Sequence[int], free: Sequence[bool], mask: int
) -> Iterator[Alignment]:
    """Give every way in which a row can be a text without some of its free tokens.

    A mask can be any free token, and tokens that are not free are all there.
    """
    if not seen:
        if not any(not one for one in free):
            yield []
        return
    for place, (id, may_go) in enumerate(zip(ids, free, strict=True)):
        if seen[0] == id or (seen[0] == mask and may_go):
            rest = aligned(seen[1:], ids[place + 1 :], free[place + 1 :], mask)
            yield from ([place, *(place + 1 + other for other in more)] for more in rest)
        if not may_go:
            return


def logits_of(numbers: Sequence[int], size: int) -> Tensor:
    """Return the logarithms of how often each number occurs; all alike where none does."""
    if not numbers:
        return torch.full((size,), IMPOSSIBLE)
    counts = torch.bincount(torch.tensor(numbers), minlength=size).float()
    return torch.where(counts > 0, counts.log(), IMPOSSIBLE)


def count_of(numbers: Sequence[int]) -> Tensor:
    """Return what softplus makes the mean of some numbers, 0 of none."""
    mean = sum(numbers) / max(len(numbers), 1)
    return torch.tensor([mean]).clamp(min=1e-9).expm1().log()


def _parts(network: Any, heads: Mapping[str, Head]) -> Iterator[tuple[str, range]]:
    """Give each head numbers of a hidden state of its own, and set its weights to read them."""
    used = 0
    for name in heads:
        head = getattr(network, f"to_{name}")
        part = range(used, used + head.out_features)
        with torch.no_grad():
            head.weight.zero_()
            head.weight[:, part.start : part.stop] = torch.eye(len(part))
            if head.bias is not None:
                head.bias.zero_()
        yield name, part
        used = part.stop
