"""``confidence``: the chance of a token."""

from xlmc.words.orders.base import Order


class Confidence(Order):
    """The word ``confidence``."""

    name = "confidence"
    form = "by confidence [of likeliest | sampled | tempered] [temperature T]"
    meaning = "The chance of the token: of the likeliest one, or of the one that was drawn."
    example = "unmask one by confidence"
    code = "likeliest({logits})"
    error = "1 - likeliest({logits})"
    says = "the chance of its token"
    lacks = "what the chance of its token lacks to 1"
    network = True
    samples = (1e-6, 0.5, 1.0)
    variable = "chances"
    quantity = "likeliest({logits})"
    drawn_quantity = "confidence({logits}, {token})"
    token = True
    drawn = "confidence({logits}, {token})"
    drawn_error = "1 - confidence({logits}, {token})"
    range = "the confidence lies between 0 and 1"
    threshold = "above 0.9 by confidence"
