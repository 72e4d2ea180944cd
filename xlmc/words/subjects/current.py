"""``current``: the token that is there, in view of all others."""

from xlmc.words.subjects.base import Subject


class Current(Subject):
    """The word ``current``."""

    name = "current"
    form = "remask RULE by SCORE of current"
    meaning = "The score is of the token that is there, by the network's present answer."
    example = "remask quota 1 by confidence of current"
    order = 3
    there = True
    unfit = "only a score of the network's answer can be of the current token"
