"""``blocks`` of masks beside tokens that do not show what happened to them."""

from typing import ClassVar

from xlmc.theory.needs import BLOCKED, SPOILED, Need
from xlmc.words.noises.base import Range
from xlmc.words.noises.blocks import Blocks


class SpoiledBlocks(Blocks):
    """The word ``blocks``, with ``clean -> mask | random | clean``."""

    name = "blocks of struck tokens"
    form = "clean -> mask | random share NUMBER | clean share NUMBER  ...; blocks N"
    meaning = (
        "The free tokens of a row are blocks of N. Those of each block are struck by a time of its "
        "own, and become masks, random ones, or stay; they are answered in view of the blocks "
        "before, as these were."
    )
    default = ""
    needs: ClassVar[tuple[Need, ...]] = (SPOILED, BLOCKED)
    partial = "spoiled_blocks"
    summary = "which tokens of each block are struck, and become masks, random ones, or stay."
    amount = Range("t", "0", "1")
    uncounted = "a block does not show how many tokens are struck: some are random, and some stay"
    order = 2
