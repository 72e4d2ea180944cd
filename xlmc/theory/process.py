"""The noise process: its arrows, and the facts that follow from them.

Words of the language need an arrow or a fact; no code depends on the name of a known process.
"""

from attrs import frozen

from xlmc.syntax import ast, query

STATES = ("clean", "mask", "gone", "random")
CORRUPTED = {"mask": "masked", "gone": "gone"}  # a state that shows -> the tokens in it

Step = tuple[str, str]  # an arrow's states


@frozen
class Process:
    """The arrows of the noise in the order of a token's life.

    ``life`` is None where the arrows are no life that the checks accept: every fact is then false.
    ``blocked``: the row is made of blocks, each with an amount of noise of its own, and is written
    one after the other.
    """

    life: tuple[Step, ...] | None
    arrows: tuple[ast.Arrow, ...] = ()
    amount: ast.Amount | None = None
    blocked: bool = False

    @classmethod
    def of(cls, family: ast.Family) -> "Process":
        """Return the process of a family, sound or not."""
        arrows = query.arrows(family)
        silent = bool(query.those(query.entries(family, "noise"), ast.NoNoise))
        steps = tuple(map(step_of, arrows))
        known = silent != bool(steps) and _is_life(steps)
        blocked = steps == (("clean", "mask"),) and query.size_of_blocks(family) is not None
        return cls(steps if known else None, arrows, query.amount(family), blocked)

    @property
    def known(self) -> bool:
        """True if the arrows are one life: from clean on, each from the end of the one before."""
        return self.life is not None

    @property
    def states(self) -> tuple[str, ...]:
        """The states that tokens go to, in order."""
        return tuple(target for _, target in self.life or ())

    def leads(self, origin: str, target: str) -> bool:
        """Return whether an arrow leads from one state to another."""
        return (origin, target) in (self.life or ())

    def arrow(self, origin: str, target: str) -> ast.Arrow | None:
        """Return the arrow from one state to another, or None."""
        found = (one for one in self.arrows if step_of(one) == (origin, target))
        return next(found, None)

    @property
    def ordered(self) -> bool:
        """Nothing is corrupted: tokens are predicted one after the other."""
        return self.life == ()

    @property
    def masks(self) -> bool:
        """Some tokens become masks."""
        return "mask" in self.states

    @property
    def drops(self) -> bool:
        """Some tokens leave the row."""
        return "gone" in self.states

    @property
    def inserts_masks(self) -> bool:
        """Masks leave the row, so that decoding inserts them before it reveals them."""
        return self.leads("mask", "gone")

    @property
    def replaces(self) -> bool:
        """Some tokens become random ones, which nothing marks."""
        return "random" in self.states

    @property
    def holds_places(self) -> bool:
        """No token moves: a noised row and a clean one have the same positions."""
        return self.known and not self.drops

    @property
    def clocks(self) -> int:
        """The number of arrows, each with a clock of its own."""
        return len(self.states)

    @property
    def one_clock(self) -> bool:
        """True if one kind of token is corrupted, so that its number shows the amount of noise."""
        return self.clocks == 1

    @property
    def counted(self) -> bool:
        """A noised row shows how many of its tokens are corrupted, and these are of one kind."""
        return self.one_clock and not self.replaces

    @property
    def timed(self) -> bool:
        """Answers depend on the time, as no row shows how much noise there is."""
        return self.clocks > 0 and not self.counted

    @property
    def fixed_length(self) -> bool:
        """A noised row has the length of the clean one: decoding changes its tokens in place."""
        return self.clocks > 0 and self.holds_places and not self.blocked

    @property
    def rightward(self) -> bool:
        """A text is written from its beginning on: nothing is seen of what follows."""
        return self.ordered or self.blocked

    @property
    def fills(self) -> bool:
        """Decoding fills masks in place, whose number shows the time."""
        return self.masks and self.holds_places

    @property
    def adds_tokens(self) -> bool:
        """True if no mask replaces a missing token: decoding adds tokens one at a time."""
        return self.known and not self.masks and not self.replaces

    @property
    def corrupted(self) -> tuple[str, ...]:
        """The words for the corrupted tokens, one for each kind of them."""
        if not self.known:
            return tuple(CORRUPTED.values())
        return tuple(CORRUPTED[state] for state in self.states if state in CORRUPTED)

    @property
    def end(self) -> str:
        """The state that noise leads to at last; "" where nothing is corrupted."""
        return self.states[-1] if self.states else ""

    @property
    def name(self) -> str:
        """The process in the words of a spec: ``clean -> mask`` with ``mask -> gone``."""
        steps = [f"`{origin} -> {target}`" for origin, target in self.life or ()]
        return (" with ".join(steps) or "`none`") + " in blocks" * self.blocked


def step_of(arrow: ast.Arrow) -> Step:
    """Return the states that an arrow connects."""
    return (arrow.origin.id, arrow.target.id)


def _is_life(steps: tuple[Step, ...]) -> bool:
    """Return whether each arrow begins at the end of the one before, without repeated states."""
    life = ("clean", *(target for _, target in steps))
    linked = all(origin == state for (origin, _), state in zip(steps, life, strict=False))
    known = len({*life}) == len(life) and {*life} <= {*STATES} and "gone" not in life[:-1]
    return linked and known and ("random" not in life or life == ("clean", "random"))


LIVES = (  # the processes that a spec can have
    *(
        Process(life)
        for life in (
            (("clean", "mask"),),
            (("clean", "gone"),),
            (("clean", "mask"), ("mask", "gone")),
            (("clean", "random"),),
            (),
        )
    ),
    Process((("clean", "mask"),), blocked=True),
)
