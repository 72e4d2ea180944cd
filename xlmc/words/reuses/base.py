"""The base of the conditions under which an answer is used again."""

from collections.abc import Mapping
from typing import ClassVar

from xlmc.syntax import ast
from xlmc.theory.process import Process
from xlmc.words.base import Word


class Reuse(Word):
    """A condition under which an answer of the network is used again."""

    slot = "a condition under which an answer is used again"
    parts: ClassVar[tuple[str, ...]] = ()  # of a row, one of which is written before it

    def why_not(
        self, family: ast.Family, process: Process, causal: Mapping[str, bool]
    ) -> tuple[str, str]:
        """Return why an answer cannot be used again, and a hint; two times "" if it can.

        ``causal``: the causal backbones by name, True for those that keep keys and values.
        """
        raise NotImplementedError

    def beside(self, section: ast.Section, process: Process) -> tuple[str, str]:
        """Return which other entry of a decoder it does not go with, and a hint; "" for none."""
        del section, process
        return "", ""
