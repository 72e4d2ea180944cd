"""The intermediate representation: what the templates may read, with every decision made.

A field is `code` (made by our own printers), a `name` (a checked identifier), a word of a fixed
set, or else text, which the templates escape.
"""

from collections.abc import Container

from attrs import frozen

from xlmc.calculus.code import CLOCK, Code
from xlmc.lower import parts
from xlmc.words.rules.base import Rule
from xlmc.words.slots import order_words

PYTHON = {"Count": "int", "Size": "int", "Chance": "float", "Scale": "float"}


@frozen
class Param:
    """A typed value that a run may override."""

    name: str  # name
    kind: str  # Count, Size, Chance, Scale or Choice
    default: Code  # a literal
    options: tuple[str, ...] = ()

    @property
    def python(self) -> str:
        """Return its type in annotations."""
        return PYTHON.get(self.kind) or f"Literal[{', '.join(map(repr, self.options))}]"


@frozen
class Init:
    """`__init__.py`: a description of the family, and the reading order."""

    name: str
    title: str
    doc: str
    claim: str
    papers: tuple[str, ...]
    files: tuple[tuple[str, str], ...]
    order: tuple[str, ...] = ()  # a line for each of them, known when all files are
    helpers: tuple[str, ...] = ()  # and for each that they take from


@frozen
class Used:
    """A function of `schedule.py` as templates call it; ``more`` is what it takes beside a time."""

    name: str  # name
    more: str = ""  # code

    def of(self, argument: str) -> str:
        """Return a call of it."""
        return f"{self.name}({argument}{self.more})"


@frozen
class Function:
    """A function of `schedule.py`: one quantity of a clock."""

    name: str  # name
    arguments: tuple[str, ...]  # names
    summary: str
    latex: tuple[str, ...]
    code: Code  # over the arguments
    low: Code | None  # the least value of an inverse's argument; None for the other functions
    spec: str
    more: str  # code: the clock among its arguments; "" where it has no params


@frozen
class Bisection:
    """The inverse of a survival for which there is no closed form."""

    name: str  # name
    survival: Used
    spec: str
    more: str  # code, as of a function


@frozen
class Schedule:
    """`schedule.py`: of the clocks, what the package uses."""

    functions: tuple[Function, ...]
    bisections: tuple[Bisection, ...]
    math: bool
    params: tuple[Param, ...]


@frozen
class Noise:
    """`noise.py`: the amount of noise of an example, and its effect on the tokens."""

    partial: str  # its template
    summary: str
    done: str  # what tokens are, once corrupted
    spec: str
    variable: str  # t or count
    fixed: bool  # the amount is `low` for every example
    low: Code
    high: Code | None  # None for counts, which go up to the row's length
    spread: str  # "", stratified or antithetic
    survival: str
    corrupted: Used | None  # the function 1 - alpha; None where the amount is a count
    inverse: Used | None  # the function that gives t from alpha; None where none is needed
    masks: Used | None  # of two arrows, the first one's function 1 - alpha; None for one arrow
    whole: Code | None  # the share that is gone at t = 1; None for all
    latex: tuple[str, ...]  # of two arrows
    schedule: tuple[str, ...]  # names imported
    carries_t: bool
    more: str  # code: the clock among the arguments of `corrupt`; "" where it takes none
    numbers: bool  # something reads how many tokens are gone from each gap


@frozen
class Head:
    """A head: kind is logits, chance, count or distribution.

    It is read at tokens, gaps or a special token; a distribution is one of the numbers 0..size.
    """

    name: str  # name
    kind: str
    at: str
    shifted: bool  # it is read one position to the left
    size: int
    following: bool  # it speaks of the token after the one at which it stands
    joint: bool  # its logits are of one law over all gaps of a row


@frozen
class Told:
    """The arguments of a network beside the tokens, and its backbone; both "" if there are none."""

    name: str  # t or sigma
    code: str  # over that
    clock: str = ""  # code: the clock among the arguments of the network
    schedule: tuple[str, ...] = ()  # names imported


@frozen
class Network:
    """`network.py`: the backbone and its heads."""

    backbone: str  # name of the class
    block: str  # name of its block's class; "" where it has none to choose
    imports: tuple[tuple[str, tuple[str, ...]], ...]  # modules of the library, and names
    module: str  # dotted module of a custom backbone; "" for a shipped one
    told: Told
    published: str  # name of the head that published weights have; "" where there are none
    heads: tuple[Head, ...]


