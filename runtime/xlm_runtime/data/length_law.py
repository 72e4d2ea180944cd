"""The distribution of lengths: p(text, length) = p(length) p(text | length).

Families that fill a canvas report the likelihood of a text among those of its length. The chance
of the length comes from the training data.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from attrs import field, frozen

from xlm_runtime.data.lengths import Law
from xlm_runtime.plug import Example

SMOOTHING = 0.5  # examples more of every length: Krichevsky & Trofimov 1981
NOUNS = {
    "prompt": "the prompt", "tokens": "some tokens", "draft": "a draft", "length": "the length"
}  # fmt: skip
LAW = "the lengths of the training data, each counted half an example more"


@frozen(eq=False)
class Lengths:
    """Chances of every length up to the room, and of a text that is longer; they add up to 1.

    Only this is known of a text that is cut: its length is at least the room. Its chance is that
    of all these lengths, so that the chances of shorter texts and of cut ones also add up to 1.

    lengths: those of training, in which room + 1 means a text that is cut.
    """

    lengths: Sequence[int]
    room: int
    nats: npt.NDArray[np.float64] = field(init=False)

    @nats.default
    def _nats(self) -> npt.NDArray[np.float64]:
        at = np.minimum(np.asarray(self.lengths, np.int64), self.room + 1)
        counts = np.bincount(at, minlength=self.room + 2) + SMOOTHING
        nats: npt.NDArray[np.float64] = -np.log(counts / counts.sum())
        return nats

    def of(self, example: Example) -> float:
        """Return -log of the chance of an example's length; if cut, of at least so many tokens."""
        length = len(example.body)
        stop = None if example.cut else length + 1
        return float(-np.logaddexp.reduce(-self.nats[length:stop]))

    def of_end(self, example: Example) -> float:
        """Return -log of the chance that a text is cut, or that it is not, as the example is."""
        cut = float(self.nats[-1])
        return cut if example.cut else float(-np.log1p(-np.exp(-cut)))

    @property
    def cuts(self) -> bool:
        """True if training has texts that are cut."""
        return bool((np.asarray(self.lengths) > self.room).any())


def flat(lengths: Sequence[int] | Law) -> Sequence[int]:
    """Return lengths one by one, in any order."""
    law = Law.of(lengths)
    values, counts = zip(*law.counts, strict=True) if law.counts else ((), ())
    every: list[int] = np.repeat(np.array(values, np.int64), counts).tolist()
    return every


def length(example: Example, room: int) -> int:
    """Return the number of body tokens; of a text that is cut, one more than the room."""
    return room + 1 if example.cut else len(example.body)


def conditions(given: Sequence[str], cuts: bool) -> str:
    """Format the words of `Layout.given`: ``given the prompt and the length``, or ''.

    ``cuts``: some texts are cut.
    """
    nouns = NOUNS | ({"end": "that it is cut or not"} if cuts else {})
    said = [nouns[name] for name in given if name in nouns]
    *first, last = said or [""]
    return f"given {', '.join(first)} and {last}" if first else f"given {last}" * bool(last)


def joint(given: Sequence[str], law: Lengths, examples: Sequence[Example]) -> list[float] | None:
    """Return -log p(length) of each example, to be added to its likelihood.

    None if no length has a price of its own: the family models it, or given tokens reveal it.
    ``given`` is that of the layout.
    """
    if "length" in given and "tokens" not in given:
        return [law.of(example) for example in examples]
    if "end" in given and (law.cuts or any(example.cut for example in examples)):
        return [law.of_end(example) for example in examples]
    return None
