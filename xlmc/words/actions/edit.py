"""The base of the actions that change places of a row other than those that a step reveals."""

from typing import ClassVar

from xlmc.theory.needs import WHOLE, Need, arrow
from xlmc.theory.process import Process
from xlmc.words.actions.base import Action

DONE = "a block is done when it holds no mask, and the next one is read in view of it"
EDITED = (arrow("clean", "mask"), WHOLE.because(DONE))
RULES: tuple[str, ...] = ("chance", "quota", "poisson", "one", "all")  # none compares a score
CANDIDATES = {"masks": "masked", "tokens": "written", "all": "present"}  # to variables


class Edit(Action):
    """An action that changes the tokens at some of the places of a row, or takes them out.

    ``chooses``: among which, "masks", "tokens" that are written, or "all". They are those of
    the state before the step; of two edits of a place the later holds, and the reveal is the last.
    ``effect`` is the canvas behind it, a form of code over ``{canvas}`` and ``{places}``; "" where
    one edit of the canvas does all that a step does. ``answered``: the network answers for each of
    its places. ``reads``: the partial ``words/actions/NAME.j2`` has lines of code that compute from
    the network's answer what the effect takes, and ``library`` the names that they take from
    modules of the library: ``{"sampling": "confidence"}``. ``hides``: tokens become masks, or leave
    the row, so that nothing but a grid ends the steps. ``revises``: it replaces tokens by those
    that are now drawn for their places, as long as a step changes one; a score of these compares
    them. ``does`` completes "Reveal one mask of each row and". ``breaks`` is the reason why samples
    have another distribution with it. ``variable`` is that of its places, and ``stream`` the noise
    of a random number of them; both have defaults.
    """

    chooses = "tokens"
    needs: ClassVar[tuple[Need, ...]] = EDITED
    rules = RULES
    one_rule = "xlmc takes the places of an edit by `chance`, `quota`, `poisson`, `one` or `all`"
    effect: ClassVar[str] = ""
    answered: ClassVar[bool] = True
    reads: ClassVar[bool] = False
    library: ClassVar[dict[str, str]] = {}
    hides: ClassVar[bool] = False
    revises: ClassVar[bool] = False
    does: ClassVar[str]
    variable: ClassVar[str] = ""
    stream: ClassVar[str] = ""
    breaks: ClassVar[str] = ""

    def why_not(self, process: Process) -> str:
        """Return why there is nothing for it to do under a process; "" if there is."""
        return self.lacking((*EDITED, *self.needs), process)

    @property
    def partial(self) -> str:
        """Return the template of what it computes from the network's answer."""
        return f"words/actions/{self.name}.j2"

    @property
    def endless(self) -> bool:
        """Return whether nothing but a grid ends the steps."""
        return self.hides or self.revises

    @property
    def candidates(self) -> str:
        """Return the variable of the places among which it chooses."""
        return CANDIDATES[self.chooses]

    @property
    def places(self) -> str:
        """Return the variable of the places that it takes."""
        return self.variable or f"{self.name}_places"

    @property
    def numbers(self) -> str:
        """Return the name of the noise by which each row's number of places is drawn."""
        return self.stream or f"{self.name}_number"

    @property
    def why(self) -> str:
        """Return the reason why samples have another distribution with it."""
        return self.breaks or f"`{self.name}` is no step of the reverse chain"