@frozen
class Term:
    """A term of the loss, summed over tokens or rows with a weight.

    ``partial`` is the template of the use of its divergence.
    """

    head: str  # name
    signature: tuple[str, ...]  # of its function: names with their types
    arguments: tuple[str, ...]  # the names alone
    entry: str  # of the dict of terms
    partial: str
    at: str
    size: int  # of a distribution: the largest number that it tells apart
    weight: Code | None  # over t, count, length and params; None for 1
    reads: tuple[str, ...]  # of t, count and length: what the weight reads
    row: Code  # the clean tokens at the places of the noised row
    per_row: bool  # the weight differs from row to row
    per_token: bool  # and from token to token
    shifted: bool  # the head is read one position to the left
    cast: bool  # the weight is float64
    options: tuple[tuple[str, Code], ...]  # of its divergence
    summary: str
    detail: str
    lost: Used | None  # the function 1 - alpha; None where its cost reads no clock


@frozen
class Loss:
    """`loss.py`: the terms and what their sum is divided by."""

    title: str
    signature: tuple[str, ...]  # of the function: names with their types and defaults
    trunk: tuple[str, ...]  # the arguments of the trunk
    imports: tuple[tuple[str, tuple[str, ...]], ...]  # modules of the package, and names
    terms: tuple[Term, ...]
    over: Code  # over the batch: what the sum is divided by
    divisor: Code  # that, or 1 where it is 0
    latex: tuple[str, ...]
    units: str


@frozen
class Likelihood:
    """`likelihood.py`: an unbiased estimate of a bound on -log p of each example."""

    partial: str  # its template
    head: str  # name
    shifted: bool  # the head is read one position to the left
    gap: str  # name of the head of numbers; "" where there is none
    hazards: tuple[Used, ...]  # those of unmasking and of insertion
    power: int  # times are drawn as this power of uniform draws
    stop: str  # name
    stop_at: str
    numbers: bool  # that head gives a law of the number that is missing
    schedule: tuple[str, ...]
    inverse: Used | None  # None where neither the network nor a cost is told the time
    condition: Code | None
    more: str  # code: the clock among the arguments; "" where it takes none
    drawn: str  # code: that in a call of `corrupt`
    detail: str
    latex: tuple[str, ...]
    size: str = ""  # name of the head of the length; "" where that is given
    size_at: str = ""


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
        """Return whether it reads the network's answer, or draws by a temperature beside it."""
        scored = any(order_words()[one].network for one in self.scores)
        return scored or self.temperature is not None


@frozen
class Pace:
    """A rule with its amount; looks: the scores of the network's answer that the amount reads."""

    rule: Rule
    code: Code | None
    looks: tuple[str, ...] = ()


@frozen
class Unmask:
    """The masks that are revealed; gradual: with many steps no two in one.

    Of a row in which the first pace takes none the second takes some, and so on.
    """

    paces: tuple[Pace, ...]
    order: Order
    gradual: bool

    @property
    def reads_network(self) -> bool:
        """Return whether the order or an amount reads the network's answer."""
        return self.order.reads_network or any(pace.looks for pace in self.paces)

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
    """The choice of the gaps that get a token in a step: rule is one, chance, quota or above.

    number: the head whose numbers weigh the gaps, of a kind and at a place (its gaps, or a special
    token for a number of the row); "" where the joint law of tokens does, or where nothing does.
    timely: with many steps tokens come back as the clock gives.
    """

    rule: str
    code: Code | None  # over the number that is missing, named like the head
    order: Order
    joint: bool  # the law of tokens is one over all gaps
    number: str  # name
    kind: str
    at: str
    overflow: str  # name of the function that leaves out what finds no room; "" where all do
    timely: bool


@frozen
class Guide:
    """A second look without something, from which the answers are moved away."""

    without: str  # prompt or given
    scale: Code
    lead: int  # specials of the layout before a prompt
    tail: int  # and behind it


@frozen
class Remask:
    """The drawn tokens that become masks again.

    sure: those that were least sure when they were drawn; now: those of which this score of the
    network's present answer is lowest. off: the param at whose 0 none does.
    """

    paces: tuple[Pace, ...]
    now: str  # name of a score; "" for none
    temperature: Code | None  # of the order
    sure: bool
    off: str  # name

    @property
    def looks(self) -> bool:
        """Return whether it reads the network's present answer at tokens."""
        return bool(self.now) or any(pace.looks for pace in self.paces)


@frozen
class Substitute:
    """The tokens that are drawn anew, all of them, for the next time or for t = 0."""

    lost: Code | None  # the function 1 - alpha; None where tokens are those of t = 0


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
    """The places that a step may change: their masks, and the tokens that it may take back."""

    size: Code
    masks: Code
    written: Code


