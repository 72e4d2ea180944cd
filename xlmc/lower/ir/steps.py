"""The parts of a decoder: its draws, its actions, its times, and the ends of rows."""

from attrs import frozen

from xlmc.calculus.code import Code
from xlmc.words.actions.edit import Edit as Action
from xlmc.words.rules.base import Actor, Rule
from xlmc.words.slots import order_words


@frozen
class Sampler:
    """A draw from logits: its temperature, top_k and top_p, or the likeliest."""

    cuts: tuple[tuple[str, Code], ...]
    greedy: bool
    summary: str


@frozen
class Order:
    """The order of candidates: the scores to choose from."""

    scores: tuple[str, ...]
    param: str  # name of the choice; "" where the score is fixed
    sampled: bool  # the score looks at the token that was drawn
    tempered: bool  # and at the distribution that it was drawn from
    temperature: Code | None

    @property
    def reads_network(self) -> bool:
        """Return whether the order reads the network's answer, or has a temperature."""
        scored = any(order_words()[one].network for one in self.scores)
        return scored or self.temperature is not None


@frozen
class Pace:
    """A rule with its amount; looks: the scores and heads of rates that the amount reads.

    joined: the places of the next rule are taken as well, not only where this one takes none.
    """

    rule: Rule
    code: Code | None
    looks: tuple[str, ...] = ()
    joined: bool = False


@frozen
class Unmask:
    """The masks that are revealed; gradual: with many steps no two in one.

    Of a row in which the first pace takes none the second takes some, and so on; that of a pace
    which is joined takes some of every row.
    """

    paces: tuple[Pace, ...]
    order: Order
    gradual: bool
    rate: Code | None = None  # the chance of a ratio of 1, where ratios say which masks stay
    clocked: bool = False  # an amount reads the clock of the token that is drawn
    timely: bool = True  # where tokens have clocks of their own: masks are revealed by these

    @property
    def reads_network(self) -> bool:
        """Return whether the order or an amount reads the network's answer."""
        looks = any(pace.looks for pace in self.paces)
        return self.order.reads_network or looks or self.clocked

    @property
    def always(self) -> bool:
        """Return whether some mask of each row that has one is revealed."""
        last = self.paces[-1].rule
        return bool(last.alone) or not last.empty

    @property
    def ahead(self) -> Code | None:
        """Return the number of masks that are revealed, where it is known before the answer."""
        (first, *others) = self.paces
        return first.code if first.rule.counts and not others and not first.looks else None


@frozen
class Insert:
    """The number of masks that go into each gap: rule is poisson or chance.

    overflow: the treatment of insertions that do not fit. timely: with many steps they return at
    the rate of the clock.
    """

    rule: str
    code: Code  # over the number expected in each gap, named like the head
    head: str  # name
    kind: str  # of the head: count or distribution
    overflow: str  # name of the function that leaves out what finds no room
    timely: bool


@frozen
class Several:
    """The choice of the gaps that get a token in a step, one at most each.

    actor: the variables of the gaps that may get one, and of what they weigh; "" where no rule
    compares them. number: the head whose numbers weigh the gaps, of a kind and at a place (its
    gaps, or a special token for a number of the row); "" where the joint distribution of tokens
    does, or nothing. timely: with many steps tokens come back as the clock gives.
    """

    paces: tuple[Pace, ...]  # over the number that is missing, named like the head
    order: Order
    actor: Actor
    joint: bool  # the distribution of tokens is one over all gaps
    number: str  # name
    kind: str
    at: str
    overflow: str  # name of the function that leaves out what finds no room; "" where all do
    timely: bool

    @property
    def apart(self) -> bool:
        """Return whether each gap gets a token with a chance of its own."""
        return all(pace.rule.of_place for pace in self.paces)


@frozen
class Guide:
    """Classifier-free guidance: a second network call, without the prompt or given tokens."""

    without: str  # prompt or given
    scale: Code
    lead: int  # specials of the layout before a prompt
    tail: int  # and behind it


@frozen
class Edit:
    """The places that a step changes in addition to those that it reveals.

    sure: those that were least sure when they were drawn; now: those of which this score of the
    network's present answer is lowest, or of an edit that revises highest. off: the param at whose
    0 there are none. sampled: the score looks at the token that was drawn.
    """

    word: Action
    paces: tuple[Pace, ...]
    now: str  # name of a score; "" for none
    temperature: Code | None  # of the order
    sure: bool
    off: str  # name
    sampled: bool = False

    @property
    def looks(self) -> bool:
        """Return whether its places are chosen by the network's present answer."""
        return bool(self.now) or any(pace.looks for pace in self.paces)

    @property
    def read(self) -> str:
        """The variable of the places at which it reads the answer; "" for none."""
        if self.looks:
            return self.word.candidates
        return self.word.places if self.word.reads else ""

    def made(self, canvas: str) -> str:
        """Return the code of the canvas after the edit."""
        return self.word.effect.format(canvas=canvas, places=self.word.places)


@frozen
class Keep:
    """The number of places of each row that have a token after a step; the others are masks."""

    number: Code
    weight: Code | None = None  # of the logarithms of the chances of tokens that are there


@frozen
class Substitute:
    """The tokens that are drawn anew, all of them, for the next time or for t = 0.

    function: of the library, that draws for the next time by the amounts; "" for t = 0.
    """

    function: str
    amounts: tuple[tuple[str, Code], ...]
    masks: bool  # decoding starts from masks


@frozen
class Correct:
    """The corrections of a text, each at ``moment``, the least time that training draws.

    times: their largest number. edit: the tokens that others replace. draw: how these are drawn.
    """

    times: Code
    moment: Code
    edit: Edit
    draw: Sampler


@frozen
class Rate:
    """The rate of an edit at each place, over the answer of a head, which is named like it."""

    head: str  # name
    code: Code


@frozen
class Editing:
    """The edits that make the text of a draft: insertions, deletions and substitutions.

    draft: code of the draft of a canvas; None where rows bring theirs. ``room``: code of the number
    of its tokens for which a row has room beside the text. overflow: as of a `Several`. timely:
    with many steps edits come as the clock gives.
    """

    draft: Code | None
    room: Code
    missing: Rate
    surplus: Rate
    wrong: Rate
    right: str  # name of the head of the tokens that are substituted
    draw: Sampler  # of these
    overflow: str
    timely: bool


@frozen
class Stop:
    """A condition that ends a row.

    Its kind is limit or oracle (a length), last (a token), chance or threshold (of a head).
    """

    kind: str
    name: str = ""  # name of the head, or of the special that the last token is
    variable: str = ""  # name of what is read, of which a head may have several
    at: str = ""
    of: str = ""  # what is read of the head: its chance, or that of zero
    code: Code | None = None  # over it
    temperature: Code | None = None  # None for 1

    @property
    def asks(self) -> bool:
        """Return whether the answer of a head ends a row."""
        return self.kind in ("chance", "threshold")


@frozen
class Size:
    """The draw of the length of a row, by a head at a special token; greedy: the likeliest."""

    head: str  # name
    at: str
    greedy: bool


@frozen
class Grid:
    """The times of the steps; ``timed``: each step has two, and masks may be left at the end."""

    timed: bool
    steps: Code | None  # their number
    ticks: Code | None  # None where nothing reads the times
    summary: str


@frozen
class Blocks:
    """The places that a step may change: their masks, and the tokens that it may mask again."""

    size: Code
    masks: Code
    written: Code
