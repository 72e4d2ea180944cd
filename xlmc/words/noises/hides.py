"""``clean -> mask``: a mask replaces a token."""

from typing import ClassVar

from xlmc.theory.needs import ALIKE, PLACES, PURE, WHOLE, Need, arrow
from xlmc.words.noises.base import Noise, Range


class Hides(Noise):
    """The word ``clean -> mask``."""

    name = "clean -> mask"
    form = "clean -> mask  survival NAME(t) = EXPR"
    meaning = "A token becomes a mask with the chance 1 - NAME(t); no token moves."
    example = "clean -> mask  survival alpha(t) = 1 - t"
    needs: ClassVar[tuple[Need, ...]] = (arrow("clean", "mask"), PLACES, WHOLE, PURE, ALIKE)
    last = ("clean", "mask")
    partial = "hides"
    summary = "which tokens are masked."
    done = "masked"
    lost = "what the mask tokens were"
    head = "head token : logits"
    amount = Range("count", "1", "length")
    undo = "unmask chance reveal({clock})"
    stop = "a decoder of masks ends when none is left: write `stop when no mask`, or nothing"
    hides = True
    likelihood = "orders"
    latex = (
        r"-\log p(x_0) \le E_{n \sim U\{1..L\}} \frac{L}{n}",
        r"\sum_{i : x_t^i = m} -\log p(x_0^i \mid x_t)",
    )
