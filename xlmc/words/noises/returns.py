"""``mask -> gone``: masks are dropped, and decoders insert them by a clock of their own."""

from typing import ClassVar

from xlmc.theory.needs import ALIKE, BOTH, Need
from xlmc.words.noises.base import Noise, Range


class Returns(Noise):
    """The word ``mask -> gone``."""

    name = "mask -> gone"
    form = "mask -> gone  survival NAME(t) = EXPR"
    meaning = "A mask leaves the row with the chance 1 - NAME(t); it follows `clean -> mask`."
    example = "mask -> gone  survival beta(t) = 1 - t"
    needs: ClassVar[tuple[Need, ...]] = (*BOTH, ALIKE)
    last = ("mask", "gone")
    partial = "returns"
    summary = "which tokens are masks, and which are gone. The others close up."
    lost = "how many tokens are gone"
    head = "head gap : count at gaps"
    amount = Range("t", "1e-3", "1", "stratified")
    uncounted = "both clocks read the same time, and a count of tokens does not determine it"
    undo = "insert masks poisson {number} * reveal({clock})"
    number = "gap"
    stop = "drop the stop: the grid ends the decoder"
    hides = True
    likelihood = "paths"
    latex: ClassVar[tuple[str, ...]] = (
        r"-\log p(x_0) \le \int_0^1 \Big[ h_1(t) \, E \sum_{i : x_t^i = m} "
        r"-\log p(x_0^i \mid x_t)",
        r"+ h_2(t) \, E \sum_g \left(\hat n_g - n_g + n_g \log \frac{n_g}{\hat n_g}\right)",
        r"\Big] \, dt",
    )

    def ending(self, chance: str, number: str) -> str:
        """Return a hint at the heads that the family has."""
        heads = [f"`stop when {number} < 0.01`"] if number else []
        heads += [f"`stop when {chance} > 0.5`"] if chance else []
        return f"drop the stop, or write {' or '.join(heads)}" if heads else self.stop
