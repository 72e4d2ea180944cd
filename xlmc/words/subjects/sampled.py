"""``sampled``: the token that is drawn."""

from xlmc.words.subjects.base import Subject


class Sampled(Subject):
    """The word ``sampled``."""

    name = "sampled"
    form = "by confidence of sampled"
    meaning = "The confidence is the chance of the token that was drawn."
    example = "unmask one by confidence of sampled"
    order = 1
    drawn = True
