"""``blocks``: a row is made of blocks, each with an amount of noise of its own."""

from typing import ClassVar

from xlmc.theory.needs import BLOCKED, PLACES, PURE, Need, arrow
from xlmc.words.noises.base import Noise, Range


class Blocks(Noise):
    """The word ``blocks``: with ``clean -> mask``, each block has its own amount of noise."""

    slot = "a noise of its own for each block"
    name = "blocks"
    form = "blocks N"
    meaning = (
        "The free tokens of a row are blocks of N. Each block has an amount of noise of its own "
        "(`length` is the block's), and is answered in view of the clean ones before it; a "
        "decoder writes one after the other."
    )
    example = "blocks 16"
    default = "a row has one amount of noise"
    needs: ClassVar[tuple[Need, ...]] = (arrow("clean", "mask"), PLACES, BLOCKED, PURE)
    last = ("clean", "mask")
    partial = "blocks"
    summary = "which tokens of each block are masked."
    done = "masked"
    lost = "what the mask tokens were"
    head = "head token : logits"
    amount = Range("count", "1", "length")
    attention = "blockwise"
    undo = "unmask chance reveal({clock})"
    stop = "write `stop when text = eos or length = limit`"
    hides = True
    likelihood = "blocks"
    latex = (
        r"-\log p(x_0) \le \sum_b E_{n \sim U\{1..L_b\}} \frac{L_b}{n}",
        r"\sum_{i \in b : x_t^i = m} -\log p(x_0^i \mid x_t^b, x_0^{<b})",
    )
    order = 1
