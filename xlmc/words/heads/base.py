"""The base of the heads."""

from collections.abc import Iterator
from typing import ClassVar

from attrs import frozen

from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import WrongPlace, WrongSize
from xlmc.syntax import ast
from xlmc.syntax.expression import literal
from xlmc.syntax.query import SPECIALS
from xlmc.theory.process import Process
from xlmc.words.base import Word

FIXED = tuple(special for special in SPECIALS if special not in ("pad", "mask"))


@frozen
class Place:
    """The positions at which a head can be read, and the reason why at no others.

    ``optional``: a head that names no place is given one.
    """

    names: tuple[str, ...]
    why: str
    example: str
    optional: bool = False

    def holds(self, place: ast.Name | None) -> bool:
        """Return whether a head is read there."""
        return self.optional if place is None else place.id in self.names


GAPS = Place(("gaps",), "xlmc reads numbers of missing tokens at the gaps", "gaps")


def where(head: ast.Head) -> str:
    """Return the place of a token that is predicted at a place."""
    return "to the right of each place" if head.shifted else "at each place"


def special(noun: str) -> Place:
    """Return the place of a head that is read once for each row."""
    return Place(FIXED, f"xlmc reads one {noun} for each row, at one special token", "cls")


class Head(Word):
    """A kind of head.

    ``noun`` is a head of it, in words; ``number``: it answers with a number, not with tokens;
    ``sized``: it names the largest one. ``ratios``: it answers with ratios, not a distribution.
    ``clocks``: formulas of the noise read it, and no term of a loss does. ``asked``, ``answer``:
    axes of the hidden states that its method reads, and of the answer.
    """

    slot = "a kind of head"
    noun: ClassVar[str]
    number: ClassVar[bool] = True
    sized: ClassVar[bool] = False
    ratios: ClassVar[bool] = False
    clocks: ClassVar[bool] = False
    asked: ClassVar[str] = "places"
    answer: ClassVar[str] = " places"

    def returns(
        self, head: ast.Head, process: Process, *, joint: bool, learns: str
    ) -> tuple[str, str]:
        """Name what the method of a head returns, and add a sentence about it, or "".

        ``joint``: its answers at all gaps of a row make one distribution. ``learns``: see
        `Use.trains`.
        """
        raise NotImplementedError

    def place(self, process: Process) -> Place:
        """Return the positions at which a head of this kind can be read under a process."""
        raise NotImplementedError

    def instead(self, process: Process) -> tuple[str, str]:
        """Return why no divergence trains such a head, and one to use instead; else twice ""."""
        del process
        return "", ""

    def wrong_size(self, head: ast.Head) -> tuple[str, str, str]:
        """Return problem, reason and hint about the size of a head, each "" if it is right."""
        if head.size is None:
            return "", "", ""
        return f"`{self.name}` takes no number", "one number too many", "drop it"

    def check(self, head: ast.Head, process: Process) -> Iterator[Diagnostic]:
        """Check the size and the place of a head."""
        problem, why, hint = self.wrong_size(head)
        if problem:
            yield WrongSize(span=(head.size or head).span, problem=problem, why=why, hint=hint)
        place = self.place(process)
        why, good = self.instead(process)
        if not why and place.holds(head.at):
            return
        yield WrongPlace(
            span=head.at.span if head.at else head.span,
            kind=self.noun,
            place=f"`{head.at.id}`" if head.at else "every token",
            why=why or place.why,
            example=f"head {head.name} : {good or f'{self._sized(head)} at {place.example}'}",
        )

    def _sized(self, head: ast.Head) -> str:
        if head.size is None or not self.sized:
            return self.name
        return f"{self.name}({head.size.span.text})"


def number(expr: ast.Expr | None) -> float | None:
    """Return the value of a literal; None where there is none."""
    return literal(expr) if expr is not None else None