@frozen
class Decoder:
    """A decoder: its params, methods and base classes."""

    name: str
    klass: str  # name
    spec: str
    doc: tuple[str, ...]
    params: tuple[Param, ...]
    head: str  # name
    draw: Sampler
    pick: Sampler | None
    unmask: Unmask | None
    insert: Insert | None  # of masks
    several: Several | None  # tokens, where not one by the joint law alone
    remask: Remask | None
    substitute: Substitute | None
    guide: Guide | None
    blocks: Blocks | None
    lets: tuple[tuple[str, Code], ...]
    last: Sampler | None  # how what is left at the end is drawn; None where nothing can be
    grid: Grid | None
    few: Code | None  # how many missing tokens are too few for a row to go on
    ends: str  # name of the edit of a row whose text holds a string of the run; "" for none
    reuse: bool
    appends: bool
    stops: tuple[Stop, ...]
    inverse: Code | None  # the function that gives a step its time, where no grid does
    clocked: bool  # some code of it may take the clock
    size: Size | None  # None where the length is given

    @property
    def steps_param(self) -> str:
        """The param that is the number of steps; "" for a literal."""
        steps = self.grid.steps if self.grid is not None else None
        return steps.param if steps is not None else ""

    @property
    def timed(self) -> bool:
        """Return whether the steps go from time to time."""
        return self.grid is not None and self.grid.timed

    @property
    def asked(self) -> list[Stop]:
        """The conditions that read a head."""
        return [stop for stop in self.stops if stop.kind in ("chance", "threshold")]

    @property
    def oracle(self) -> bool:
        """Return whether a row ends at the length of its own example."""
        return any(stop.kind == "oracle" for stop in self.stops)


@frozen
class Reading:
    """`reading.py`: a call of the network, as decoders make it."""

    code: Code
    summary: str
    schedule: tuple[str, ...]  # names imported


@frozen
class Decoders:
    """`decoder.py`: the classes, and what each decoder does."""

    title: str
    library: tuple[tuple[str, tuple[str, ...]], ...]  # modules, and names imported where used
    classes: tuple[parts.Class, ...]
    decoders: tuple[Decoder, ...]


@frozen
class Layout:
    """A class of `collate.py`; the parts are names of specials, `prompt` and `body`."""

    name: str
    klass: str  # name
    text: str
    detail: str
    before: tuple[str, ...]
    inside: tuple[str, ...]
    after: tuple[str, ...]
    predicts: tuple[str, ...]
    fills: bool
    keeps: bool
    begins: bool  # what is kept is the beginning of the body
    ends: bool  # `eos` stands where the body ends
    given: tuple[str, ...]  # what a likelihood is conditioned on
    left: bool  # what stands before the brackets is padded on the left


@frozen
class Collate:
    """`collate.py`: the layouts."""

    layouts: tuple[Layout, ...]


@frozen
class Recipe:
    """Published settings for some tasks: path and value (code of a literal).

    They extend the settings that recipes share, or replace them.
    """

    tasks: tuple[str, ...]
    settings: tuple[tuple[str, str], ...]


@frozen
class Samples:
    """The claim about a decoder's samples: law is exact, heads, limit or none."""

    law: str
    why: str
    neutral: tuple[tuple[str, Code], ...]  # names of params, and their values
    grows: str  # name of a param, or ""


def made(name: str, bound: Container[str]) -> str:
    """Return a function or class with the clock, if it is one of those that take it."""
    return f"partial({name}, {CLOCK}={CLOCK})" if name in bound else name


@frozen
class Family:
    """`family.py`: the pieces handed to the runtime."""

    name: str
    title: str
    claim: str
    why: str
    tilt: Code | None  # a function of a length; None where every length keeps its chance
    trained: bool
    specials: tuple[str, ...]
    layouts: tuple[tuple[str, str], ...]
    classes: tuple[str, ...]  # names, of the decoders
    loss: str  # code of what takes its params by their own names
    decoders: tuple[tuple[str, str], ...]  # and code of what takes theirs
    clock: str  # code of what takes those of the noise; "" where it has none
    bound: tuple[str, ...]  # names of the functions and classes that take the clock
    network: str  # code
    corrupt: str  # code
    nelbo: str  # code
    schedule: tuple[str, ...]  # names imported
    params: tuple[tuple[str, tuple[Param, ...]], ...]
    samples: tuple[tuple[str, Samples], ...]
    shared: tuple[tuple[str, str], ...]  # what recipes share
    recipes: tuple[Recipe, ...]
    likelihood: bool
    published: str  # name of the head that published weights have; "" where there are none
    repo: str
    ending: tuple[str, ...]  # decoders
    noise: bool
    inserts: bool
    packs: bool
    clocks: tuple[str, ...]  # code of functions of the schedule: what has not come back at t


@frozen
class Package:
    """All that a package is made from: one view for each file, None for a file that it lacks."""

    name: str
    source: str  # the name of the spec's file
    init: Init
    schedule: Schedule | None
    noise: Noise | None
    network: Network
    loss: Loss
    likelihood: Likelihood | None
    reading: Reading
    decoder: Decoders
    collate: Collate
    family: Family
