"""The noise process: its arrows, and the facts that follow from them.

Words of the language need an arrow or a fact; no code depends on the name of a known process.
"""

from attrs import frozen

from xlmc.syntax import ast, query

STATES = ("clean", "mask", "gone", "random", "draft")
CORRUPTED = {"mask": "masked", "gone": "gone"}  # a state that shows -> the tokens in it

Step = tuple[str, ...]  # an arrow's states: the first, the one that it leads to, or these two
STRUCK = (("clean", "gone"),)  # the life of tokens that compete for events
BOTH = (("clean", "mask"), ("mask", "gone"))  # a life of masks that leave the row
LEARNED = ((("clean", "mask"),), BOTH)  # lives of tokens each of which may have clocks of its own
SPOILED = (("clean", "mask", "random", "clean"),)  # a life of masks, beside which some tokens show


@frozen
class Process:
    """The arrows of the noise in the order of a token's life.

    ``life`` is None where the arrows are no life that the checks accept: every fact is then false.
    ``blocked``: the row is made of blocks, each with an amount of noise of its own, and is written
    one after the other.
    ``struck``: the tokens of a row compete for events, and so are not corrupted each on its own.
    ``spoiled``: beside the tokens that become masks some become random ones, and some stay as they
    are, in training alone: decoding writes masks and what they were.
    ``learned``: a second network gives each token clocks of its own.
    ``permuted``: nothing is corrupted, and the order in which tokens are predicted is drawn; one
    that is yet to come is a mask.
    """

    life: tuple[Step, ...] | None
    arrows: tuple[ast.Arrow, ...] = ()
    amount: ast.Amount | None = None
    blocked: bool = False
    struck: bool = False
    spoiled: bool = False
    learned: bool = False
    permuted: bool = False

    @classmethod
    def of(cls, family: ast.Family) -> "Process":
        """Return the process of a family, sound or not."""
        arrows = query.arrows(family)
        silent = bool(query.those(query.entries(family, "noise"), ast.NoNoise))
        steps = tuple(map(step_of, arrows))
        struck = any(arrow.events is not None for arrow in arrows)
        known = silent != bool(steps) and _is_life(steps) and (not struck or steps == STRUCK)
        spoiled = steps == SPOILED and not struck
        filling = spoiled or steps == (("clean", "mask"),)
        blocked = filling and query.size_of_blocks(family) is not None
        learned = steps in LEARNED and query.clocks(family) is not None
        life = (SPOILED[0][:2],) if spoiled else steps if known else None
        amount = query.amount(family)
        permuted = life == () and query.permuted(family)
        counted = known and struck
        return cls(life, arrows, amount, blocked, counted, spoiled, learned, permuted)

    @property
    def known(self) -> bool:
        """True if the arrows are one life: from clean on, each from the end of the one before."""
        return self.life is not None

    @property
    def states(self) -> tuple[str, ...]:
        """The states that tokens go to, in order."""
        return tuple(state for step in self.life or () for state in step[1:])

    def leads(self, *step: str) -> bool:
        """Return whether the noise has the arrow ``a -> b``, or ``a -> b | c``, of these states."""
        return step in (self.life or ())

    def arrow(self, *step: str) -> ast.Arrow | None:
        """Return the arrow ``a -> b``, or ``a -> b | c``, of these states, or None."""
        pairs = zip(self.arrows, self.life or (), strict=False)
        return next((one for one, own in pairs if own == step), None)

    @property
    def ordered(self) -> bool:
        """Nothing is corrupted: tokens are predicted one after the other, from left to right."""
        return self.life == () and not self.permuted

    @property
    def masks(self) -> bool:
        """Some tokens become masks, or those that are yet to come are masks."""
        return "mask" in self.states or self.permuted

    @property
    def drops(self) -> bool:
        """Some tokens leave the row."""
        return "gone" in self.states or self.drafts

    @property
    def drafts(self) -> bool:
        """A text becomes a draft, which lacks tokens of it and has others."""
        return self.leads("clean", "draft")

    @property
    def inserts_masks(self) -> bool:
        """Masks leave the row, so that decoding inserts them before it reveals them."""
        return self.leads("mask", "gone")

    @property
    def replaces(self) -> bool:
        """Some tokens become random ones, which nothing marks."""
        return "random" in self.states

    @property
    def mixes(self) -> bool:
        """Some tokens become masks, and some random ones, by one clock."""
        return self.masks and self.replaces

    @property
    def holds_places(self) -> bool:
        """No token moves: a noised row and a clean one have the same positions."""
        return self.known and not self.drops

    @property
    def clocks(self) -> int:
        """The number of arrows, each with a clock of its own."""
        return len(self.life or ())

    @property
    def one_clock(self) -> bool:
        """True if the noise has one arrow, and so one clock."""
        return self.clocks == 1

    @property
    def counted(self) -> bool:
        """A noised row shows how many of its tokens are corrupted, and these are of one kind."""
        held = self.replaces or self.spoiled or self.learned or self.drafts
        return self.one_clock and not held

    @property
    def timed(self) -> bool:
        """Answers depend on the time, as no row shows how much noise there is."""
        return self.clocks > 0 and not self.counted and not self.spoiled

    @property
    def fixed_length(self) -> bool:
        """A noised row has the length of the clean one: decoding changes its tokens in place."""
        return (self.clocks > 0 or self.permuted) and self.holds_places and not self.blocked

    @property
    def rightward(self) -> bool:
        """A text is written from its beginning on: nothing is seen of what follows."""
        return self.ordered or self.blocked

    @property
    def fills(self) -> bool:
        """Decoding fills masks in place, whose number shows the time."""
        return self.masks and self.holds_places and not self.replaces

    @property
    def adds_tokens(self) -> bool:
        """True if no mask replaces a missing token: decoding adds tokens one at a time."""
        return self.known and not (self.masks or self.replaces or self.drafts)

    @property
    def scaled(self) -> bool:
        """Clocks run at scales that depend on the whole text: decoding knows none of them."""
        return self.learned and not self.one_clock

    @property
    def corrupted(self) -> tuple[str, ...]:
        """The words for the corrupted tokens, one for each kind of them."""
        if not self.known:
            return tuple(CORRUPTED.values())
        if self.replaces or self.drafts:
            return ()  # nothing shows which they are
        return (*(CORRUPTED[state] for state in self.states), *(["struck"] if self.spoiled else []))

    @property
    def end(self) -> str:
        """The state that noise leads to at last; "" where nothing is corrupted."""
        return self.life[-1][1] if self.life else ""

    @property
    def name(self) -> str:
        """The process in the words of a spec: ``clean -> mask`` with ``mask -> gone``."""
        life = SPOILED if self.spoiled else self.life or ()
        steps = " with ".join(f"`{written(step)}`" for step in life) or "`none`"
        if self.learned:
            return f"{steps} with clocks that are learned"
        if self.permuted:
            return "`none` with `order random`"
        return steps + " in blocks" * self.blocked


