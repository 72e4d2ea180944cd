"""``blocks``: so many places at a time, from left to right."""

from xlmc.calculus.code import Code, built
from xlmc.theory.needs import arrow, met
from xlmc.theory.process import Process
from xlmc.words.windows.base import Window


class Blocks(Window):
    """The word ``blocks``."""

    name = "blocks"
    form = "blocks N"
    meaning = (
        "The free places are filled in blocks of N, from left to right. Where masks keep their "
        "places, the steps of a grid are shared over the blocks; else a block begins when the one "
        "before holds no mask. In a row that grows the places are counted anew at each step, and "
        "masks are inserted everywhere."
    )
    example = "blocks 32"
    default = "all places together"
    needs = (arrow("clean", "mask"),)

    def why_not(self, process: Process) -> str:
        """Return why no place waits to be filled; "" if some do."""
        if process.blocked:
            return "the noise has blocks already, and a decoder fills those one after the other"
        if met(self.needs, process):
            return ""
        if process.ordered:
            return "tokens come one by one, from left to right anyway"
        if process.replaces or process.drafts:
            return "this decoder fills no masks: any token may change at any step"
        return "this decoder fills no masks: a token is inserted together with its place"

    def masks(self, size: Code, *, shared: bool) -> Code:
        """Return the code of the masks in the blocks up to the one whose time has come.

        Where the steps are not shared, those in the first block that has some.
        """
        return built("in_block(canvas, tick, {})" if shared else "in_first_block(canvas, {})", size)

    def written(self, size: Code, *, shared: bool) -> Code:
        """Return the code of the tokens in the blocks up to the one whose time has come."""
        if shared:
            return built("blocks_so_far(canvas, tick, {}) & ~masked", size)
        return built("canvas.free & ~canvas.masked")
