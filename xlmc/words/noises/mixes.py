"""``clean -> mask | random``: a mask or a random token replaces a token."""

from xlmc.theory.needs import PLACES, arrow
from xlmc.words.noises.base import Range, Replacing


class Mixes(Replacing):
    """The word ``clean -> mask | random``."""

    name = "clean -> mask | random"
    form = "clean -> mask | random share EXPR  survival NAME(t) = EXPR"
    meaning = (
        "A token is corrupted with the chance 1 - NAME(t): at time t the share of random tokens "
        "among the corrupted ones is EXPR, and the others are masks."
    )
    example = "clean -> mask | random share 0.2 * (1 - t)  survival alpha(t) = 1 - t"
    others = ("share",)
    needs = (arrow("clean", "mask", "random"), PLACES)
    last = ("clean", "mask", "random")
    partial = "mixes"
    summary = "which tokens are replaced by masks, and which by random ones."
    lost = "what the masks and the random tokens were"
    head = "head token : logits"
    amount = Range("t", "1e-3", "0.999", "stratified")
    undo = "unmask all; substitute all"
