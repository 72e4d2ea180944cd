"""``cfg``: classifier-free guidance."""

from xlmc.words.base import Option
from xlmc.words.guides.base import Guide


class Cfg(Guide):
    """The word ``cfg``."""

    name = "cfg"
    form = "guide cfg(scale = W, without = WHAT)"
    meaning = (
        "The network answers once more without some part of the row, and the logits are moved away "
        "from that answer: without + (W + 1) (with - without). At W = 0 there is no second call. "
        "Numbers of missing tokens are those of the first answer."
    )
    example = "guide cfg(scale = 2.0, without = prompt)"
    default = "no guidance"
    options = (
        Option("scale", "Scale", "How far the logits are moved."),
        Option("without", "Part", "The part of the row that the second answer is without."),
    )
