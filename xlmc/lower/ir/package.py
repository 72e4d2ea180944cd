"""The views of the other files, and of a whole package."""

from collections.abc import Container

from attrs import frozen

from xlmc.calculus.code import CLOCK, Code
from xlmc.lower.ir.decoding import Decoders, Reading
from xlmc.lower.ir.params import Param
from xlmc.lower.ir.training import Likelihood, Loss, Network, Noise, Schedule


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
class Layout:
    """A class of `collate.py`; parts: names of specials, `prompt` and `body`."""

    name: str
    klass: str  # name
    text: str
    detail: str
    parts: tuple[str, ...]  # names
    before: tuple[str, ...]  # code of parts, as are the next two
    inside: tuple[str, ...]  # without padding
    after: tuple[str, ...]
    predicts: tuple[str, ...]
    fills: bool
    keeps: bool
    begins: bool  # what is kept is the beginning of the body
    end: str  # the variable of the `eos` where the body ends, `end` or `after`; "" where none is
    ids: str  # code: the variables of the parts of a row
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
    """The claim about a decoder's samples; ``law``: exact, heads, limit or none."""

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
    amount: str  # code
    corrupt: str  # code
    nelbo: str  # code
    schedule: tuple[str, ...]  # names imported
    params: tuple[tuple[str, tuple[Param, ...]], ...]
    samples: tuple[tuple[str, Samples], ...]
    shared: tuple[tuple[str, str], ...]  # what recipes share
    recipes: tuple[Recipe, ...]
    likelihood: bool
    published: str  # name of the head that published weights have; "" where there are none
    adapted: bool  # they are of an architecture of transformers
    repo: str
    ending: tuple[str, ...]  # decoders
    noise: tuple[str, ...]  # names imported
    inserts: bool
    packs: bool
    clocks: tuple[str, ...]  # code of functions of the schedule: what has not come back at t
    learned: bool = False  # the network sets the clocks of tokens
    draft: str = ""  # code: of a function that draws drafts; "" where no row brings one


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
