"""A network that knows the only text of its data, and which edits make it of a row."""

from collections.abc import Sequence
from functools import cache

from xlm_runtime.shapes import Tensor
from xlm_runtime.verify.known import Alignment, Head, Known, count_of, logits_of

EDITS = ("extra", "changed", "revision")  # what heads of deletions and substitutions learn
EXTRA = -1  # in the place of a token that has to go


class Editor(Known):
    """A network that aligns each row with the text, by as few edits as there can be."""

    def _ways(self, ids: list[int]) -> Sequence[Alignment]:
        """Return for each token of a row its place in the text, and if that has another one."""
        fixed = {id for id, free in zip(self.ids, self.free, strict=True) if not free}
        places = fewest(tuple(ids), tuple(self.ids), frozenset(fixed))
        pairs = zip(ids, places, strict=True)
        return [places, [int(at != EXTRA and self.ids[at] != id) for id, at in pairs]]

    def _answer(self, head: Head, known: Sequence[Alignment], i: int, part: range) -> Tensor:
        """Return the numbers that a head reads at the i-th token of a row."""
        places, changed = known
        if head.at == "gaps":
            end = places[i + 1] if i + 1 < len(places) else len(self.ids)
            beside = EXTRA in (places[i], end)  # missing tokens are never beside one that has to go
            gone = [] if beside else self.ids[places[i] + 1 : end]
            return logits_of(gone, len(part)) if head.kind == "logits" else count_of([len(gone)])
        if head.kind == "extra":
            return count_of([int(places[i] == EXTRA)])
        if head.kind == "changed":
            return count_of([changed[i]])
        return logits_of([self.ids[places[i]]] * changed[i], len(part))


def fewest(seen: tuple[int, ...], ids: tuple[int, ...], fixed: frozenset[int]) -> Alignment:
    """Return for each token of a row its place in a text, or `EXTRA`, with as few edits as can be.

    ``fixed``: ids that are paired with themselves alone.
    """

    @cache
    def rest(i: int, j: int) -> tuple[float, tuple[int, ...]]:
        """Return the number of edits of all tokens from two places on, and the places."""
        if i == len(seen):
            return (len(ids) - j, ()) if fixed.isdisjoint(ids[j:]) else (float("inf"), ())
        ways = []
        if j < len(ids):
            same, held = seen[i] == ids[j], {seen[i], ids[j]} & fixed
            cost, places = rest(i + 1, j + 1)
            ways.append((cost + (not same) if same or not held else float("inf"), (j, *places)))
            cost, places = rest(i, j + 1)
            ways.append((cost + 1 if ids[j] not in fixed else float("inf"), places))
        cost, places = rest(i + 1, j)
        ways.append((cost + 1 if seen[i] not in fixed else float("inf"), (EXTRA, *places)))
        return min(ways, key=lambda way: way[0])

    return rest(0, 0)[1]
