"""``order random``: nothing is corrupted, and the order in which tokens are predicted is drawn."""

from xlmc.theory.needs import PERMUTED
from xlmc.words.noises.base import Noise


class Permuted(Noise):
    """The word ``order random``, beside ``none``."""

    slot = "an order of the tokens, beside `none`"
    name = "order random"
    form = "order random | order left"
    meaning = (
        "With `none`: the tokens of a text are predicted one after another, in an order that is "
        "drawn anew for every example; given ones come first, from left to right. The network is "
        "told the place that it is to fill. `order left` is what `none` alone says."
    )
    example = "order random"
    default = "from left to right"
    needs = (PERMUTED,)
    last = None
    partial = "permuted"
    summary = "none; the order of the tokens is drawn."
    attention = "causal"
    undo = "unmask one by random"
    stop = "a decoder of masks ends when none is left: write `stop when no mask`, or nothing"
    likelihood = "permuted"
    latex = (
        r"-\log p(x_0) \le E_\sigma \sum_{i\,\mathrm{free}}",
        r"-\log p(x_0^i \mid x_0^j : \sigma_j < \sigma_i)",
    )
    order = 2
