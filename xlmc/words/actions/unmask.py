"""``unmask``: masks become tokens."""

from xlmc.theory.needs import MASKED
from xlmc.words.actions.base import Action


class Unmask(Action):
    """The word ``unmask``."""

    name = "unmask"
    order = -6
    form = "unmask RULE by ORDER"
    meaning = "Masks become tokens."
    example = "unmask quota masked / steps_left by confidence"
    forms = (
        "unmask one by random",
        "unmask chance reveal(alpha)",
        "unmask quota masked / steps_left by confidence of sampled",
    )
    simplest = "unmask quota 2"
    needs = (MASKED,)
    chooses = "masks"
    undoes = ("clean", "mask")
