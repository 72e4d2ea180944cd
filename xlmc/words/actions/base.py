"""The base of the actions."""

from typing import ClassVar

from xlmc.syntax import ast
from xlmc.theory.needs import home, unmet
from xlmc.theory.process import Process, Step
from xlmc.words.base import Word

NO_NOISE = "nothing is corrupted: tokens follow one another"


class Action(Word):
    """An action of a step, or of the finish of a decoder.

    ``node`` is its node in the tree, ``what`` the noun behind its verb, and ``whats`` nouns of
    that kind. ``undoes`` is the arrow whose tokens it brings back, None where it brings none.
    ``rules`` are those by which it may choose, and ``one_rule`` the reason why by no others; "" if
    any will do. ``alone``: the reason why no rule follows another; "" if one may. ``remedy``: what
    to do where it has nothing to do; "" for the action that undoes the noise.
    """

    slot = "an action of a step"
    node: ClassVar[type[ast.Action]]
    what: ClassVar[str] = ""
    whats: ClassVar[str] = ""
    undoes: ClassVar[Step | None] = None
    rules: ClassVar[tuple[str, ...]] = ()
    one_rule: ClassVar[str] = ""
    alone: ClassVar[str] = ""
    remedy: ClassVar[str] = ""

    @property
    def verb(self) -> str:
        """Return the keyword that begins it."""
        return self.name.partition(" ")[0]

    @property
    def own(self) -> bool:
        """Return whether it adds to a row or brings tokens back: a step has one for each arrow."""
        return self.undoes is not None

    def why_not(self, process: Process) -> str:
        """Return why there is nothing for it to do under a process; "" if there is."""
        missing = unmet(self.needs, process)
        if missing is None:
            return ""
        other = f"tokens become `{process.end}`, not `{missing.state}`"
        if missing.state in process.states:
            other = f"xlmc supports it under {home(self.needs)} alone"
        return NO_NOISE if process.ordered else other

    def wrong_rule(self, much: ast.Much) -> str:
        """Return why it cannot choose by a rule, the others behind it apart; "" if it can."""
        return self.one_rule if self.rules and much.rule not in self.rules else ""
