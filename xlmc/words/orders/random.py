"""``random``: any order, each as likely."""

from xlmc.words.orders.base import Order


class Random(Order):
    """The word ``random``."""

    name = "random"
    form = "by random"
    meaning = "Any order, each as likely."
    example = "unmask one by random"
    default = "where a rule takes some of the places"
    order = 3
    code = "u"
    says = "a random number"
    reads = ("u",)
