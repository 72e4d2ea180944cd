"""The views of the files that a package trains by, `schedule.py` to `likelihood.py`."""

from attrs import frozen

from xlmc.calculus.code import Code
from xlmc.lower.ir.params import Param


@frozen
class Used:
    """A function of `schedule.py` as templates call it; ``more``: its arguments after the time."""

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
class Constant:
    """A number that the params of the noise make."""

    name: str  # name
    code: Code  # over the fields of `self`
    spec: str


@frozen
class Schedule:
    """`schedule.py`: of the clocks, what the package uses."""

    functions: tuple[Function, ...]
    bisections: tuple[Bisection, ...]
    math: bool
    params: tuple[Param, ...]
    constants: tuple[Constant, ...] = ()
    learned: tuple[str, ...] = ()  # names of what a second network answers for each token
    shape: str = "*shape"  # of times: with clocks of tokens it need only fit theirs
    scaled: bool = False  # the clocks are those of tokens with scales of 1


@frozen
class Draft:
    """The draw of drafts: the template of its function, and its number in code and words.

    ``token``: the code that draws new tokens, and ``what`` they are. ``taken``: the clock among the
    arguments of the function; "" where it takes none. ``of``: its first argument, of a batch.
    """

    partial: str
    number: Code
    said: str
    token: str  # code
    what: str
    taken: str  # code
    of: str  # code


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
    events: Used | None  # the expected number of events; None where no tokens compete for some
    inverse: Used | None  # the function that gives t from alpha; None where none is needed
    masks: Used | None  # of two arrows, the first one's function 1 - alpha; None for one arrow
    whole: Code | None  # the share that is gone at t = 1; None for all
    latex: tuple[str, ...]  # of two arrows
    schedule: tuple[str, ...]  # names imported
    carries_t: bool
    more: str  # code: the clock among the arguments of `corrupt`; "" where it takes none
    given: str  # code: that in a call
    random: Used | None  # of masks and random tokens: the chance of these
    change: Used | None  # its slope
    clean: Used | None  # alpha
    slope: Used | None  # and its slope
    numbers: bool  # something reads how many tokens are gone from each gap
    spoils: tuple[Code, ...] = ()  # of struck tokens: how many are random, and how many no mask
    hides: bool = False  # the likelihood puts masks at places of its own choice
    anew: bool = False  # a cost reads the share of random tokens among those drawn anew
    blocks: Code | None = None  # the size of blocks with an amount each
    taken: str = ""  # code: the clock among the arguments of `amount`
    law: Draft | None = None  # None where no row has tokens that its text lacks


@frozen
class Head:
    """A head of the network: its layer, and its method.

    kind: logits, ratios, count, rate, distribution or chance.
    """

    name: str  # name
    kind: str
    width: str  # code: the number of its outputs
    asked: str  # the axis of the hidden states that it reads
    answer: str  # the axes of its answer
    of_masks: bool  # its answers are ratios to the chance of a mask
    doc: tuple[str, ...]


@frozen
class Told:
    """The time or sigma that a network reads in addition to tokens; all empty if it reads none."""

    parameter: str = ""  # code: the last parameter of the trunk
    argument: str = ""  # code: the last argument of the backbone
    clock: str = ""  # code: the clock among the arguments of the network
    schedule: tuple[str, ...] = ()  # names imported


@frozen
class Second:
    """The second network, which gives tokens their clocks.

    ``of_tokens`` and ``of_all`` are the heads with their code: for some and for all tokens. With a
    backbone it sees the clean text, and ``scales`` are code: the fields of the scales of clocks.
    """

    name: str  # in the spec
    heads: tuple[str, ...]  # names
    of_tokens: tuple[tuple[str, str], ...]
    of_all: tuple[tuple[str, str], ...]
    backbone: str = ""  # name of the class; "" for a table
    block: str = ""  # name of its block's class
    scales: tuple[str, ...] = ()


@frozen
class Network:
    """`network.py`: the backbone and its heads."""

    backbone: str  # name of the class
    block: str  # name of its block's class; "" where it has none to choose
    imports: tuple[tuple[str, tuple[str, ...]], ...]  # modules of the library, and names
    module: str  # dotted module of a custom backbone; "" for a shipped one
    told: Told
    published: str  # name of the head that published weights have; "" where there are none
    adapted: bool = False  # an architecture of transformers, which has that head itself
    heads: tuple[Head, ...] = ()
    blocks: Code | None = None  # the size of blocks, of which a token sees its own and those before
    caches: bool = False  # it can go on from the keys and values of a prefix
    carried: str = ""  # name of the state that goes from call to call; "" for none
    second: Second | None = None
    permuted: bool = False  # a token sees those before it in an order
    holds: bool = False  # it can compute a part of a row, in view of the keys and values of all


