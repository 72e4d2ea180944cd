"""``clean -> mask`` by clocks that a second network learns."""

from typing import ClassVar

from xlmc.theory.needs import OF_TOKENS, Need
from xlmc.words.noises.base import Range
from xlmc.words.noises.hides import Hides


class Learns(Hides):
    """The word ``network NAME``: with ``clean -> mask``, each token has a clock that is learned."""

    slot = "a second network, which sets clocks"
    name = "network NAME"
    form = "network NAME { backbone table; head NAME : scale }"
    meaning = (
        "A second network, whose heads the survival function may read: each token of the "
        "vocabulary then has a clock of its own. It is trained by the same loss: each row is "
        "corrupted twice, and the difference of the costs weighs the slope of the log-probability "
        "of the masks. Decoders reveal a mask by the clock of the token that is drawn for it."
    )
    example = "network clocks { backbone table; head w : scale }"
    default = "all tokens have one clock"
    needs: ClassVar[tuple[Need, ...]] = (OF_TOKENS,)
    partial = "learns"
    summary = "which tokens are masked, by the clock of each."
    amount = Range("t", "1e-4", "1", "stratified")
    uncounted = "tokens have clocks of their own, and no number of masks determines the time"
    likelihood = "clocks"
    order = 2
