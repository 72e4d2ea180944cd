"""The base of the laws of the amount of noise."""

from collections.abc import Iterator

from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.syntax import ast
from xlmc.words.base import Word


class Amount(Word):
    """A law of the amount of noise."""

    slot = "a law of the amount of noise"

    def check(self, amount: ast.Amount) -> Iterator[Diagnostic]:
        """Check the arguments of the law."""
        raise NotImplementedError
