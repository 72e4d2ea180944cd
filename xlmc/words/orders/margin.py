"""``margin``: the lead of the likeliest token over the second."""

from xlmc.words.orders.base import OF_TOKENS, Order


class Margin(Order):
    """The word ``margin``."""

    name = "margin"
    form = "by margin [of tempered] [temperature T]"
    meaning = "The lead of the likeliest token over the second."
    example = "unmask one by margin"
    order = 1
    code = "margin({logits})"
    error = "1 - margin({logits})"
    says = "the lead of its likeliest token over the second"
    lacks = "what the lead of its likeliest token over the second lacks to 1"
    network = True
    samples = (0.0, 0.5, 1.0)
    variable = "leads"
    quantity = "margin({logits})"
    range = "the margin lies between 0 and 1"
    threshold = "above 0.9 by margin"
    no_gap = OF_TOKENS
