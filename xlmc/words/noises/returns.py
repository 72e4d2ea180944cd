"""``mask -> gone``: masks are dropped, and decoders insert them by a clock of their own."""

from xlmc.theory.needs import arrow
from xlmc.words.noises.base import Noise, Range


class Returns(Noise):
    """The word ``mask -> gone``."""

    name = "mask -> gone"
    form = "mask -> gone  survival NAME(t) = EXPR"
    meaning = "A mask leaves the row with the chance 1 - NAME(t); it follows `clean -> mask`."
    example = "mask -> gone  survival beta(t) = 1 - t"
    needs = (arrow("clean", "mask"), arrow("mask", "gone"))
    last = ("mask", "gone")
    partial = "returns"
    summary = "which tokens are masks, and which are gone. The others close up."
    lost = "how many tokens are gone"
    head = "head gap : count at gaps"
    amount = Range("t", "1e-3", "1", "stratified")
    uncounted = "both clocks read the same time, and a count of tokens does not determine it"
    undo = "insert masks poisson gap * reveal({clock})"
    stop = (
        "drop the stop, or write `stop when gap < 0.01`, with the head that insertion reads, or "
        "`stop when done > 0.5`, with a head of kind chance"
    )
    hides = True
    likelihood = "paths"
    latex = (
        r"-\log p(x_0) \le \int_0^1 \Big[ w_1(t) \, E \sum_{i : x_t^i = m} "
        r"-\log p(x_0^i \mid x_t)",
        r"+ w_2(t) \, E \sum_g \left(\hat n_g - n_g + n_g \log \frac{n_g}{\hat n_g}\right)",
        r"\Big] \, dt",
    )
