"""``entropy``: minus the entropy of the distribution of the token."""

from math import inf

from xlmc.words.orders.base import OF_TOKENS, Order


class Entropy(Order):
    """The word ``entropy``."""

    name = "entropy"
    form = "by entropy [of tempered] [temperature T]"
    meaning = "Minus the entropy of the distribution of the token, in nats."
    example = "unmask one by entropy"
    order = 2
    code = "negative_entropy({logits})"
    error = "-negative_entropy({logits})"
    says = "minus the entropy of its distribution"
    lacks = "the entropy of its distribution"
    network = True
    samples = (0.0, 1.0, 14.0)
    variable = "entropies"
    quantity = "-negative_entropy({logits})"
    plain = False
    low = -inf
    high = 0.0
    range = "it is minus the entropy, which is at most 0"
    threshold = "above -0.5 by entropy"
    no_gap = OF_TOKENS
