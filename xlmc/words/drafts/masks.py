"""``masks``: a draft of masks."""

from xlmc.words.drafts.base import Law


class Masks(Law):
    """The word ``masks``."""

    name = "masks"
    form = "draft ~ masks(NUMBER)"
    meaning = "So many masks, each in any of the gaps between the tokens that are given."
    example = "draft ~ masks(16)"
    number = "size"
    partial = "new"
    what = "masks"
    token = 'torch.full_like(gap, vocab["mask"])'
    specials = ("mask",)
