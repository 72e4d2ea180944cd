"""The base of the arrows of the noise."""

from fractions import Fraction
from typing import ClassVar

from attrs import frozen

from xlmc.diagnostics.source import Span
from xlmc.syntax import ast
from xlmc.theory.process import Step
from xlmc.words.base import Word


@frozen
class Range:
    """An amount of noise that is drawn uniformly where a spec names none."""

    variable: str
    low: str
    high: str
    spread: str = ""

    def amount(self, span: Span) -> ast.Amount:
        """Return the entry of a spec."""
        ends = tuple(_end(text, span) for text in (self.low, self.high))
        law = ast.Call("uniform", ends, span=span)
        spread = ast.Name(self.spread, span=span) if self.spread else None
        return ast.Amount(ast.Name(self.variable, span=span), law, spread, span=span)


def _end(text: str, span: Span) -> ast.Expr:
    if text == "length":
        return ast.Name(text, span=span)
    return ast.Number(Fraction(text), text, span=span)


class Noise(Word):
    """An arrow, as the last one of a process: what it makes of a row, and what follows from it.

    ``partial`` is its template in templates/words/noises, ``likelihood`` the one of the bound in
    templates/words/likelihoods.
    """

    slot = "an arrow of the noise"
    last: ClassVar[Step | None]
    partial: ClassVar[str] = ""
    summary: ClassVar[str] = ""  # completes "Corruption: "
    done: ClassVar[str] = ""  # what tokens are, once corrupted
    lost: ClassVar[str] = ""  # what a head must answer to undo it, in words
    head: ClassVar[str] = ""  # such a head
    amount: ClassVar[Range | None] = None
    uncounted: ClassVar[str] = ""  # why the amount is no count of corrupted tokens
    forgets: ClassVar[bool] = False  # decoding starts from tokens that tell nothing of the text
    attention: ClassVar[str] = "full"
    undo: ClassVar[str]  # an action; {clock} is the survival, {number} a head for numbers of gaps
    number: ClassVar[str] = ""  # such a head's name in a family that has none
    stop: ClassVar[str]  # a hint at the conditions that can end a row; see `ending`
    unending: ClassVar[str] = ""  # why no condition can end one
    hides: ClassVar[bool] = False  # masks are left at the end of a grid
    likelihood: ClassVar[str]
    latex: ClassVar[tuple[str, ...]]
    rates: ClassVar[str] = ""  # the template and the formula where heads learn the rates
    of_rates: ClassVar[tuple[str, ...]] = ()
    of_pairs: ClassVar[tuple[str, ...]] = ()  # the formula of a row's rate and its pairs

    def ending(self, chance: str, number: str) -> str:
        """Return a hint at the conditions that can end a row.

        ``chance`` is a head of the family that gives a chance, ``number`` one that gives numbers of
        gaps; "" where it has none.
        """
        del chance, number
        return self.stop


class Replacing(Noise):
    """An arrow to random tokens, which nothing shows: the time cannot be seen, nor an end."""

    uncounted = "nothing shows how many tokens are random"
    forgets = True
    stop = "drop the stop: the grid ends the decoder"
    unending = "any token may change, up to the last step of the grid"
    likelihood = "posteriors"
    latex = (
        r"-\log p(x_0) \le \int_0^1 h(t) \, E \sum_{i\,\mathrm{free}} \sum_{y \ne x_t^i}",
        r"\big(\hat r_y - r_y + r_y \log (r_y / \hat r_y)\big) \, dt",
    )