@frozen
class Term:
    """A term of the loss, summed over tokens or rows with a weight.

    ``partial`` is the template of the use of its divergence.
    """

    head: str  # name
    signature: tuple[str, ...]  # of its function: names with their types
    arguments: tuple[str, ...]  # the names alone
    partial: str
    at: str
    size: int  # of a distribution: the largest number that it tells apart
    weight: Code | None  # over t, count, length and params; None for 1
    amounts: tuple[tuple[str, str], ...]  # of count, length and t: what the weight reads, and code
    row: Code  # the clean tokens at the places of the noised row
    per_row: bool  # the weight differs from row to row
    per_token: bool  # and from token to token
    factor: str  # code: the weight of all rows, times; "" where that is 1, or theirs differ
    states: str  # code: where the head reads the states of tokens
    cast: bool  # the weight is float64
    options: tuple[tuple[str, Code], ...]  # of its divergence
    summary: str
    detail: str
    given: str  # code: the clock in a call of a function of the noise; "" where it takes none
    places: str  # of a noised batch: those that the term is summed over
    paced: bool  # where all tokens of a row are gone, they return more slowly
    shape: str = ""  # of its value: " batch" where it is taken for two corruptions of each row


@frozen
class Rollout:
    """Several calls in training: a step of the decoder between them, a state from each to the next.

    ``lines`` choose the ``places`` of the step, over the masks and their logits.
    """

    calls: int
    name: str  # of the state
    head: str  # name, of which the logits are
    params: tuple[Param, ...]  # that the lines read
    lines: tuple[tuple[str, Code], ...]
    signature: tuple[str, ...]  # of the function of the calls: names with their types
    arguments: tuple[str, ...]  # the names alone
    step_signature: tuple[str, ...]  # of the function of the step
    step_arguments: tuple[str, ...]

    @property
    def places(self) -> Code:
        """Return the code of the places, which is that of the last line."""
        return self.lines[-1][1]


@frozen
class Loss:
    """`loss.py`: the terms and what their sum is divided by."""

    title: str
    signature: tuple[str, ...]  # of the function: names with their types and defaults
    trunk: tuple[str, ...]  # the arguments of the trunk
    imports: tuple[tuple[str, tuple[str, ...]], ...]  # modules of the package, and names
    terms: tuple[Term, ...]
    total: str  # code: their sum
    parts: str  # code: a dict of them
    over: Code  # over the batch: what the sum is divided by
    divisor: Code  # that, or 1 where it is 0
    latex: tuple[str, ...]
    units: str
    rollout: Rollout | None = None  # None where training calls the network once
    twin: bool = False  # each row is corrupted twice, as the noise is learned
    scaled: bool = False  # by clocks with scales that the second network gives


@frozen
class Likelihood:
    """`likelihood.py`: an unbiased estimate of a bound on -log p of each example."""

    partial: str  # its template
    head: str  # name
    states: str  # code: where the head reads the states of tokens
    gap: str  # name of the head of numbers; "" where there is none
    gap_at: str  # gaps, or a special token for the number of the row
    paced: bool  # as of a term
    hazards: tuple[Used, ...]  # those of unmasking and of insertion
    power: int  # times are drawn as this power of uniform draws
    stop: str  # name
    stop_at: str
    numbers: bool  # that head gives a distribution of the number that is missing
    schedule: tuple[str, ...]
    inverse: Used | None  # None where neither the network nor a cost is told the time
    condition: Code | None
    more: str  # code: the clock among the arguments; "" where it takes none
    drawn: str  # code: in a call of the noise its clock, or a time that nothing reads
    detail: str
    latex: tuple[str, ...]
    size: str = ""  # name of the head of the length; "" where that is given
    size_at: str = ""
    surplus: str = ""  # names of the heads of other edits than insertions; "" where there are none
    wrong: str = ""
    right: str = ""
    altered: str = ""  # code: where that head reads the states of tokens
    blocks: Code | None = None  # the size of blocks
    ratios: bool = False  # the head gives ratios of chances
    pace: str = ""  # name of the head of the rates of masks; "" where they are alike
    letters: str = ""  # the meanings of letters of its formula
