"""The base of the actions."""

from typing import ClassVar

from xlmc.syntax import ast, query
from xlmc.syntax.vocabulary import Verb, listing
from xlmc.theory.needs import Need, home, unmet
from xlmc.theory.process import Process, Step
from xlmc.words.base import Word

ONCE = "nothing is corrupted: every token is written once, and stays"
NO_NOISE = "nothing is corrupted: tokens follow one another"


class Action(Word):
    """An action of a step, or of the finish of a decoder.

    ``node`` is its node in the tree, ``what`` the noun behind its verb, and ``whats`` nouns of
    that kind. ``forms`` are examples for a message about its form, ``simplest`` one about its rule:
    by default both are the example. ``undoes`` is the arrow whose tokens it brings back, None where
    it brings none. ``chooses``: the places among which its rule chooses, "masks" or "tokens"; ""
    where it takes all that there are, or none. ``rules`` are those by which it may choose, and
    ``one_rule`` the reason why by no others; "" if any will do. ``alone``: the reason why no rule
    follows another; "" if one may. ``first``: messages about the form of its verb are its own.
    """

    slot = "an action of a step"
    node: ClassVar[type[ast.Action]] = ast.Act
    forms: ClassVar[tuple[str, ...]] = ()
    simplest: ClassVar[str] = ""
    what: ClassVar[str] = ""
    whats: ClassVar[str] = ""
    undoes: ClassVar[Step | None] = None
    rules: ClassVar[tuple[str, ...]] = ()
    chooses: ClassVar[str] = ""
    one_rule: ClassVar[str] = ""
    alone: ClassVar[str] = ""
    first: ClassVar[bool] = True

    @property
    def verb(self) -> str:
        """Return the keyword that begins it."""
        return self.name.partition(" ")[0]

    def means(self, action: ast.Action) -> bool:
        """Return whether an action has its verb."""
        return query.verb(action) == self.verb

    @property
    def written(self) -> Verb:
        """Return the messages about its form ``VERB RULE``."""
        simplest = self.simplest or self.example
        rule = f"the rule, as `{simplest.split()[1]}` in `{simplest}`,"
        return Verb(f"the action is written {self.examples}", rule)

    @property
    def remedy(self) -> str:
        """Return what to do where it has nothing to do; "" for what undoes the noise."""
        return "" if self.own else f"drop the {self.verb}"

    @property
    def examples(self) -> str:
        """Return examples of its forms, in words."""
        return listing([f"`{one}`" for one in self.forms or (self.example,)], "or")

    @property
    def own(self) -> bool:
        """Return whether it adds to a row or brings tokens back: a step has one for each arrow."""
        return self.undoes is not None

    def why_not(self, process: Process) -> str:
        """Return why there is nothing for it to do under a process; "" if there is."""
        return self.lacking(self.needs, process)

    def lacking(self, needs: tuple[Need, ...], process: Process) -> str:
        """Return the reason for the first need that a process does not meet; "" if it meets all."""
        missing = unmet(needs, process)
        if missing is None:
            return ""
        if process.ordered:
            return NO_NOISE
        if process.permuted:
            return ONCE
        if missing.why:
            return missing.why
        if not missing.state:
            return f"it needs {missing.meaning}"
        if missing.state in process.states:
            return f"xlmc supports it under {home(needs)} alone"
        return f"tokens become `{process.end}`, not `{missing.state}`"

    def wrong_rule(self, much: ast.Much) -> str:
        """Return why the action cannot choose by this rule; "" if it can."""
        return self.one_rule if self.rules and much.rule not in self.rules else ""
