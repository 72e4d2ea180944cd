"""``clean -> random``: a random token replaces a token."""

from xlmc.theory.needs import PLACES, arrow
from xlmc.words.noises.base import Range, Replacing


class Replaces(Replacing):
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
    undo = "substitute all"
