"""``block``: keys and values of what is around a block are kept until it is done."""

from collections.abc import Mapping

from xlmc.syntax import ast, query
from xlmc.theory.needs import PLACES, WHOLE, arrow, unmet
from xlmc.theory.process import Process
from xlmc.words.reuses.base import Reuse

PARTS = ("prefix", "rest")


class Block(Reuse):
    """The word ``block``."""

    name = "block"
    form = "reuse prefix while block | reuse rest while block"
    meaning = (
        "The first step of a block of the decoder computes the whole row, and the others only a "
        "part of it, in view of the keys and values that the first one computed elsewhere. These "
        "were made in view of the masks that the block had, so that answers are approximate."
    )
    example = "reuse prefix while block"
    values = (
        ("prefix", "what is before the block is kept: the block and all behind it are computed"),
        ("rest", "what is before and behind it is kept: the block alone is computed"),
    )
    order = 1
    parts = PARTS
    needs = (
        WHOLE.because("blocks of the noise see nothing behind them: their cache is exact"),
        arrow("clean", "mask").because("a block is a number of masks that keep their places"),
        PLACES.because("a block is a number of masks that keep their places"),
    )

    def why_not(
        self, family: ast.Family, process: Process, causal: Mapping[str, bool]
    ) -> tuple[str, str]:
        """Return why keys and values cannot be kept."""
        del causal
        missing = unmet(self.needs, process)
        if missing is not None and process.known:
            exact = "write `reuse while prefix`" if process.rightward else "drop `reuse`"
            return missing.why, exact
        if query.shifted(family):
            why = "a head that is read to the left of a block reads a place that is not computed"
            return why, "drop `reuse`, or `shifted`"
        return "", ""

    def beside(self, section: ast.Section, process: Process) -> tuple[str, str]:
        """Return which other entry of a decoder it does not go with, and a hint; "" for none."""
        del process
        if query.first(section.entries, ast.Blocks) is None:
            return "this decoder has no blocks", "add `blocks 32`, or drop `reuse`"
        if query.first(section.entries, ast.Guide) is not None:
            return (
                "xlmc keeps the keys and values of one answer, and guidance has two",
                "drop the guide",
            )
        return "", ""
