"""``left``: from left to right."""

from xlmc.words.orders.base import Order


class Left(Order):
    """The word ``left``."""

    name = "left"
    form = "by left"
    meaning = "From left to right."
    example = "unmask one by left"
    order = 4
    code = "-{column}.double()"
    says = "how far left it is"
    reads = ("column",)
    no_gap = "the leftmost gap may miss nothing"
