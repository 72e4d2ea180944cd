"""The base of the scores by which places are ordered."""

from math import isinf
from typing import ClassVar

from attrs import frozen

from xlmc.words.base import Word

OF_TOKENS = "it says which token, and not if one is missing: `confidence` says both"


@frozen
class Weight:
    """A number by which a score is multiplied: the head that gives it, and its largest value."""

    head: str
    most: float


class Order(Word):
    """A score of places: the highest come first; or an error, of which the smallest do.

    ``code`` and ``error`` are forms of code over ``reads``, variables of the step; ``says`` and
    ``lacks`` are both in words. ``network``: it scores the network's answer, between ``low`` and
    ``high``, described by ``range``; ``threshold`` is an example. ``token``: it looks at one
    token, which may be the one that is drawn: ``drawn`` and ``drawn_error`` are then its codes.
    ``quantity`` is its code in an amount, be it of the token that is drawn; ``plain``: it is there
    what it is as a score. ``no_gap``: the reason why gaps do not come in this order.
    """

    slot = "a score by which places are ordered"
    code: ClassVar[str]
    error: ClassVar[str] = ""
    says: ClassVar[str]
    lacks: ClassVar[str] = ""
    reads: ClassVar[tuple[str, ...]] = ("logits",)
    network: ClassVar[bool] = False
    token: ClassVar[bool] = False
    drawn: ClassVar[str] = ""
    drawn_error: ClassVar[str] = ""
    samples: ClassVar[tuple[float, ...]] = ()  # some that it takes as an amount
    variable: ClassVar[str] = ""  # for its amounts at all places
    quantity: ClassVar[str] = ""
    drawn_quantity: ClassVar[str] = ""
    plain: ClassVar[bool] = True
    low: ClassVar[float] = 0.0
    high: ClassVar[float] = 1.0
    range: ClassVar[str] = ""
    threshold: ClassVar[str] = ""
    no_gap: ClassVar[str] = ""

    def coded(self, *, errors: bool, drawn: bool) -> str:
        """Return its code: of the error or the score, of the drawn token or the likeliest."""
        if drawn and self.token:
            return self.drawn_error if errors else self.drawn
        return self.error if errors else self.code

    def amount(self, *, drawn: bool) -> str:
        """Return its code in an amount."""
        return self.drawn_quantity if drawn and self.token else self.quantity

    def beyond(self, least: float, most: float, weight: Weight | None = None) -> str:
        """Return why thresholds from ``least`` to ``most`` separate no places; "" if they do."""
        high, within = self.high, self.range
        if weight is not None:
            high = high * weight.most if high else 0.0
            ends = "is at least 0" if isinf(high) else f"lies between 0 and {high:g}"
            within = f"`{weight.head}` times the {self.name} {ends}"
        if least >= high:
            return f"{within}: nothing is above {least:g}"
        return f"{within}: everything is above {most:g}" if most < self.low else ""
