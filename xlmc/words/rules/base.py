"""The base of the rules by which an action takes places."""

from abc import abstractmethod
from typing import ClassVar

from attrs import frozen

from xlmc.calculus.code import Code, beside_tokens
from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import WrongRule
from xlmc.syntax import ast
from xlmc.theory.probe import SLIP
from xlmc.words.base import Word


@frozen
class Actor:
    """An action that takes places: the variable of its candidates, and streams of its noise.

    ``stream`` is of the places, ``numbers`` of a random number for each row. ``weights``: the
    variable by which candidates count in a mean over a row; "" where all count alike.
    ``optional``: a candidate may have to stay as it is, so that to take it is an error.
    """

    candidates: str
    stream: str
    numbers: str
    weights: str = ""
    optional: bool = False

    def mean(self, values: str) -> str:
        """Return the text of the mean of a variable over the candidates of each row."""
        name, among = ("weighted", self.weights) if self.weights else ("mean", self.candidates)
        return f"{name}({values}, {among})"


class Rule(Word):
    """A rule that takes some of the candidates of each row.

    ``takes``: what it takes, in words. ``ordered``: it takes those that come first.
    ``scored``: its amount is compared with a score of the network's answer: what it does, in words.
    ``thresholds``: it compares one score.
    ``errors``: those with the smallest errors come first. ``counts``: its amount is a number of
    places for each row. ``single``: it takes one. ``empty``: of a row with candidates it may take
    none; ``some`` is the least amount of which it takes some, and an example. ``draws``: which
    places it takes is random.
    """

    slot = "a rule by which an action takes places"
    takes: ClassVar[str]
    ordered: ClassVar[bool] = True
    scored: ClassVar[str] = ""
    thresholds: ClassVar[bool] = False
    errors: ClassVar[bool] = False
    counts: ClassVar[bool] = False
    single: ClassVar[bool] = False
    empty: ClassVar[bool] = False
    draws: ClassVar[bool] = False
    alone: ClassVar[str] = ""  # what it takes of every row where no other rule follows, in words
    surely: ClassVar[bool] = False  # it takes as many as on the average, if these are all
    of_place: ClassVar[bool] = False  # its amount is one of each place, not of a row
    whole: ClassVar[bool] = False  # it takes every candidate
    some: ClassVar[tuple[float, str] | None] = None
    hint: ClassVar[str] = ""  # at an amount that is not below 0

    def wrong(self, value: ast.Expr, found: float, where: str, hint: str = "") -> Diagnostic | None:
        """Return a complaint about a value of its amount; None where it is possible."""
        hint = hint or self.hint
        if not hint or found >= -SLIP:
            return None
        why = f"{found:g} {where}".strip()
        return WrongRule(span=value.span, rule=self.name, why=why, hint=hint)

    def revealed(self, amount: float, masked: float) -> float:
        """Return how many of so many masks an amount reveals on the average, in theory."""
        del amount
        return masked if self.whole else 0.0

    def rare(self, amount: float, bound: float) -> bool:
        """Return whether an amount below ``bound`` is that of almost no second place."""
        return amount < bound

    def amount(self, value: Code, actor: Actor) -> Code:
        """Return the code of its amount, given that of the value."""
        del actor
        return beside_tokens(value)

    @abstractmethod
    def places(self, score: Code, amount: Code | None, actor: Actor, *, last: bool) -> Code:
        """Return code that chooses places by their scores and the amount of the rule.

        ``last``: no rule follows for rows in which this one takes no place.
        """
