"""``clean -> gone``: a token is dropped from the row, and the others close up."""

from xlmc.theory.needs import EACH, arrow
from xlmc.words.noises.base import Noise, Range


class Drops(Noise):
    """The word ``clean -> gone``."""

    name = "clean -> gone"
    form = "clean -> gone  survival NAME(t) = EXPR"
    meaning = "A token leaves the row with the chance 1 - NAME(t); the others close up."
    example = "clean -> gone  survival alpha(t) = 1 - t"
    needs = (arrow("clean", "gone"), EACH)
    last = ("clean", "gone")
    partial = "drops"
    summary = "which tokens are dropped. The others close up; each gap keeps its own."
    done = "dropped"
    lost = "what the gone tokens were"
    head = "head slot : logits at gaps"
    amount = Range("count", "0", "length")
    undo = "insert tokens one"
    stop = (
        "write `stop when length = limit`; for an end that is learned add `head done : chance at "
        "cls` to the network, and a term to the loss"
    )
    likelihood = "insertions"
    latex = (
        r"-\log p(x_0) \le (L + 1) E_{n \sim U\{0..L\}} \Big[",
        r"\frac{1}{n} \sum_{i\,\mathrm{gone}} -\log p(\mathrm{gap}_i, x_0^i \mid x_t)",
        r"- \log p(\mathbb{1}[n = 0] \mid x_t) \Big] - \log L!",
    )
    rates = "rates"
    of_rates = (
        r"-\log p(x_0) \le \int_0^1 h(t) \, E \Big[",
        r"\sum_g \left(\hat n_g - n_g - n_g \log \hat n_g\right)",
        r"+ \sum_{i\,\mathrm{gone}} \log m_i - \log p(x_0^i \mid x_t, \mathrm{gap}_i)",
        r"\Big] \, dt",
    )
    of_pairs = (
        r"-\log p(x_0) \le \int_0^1 h(t) \, E \Big[\hat n - n - n \log \hat n",
        r"+ \sum_{i\,\mathrm{gone}} \log m_i - \log p(\mathrm{gap}_i, x_0^i \mid x_t)",
        r"\Big] \, dt",
    )

    def ending(self, chance: str, number: str) -> str:
        """Return a hint at a head that the family has; else at one to add."""
        del number
        if not chance:
            return self.stop
        above = f"{chance} > 0.5"
        return f"write `stop when {above} or length = limit`, or `chance {chance}` for `{above}`"