def written(step: Step) -> str:
    """Return the states of an arrow in the words of a spec."""
    return f"{step[0]} -> {' | '.join(step[1:])}"


def step_of(arrow: ast.Arrow) -> Step:
    """Return the states that an arrow connects."""
    others = (one.id for one in (arrow.other, arrow.third) if one is not None)
    return (arrow.origin.id, arrow.target.id, *others)


REPLACING = ((("clean", "random"),), (("clean", "mask", "random"),))  # one arrow, to random tokens


def _is_life(steps: tuple[Step, ...]) -> bool:
    """Return whether each arrow begins at the end of the one before, without repeated states."""
    life = ("clean", *(step[1] for step in steps))
    linked = all(step[0] == state for step, state in zip(steps, life, strict=False))
    known = len({*life}) == len(life) and {*life} <= {*STATES} and "gone" not in life[:-1]
    known = known and ("draft" not in life or life == ("clean", "draft"))
    replaces = any("random" in step for step in steps)
    mixes = any(len(step) > 2 for step in steps)
    return linked and known and (steps in REPLACING or not (replaces or mixes))


LIVES = (  # the processes that a spec can have
    *(
        Process(life)
        for life in (
            (("clean", "mask"),),
            (("clean", "gone"),),
            BOTH,
            (("clean", "draft"),),
            *REPLACING,
            (),
        )
    ),
    Process((("clean", "mask"),), blocked=True),
    Process((("clean", "mask"),), spoiled=True),
    Process((("clean", "mask"),), blocked=True, spoiled=True),
    Process(LEARNED[0], learned=True),
    Process(BOTH, learned=True),
    Process((), permuted=True),
)
