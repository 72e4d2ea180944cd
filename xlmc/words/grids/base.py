"""The base of the grids of times."""

from collections.abc import Collection, Iterator
from typing import ClassVar

from xlmc.calculus.code import Code
from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.syntax import ast
from xlmc.theory.process import Process
from xlmc.words.base import Word


class Grid(Word):
    """The times of the steps of a decoder.

    ``timed``: a step leads from a time t to an earlier s, which expressions may read, and after the
    last step masks may be left.
    """

    slot = "a grid of times"
    timed: ClassVar[bool] = False
    way: ClassVar[str]  # completes "Reveal one mask of each row"
    summary: ClassVar[str]  # completes "Return"

    def why_not(self, process: Process) -> str:
        """Return why a process cannot be decoded on this grid; "" if it can."""
        del process
        return ""

    def wrong(self, step: ast.Step, single: Collection[str]) -> Iterator[Diagnostic]:
        """Complain about actions that cannot be taken at these times.

        ``single``: the rules that take one place.
        """
        del step, single
        yield from ()

    def ticks(self, steps: Code | None, size: Code | None, clocks: tuple[Code, ...]) -> Code | None:
        """Return the code of the ticks, the times of the steps; None for steps without times.

        ``size``: of a block, where the steps are shared over blocks.  ``clocks``: functions of the
        schedule, if the network reads the time.
        """
        raise NotImplementedError
