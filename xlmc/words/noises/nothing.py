"""``none``: nothing is corrupted, and every token is predicted from those before it."""

from xlmc.theory.needs import ORDER
from xlmc.words.noises.base import Noise


class Nothing(Noise):
    """The word ``none``."""

    name = "none"
    form = "none"
    meaning = "Nothing is corrupted: a token is predicted from those before it."
    example = "none"
    needs = (ORDER,)
    last = None
    attention = "causal"
    undo = "append one"
    stop = "write `stop when last = eos or length = limit`"
    likelihood = "following"
    latex = (r"-\log p(x_0) = \sum_{i\,\mathrm{free}} -\log p(x_0^i \mid x_0^{<i})",)
