"""The base of the windows of decoders."""

from xlmc.calculus.code import Code
from xlmc.theory.process import Process
from xlmc.words.base import Word


class Window(Word):
    """The places of a row that a step may change, where these are not all."""

    slot = "the places that a step may change"

    def why_not(self, process: Process) -> str:
        """Return why a process cannot be decoded in these windows; "" if it can."""
        raise NotImplementedError

    def masks(self, size: Code, *, shared: bool) -> Code:
        """Return the code of the masks inside; ``shared``: the steps are shared over windows."""
        raise NotImplementedError

    def written(self, size: Code, *, shared: bool) -> Code:
        """Return the code of the tokens that a step may remask; ``masked``: the masks inside."""
        raise NotImplementedError
