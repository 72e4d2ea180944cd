"""The base of the layouts."""

from typing import ClassVar

from xlmc.theory.process import Process
from xlmc.words.base import Word


class Layout(Word):
    """A layout of a sequence.

    ``prompts``: a prompt precedes the brackets; ``keeps``: some tokens inside them are given.
    """

    slot = "a layout"
    detail: ClassVar[str]  # its sentence in a package
    prompts: ClassVar[bool] = False
    keeps: ClassVar[bool] = False

    def written(self, process: Process) -> str:
        """Return the layout as a spec writes it under a process."""
        prompt = "prompt " * self.prompts
        keeping = f" keeping {kept(process)}" * self.keeps
        return plain(self.name, process).replace(" : ", f" : {prompt}") + keeping


def plain(name: str, process: Process) -> str:
    """Return a layout of a body alone, by any name."""
    return f"{name} : bos {_body(process)}"


def kept(process: Process) -> str:
    """Return what infilling can keep: any tokens, or the first ones of a text."""
    return "prefix" if process.rightward else "given"


def _body(process: Process) -> str:
    if process.ordered:
        return "[body eos]"
    if process.blocked:
        return "[body eos pad]"
    return "[body]" if process.leads("clean", "gone") else "[body] eos"
