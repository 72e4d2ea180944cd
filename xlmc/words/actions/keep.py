"""``keep``: all free places compete, and those that lose become masks."""

from xlmc.theory.needs import ALIKE, PLACES, WHOLE, arrow
from xlmc.words.actions.base import Action

ONE = "all places of a row compete, and a block of the noise that is done changes no more"
OWN = "which of the masks have a token at s is up to the clock of each token"


class Keep(Action):
    """The word ``keep``."""

    name = "keep"
    order = -4
    form = "keep quota N by confidence [weight E]"
    meaning = (
        "A token is drawn for each mask, and of all free places the N with the most likely token, "
        "drawn or there before, have a token after the step. The others are masks, so that a "
        "token that has become unlikely is masked again. A weight is that of the logarithm of the "
        "chance of a token that was there before: at 1 it is judged like all others, at 0 never "
        "masked again."
    )
    example = "keep quota length * (1 - s) by confidence"
    needs = (arrow("clean", "mask"), PLACES, WHOLE.because(ONE), ALIKE.because(OWN))
    undoes = ("clean", "mask")
    rules = ("quota",)
    one_rule = "all places compete, and a number of them wins"
    alone = "all places have competed already"
