"""The base of the divergences."""

from collections.abc import Callable
from typing import ClassVar

from attrs import frozen

from xlmc.theory.bound import Bound, Context
from xlmc.theory.needs import Need
from xlmc.theory.process import Step
from xlmc.words.base import Word


@frozen(kw_only=True)
class Use:
    """One way to use a divergence: its needs, its cost, and its form in code.

    ``undoes`` is the arrow that its head undoes, whose clock and chance are its own; None where
    there is no noise. ``trains``: what the head learns: a token, an end, a rate, the pace of
    a mask, a number of a row, or the numbers of its gaps.
    ``bound`` gives the weight that makes the term its part of the bound, or why there is none.
    """

    word: str
    partial: str  # its template, in templates/words/divergences
    needs: tuple[Need, ...]
    undoes: Step | None
    trains: str
    bound: Callable[[Context], Bound]
    head: str  # the kind of head that it trains
    place: str  # tokens, gaps or special
    target: str
    on: str = ""
    meaning: str  # a sentence
    sums: str = ""  # latex of the sum before its cost
    minus: bool = False  # its cost has this sign
    latex: str  # of the cost, without sum and sign
    letters: tuple[str, ...] = ()  # the meanings of letters of that
    example: str
    path: tuple[str, ...] = ()  # latex of the likelihood; () where that is the one of the noise
    imports: tuple[tuple[str, str], ...] = ()  # module of the library, name
    wrong_target: str = "its target is `{target}`, not `{found}`"
    wrong_on: str = "`on` has no meaning here"
    reads_batch: bool = False  # its code needs the clean batch beside the noised one
    reads_row: bool = False  # and the clean tokens at the places of the noised row
    reads_clock: bool = False  # and the chance at each row's time that a token has been corrupted
    reads_scales: bool = False  # its code needs the scales of the clocks of the clean tokens
    per_token: bool = False  # its weight may differ from token to token
    names_row_count: bool = False  # its formula says n
    at: str = "masked"  # of a noised batch: the places that it is summed over, where `on` says them
    ratios: bool = False  # its head gives ratios of chances, which need not be a distribution
    joint: bool = False  # one distribution of all places of a row, or the rate of all together

    @property
    def tells_end(self) -> bool:
        """True if the head is for the end, where nothing is missing."""
        return self.trains in ("end", "number")

    @property
    def written(self) -> str:
        """The term without its head, as a spec writes it."""
        return f"{self.word}({self.target})" + (f" on {self.on}" if self.on else "")


class Divergence(Word):
    """A word that measures the distance of a head's prediction from the truth."""

    slot = "a divergence of the loss"
    uses: ClassVar[tuple[Use, ...]]
    factor: ClassVar[str] = ""  # latex of what its options multiply it by
    letter: ClassVar[str] = ""  # the meaning of that

    def listed(self) -> dict[str, str]:
        """Map the divergence's uses (``HEAD at PLACE : TERM``) and options to their meanings."""
        uses = {f"{one.head} at {one.place} : {one.written}": one.meaning for one in self.uses}
        return uses | {f"{one.name} = {one.kind}": one.meaning for one in self.options}

    def detail(self, options: dict[str, str]) -> str:
        """Return sentences about the options, given their code."""
        return "".join(f"{name} = {code}. " for name, code in options.items())

    def share(self, options: dict[str, float | None]) -> float | None:
        """Return the factor of the plain term that the options leave; None where they bend it."""
        return None if options else 1.0
