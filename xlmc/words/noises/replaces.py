"""``clean -> random``: a random token replaces a token."""

from xlmc.theory.needs import PLACES, arrow
from xlmc.words.noises.base import Noise, Range


class Replaces(Noise):
    """The word ``clean -> random``."""

    name = "clean -> random"
    form = "clean -> random  survival NAME(t) = EXPR"
    meaning = (
        "A token is drawn anew with the chance 1 - NAME(t), evenly from the vocabulary without "
        "special tokens: the same one may come back, and nothing shows which tokens are random."
    )
    example = "clean -> random  survival alpha(t) = 1 - t"
    needs = (arrow("clean", "random"), PLACES)
    last = ("clean", "random")
    partial = "replaces"
    summary = "which tokens are replaced by random ones."
    lost = "what the random tokens were"
    head = "head token : logits"
    amount = Range("t", "1e-3", "1", "stratified")
    uncounted = "nothing shows how many tokens are random"
    forgets = True
    undo = "substitute all"
    stop = "drop the stop: the grid ends the decoder"
    unending = "any token may change, up to the last step of the grid"
    likelihood = "posteriors"
    latex = (
        r"-\log p(x_0) = \int_0^1 h(t) \, E \sum_{i\,\mathrm{free}} \sum_{y \ne x_t^i}",
        r"\hat r_y - r_y + r_y \log (r_y / \hat r_y) \, dt",
    )
