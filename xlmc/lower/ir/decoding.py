"""The views of `reading.py` and `decoder.py`."""

from attrs import frozen

from xlmc.calculus.code import Code
from xlmc.lower import parts
from xlmc.lower.ir.params import Param
from xlmc.lower.ir.steps import (
    Blocks,
    Correct,
    Edit,
    Editing,
    Grid,
    Guide,
    Insert,
    Keep,
    Sampler,
    Several,
    Size,
    Stop,
    Substitute,
    Unmask,
)


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
    several: Several | None  # tokens, where not one by the joint distribution alone
    edits: tuple[Edit, ...]
    substitute: Substitute | None
    keep: Keep | None
    guide: Guide | None
    blocks: Blocks | None
    lets: tuple[tuple[str, Code], ...]
    last: Sampler | None  # how what is left at the end is drawn; None where nothing can be
    grid: Grid | None
    few: Code | None  # how many missing tokens are too few for a row to go on
    ends: str  # name of the edit of a row whose text holds a string of the run; "" for none
    reuse: bool
    holds: str  # the part of a row of which they are kept while a block is open; "" for none
    keeps: bool  # keys and values of blocks that are done are used again
    appends: bool
    stops: tuple[Stop, ...]
    inverse: Code | None  # the function that gives a step its time, where no grid does
    clocked: bool  # some code of it may take the clock
    size: Size | None  # None where the length is given
    carries: bool = False  # the network's state goes from call to call
    editing: Editing | None = None
    orders: bool = False  # the network reads in which order tokens came
    extends: Code | None = None  # the size of the blocks of masks that it appends
    correct: Correct | None = None  # what follows the last step
    leftward: bool = False  # logits of tokens are read to the left of their places

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
    def sure(self) -> bool:
        """Return whether it masks the tokens again that were least sure when they were drawn."""
        return any(edit.sure for edit in self.edits)

    @property
    def settles(self) -> bool:
        """Return whether a row without masks changes until a step leaves it as it was."""
        words = [edit.word for edit in self.edits]
        return any(one.revises for one in words) and not any(one.hides for one in words)

    @property
    def asked(self) -> list[Stop]:
        """The conditions that read a head."""
        return [stop for stop in self.stops if stop.asks]

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
