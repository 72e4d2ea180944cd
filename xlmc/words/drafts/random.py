"""``random``: a draft of random tokens."""

from xlmc.words.drafts.base import Law


class Random(Law):
    """The word ``random``."""

    name = "random"
    form = "draft ~ random(NUMBER)"
    meaning = (
        "So many random tokens, evenly from the vocabulary without special tokens, each in any of "
        "the gaps between the tokens that are given."
    )
    example = "draft ~ random(16)"
    number = "size"
    partial = "new"
    what = "random tokens"
    token = 'random_tokens(vocab, noise.uniform("random", {size}))'
