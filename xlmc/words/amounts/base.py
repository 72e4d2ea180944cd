"""The base of the distributions of the amount of noise."""

from collections.abc import Iterator

from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.syntax import ast
from xlmc.words.base import Word


class Amount(Word):
    """A distribution of the amount of noise."""

    slot = "a distribution of the amount of noise"

    def check(self, amount: ast.Amount) -> Iterator[Diagnostic]:
        """Check the arguments of the distribution."""
        raise NotImplementedError
