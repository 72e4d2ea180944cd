"""``tempered``: the distribution that a token is drawn from."""

from xlmc.words.subjects.base import Subject


class Tempered(Subject):
    """The word ``tempered``."""

    name = "tempered"
    form = "by SCORE of tempered"
    meaning = "The score is of the distribution that the token is drawn from, tempered and cut."
    example = "unmask one by entropy of tempered"
    order = 2
    drawn = True
    law = True
    unfit = "only a score of the network's answer can be of a distribution"
