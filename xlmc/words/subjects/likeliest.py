"""``likeliest``: the token with the highest chance."""

from xlmc.words.subjects.base import Subject


class Likeliest(Subject):
    """The word ``likeliest``."""

    name = "likeliest"
    form = "by confidence of likeliest"
    meaning = "The confidence is the chance of the likeliest token."
    example = "unmask one by confidence of likeliest"
    default = "where a confidence names no token"
