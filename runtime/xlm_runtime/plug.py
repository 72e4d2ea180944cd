"""The plug between a generated package and the runtime: everything a package may import.

A package exports one ``FAMILY``. The runtime makes examples, asks a layout of the family for a
`Batch`, and hands it to the family's own functions; it knows nothing of what they do with it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar, Literal, TypeVar

import torch
from torch import nn

from xlm_runtime.noise import Noise
from xlm_runtime.shapes import Attend, Bool, Float, Int, Tensor

__all__ = [
    "Batch",
    "Claim",
    "Decoded",
    "Ended",
    "Example",
    "Family",
    "Layout",
    "Losses",
    "ModelSize",
    "Movable",
    "Nelbo",
    "Noise",
    "Param",
    "Published",
    "Row",
    "Samples",
    "Vocabulary",
    "stack",
]

M = TypeVar("M", bound="Movable")
# whether a text, by its ids, holds what it ends with behind the first so many, which are given
Ended = Callable[[Sequence[int], int], bool]


class Movable:
    """Base of frozen dataclasses of tensors that travel between host and device."""

    def to(self: M, *args: Any, **kwargs: Any) -> M:
        """A copy whose tensors are on another device."""
        return self._each(lambda x: x.to(*args, **kwargs))

    def pin_memory(self: M) -> M:
        """A copy in page-locked memory, from which copies to a GPU are asynchronous."""
        return self._each(lambda x: x.pin_memory())

    def _each(self: M, f: Callable[[Tensor], Tensor]) -> M:
        named = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        moved = {k: f(v) for k, v in named.items() if isinstance(v, Tensor)}
        return replace(self, **moved)  # type: ignore[type-var]


@dataclass(frozen=True)
class Vocabulary:
    """The token ids that a package needs to know.

    ``specials`` maps the names of special tokens (``pad``, ``mask``, ``bos``, ``eos``, ``cls``) to
    their ids; every other id below ``size`` is a body token.
    """

    size: int
    specials: Mapping[str, int]

    def __getitem__(self, special: str) -> int:
        """The id of a special token.  Raises KeyError with the name of what is missing."""
        if special not in self.specials:
            raise KeyError(f"the tokenizer has no special token '{special}'")
        return self.specials[special]

    def allowed(self, specials: Iterable[str]) -> Bool[Tensor, " vocab"]:
        """Which ids a head may predict: the body tokens and the named specials."""
        allowed = torch.ones(self.size, dtype=torch.bool)
        allowed[list(self.specials.values())] = False
        allowed[[self[name] for name in specials]] = True
        return allowed


@dataclass(frozen=True)
class Example:
    """What a task gives: token ids without any layout.

    ``given`` marks the tokens of ``body`` that an infilling layout keeps; ``index`` is the stable
    place of the example in its data and keys all its randomness. ``gaps`` marks the gaps before
    and behind the tokens of ``body`` into which may be inserted; empty for all of them.
    ``document`` numbers the documents that stand end to end in ``body``, token by token and rising;
    empty where there is one. ``cut``: the text goes on behind ``body``, where it has no end.
    """

    index: int
    body: Sequence[int]
    prompt: Sequence[int] = ()
    given: Sequence[bool] = ()
    gaps: Sequence[bool] = ()
    document: Sequence[int] = ()
    cut: bool = False


@dataclass(frozen=True)
class Batch(Movable):
    """Examples laid out.

    x0: the clean ids, padding included.
    inside: the positions inside the layout's brackets.
    free: those of them that are not given: what noise, loss and decoder may touch.
    open: the gaps (the one to the right of each position) into which a decoder may insert.
    attend: the positions that are not padding, or None where there is no padding at all; where rows
        hold several documents, the number of each position's, from 1, and 0 at padding.
    example: the index of each example in its data.
    room: how many positions the brackets of a full row have, whatever the rows here are padded to.
    cut: the rows whose text goes on behind the body: that nothing is missing is not known of them.
    """

    x0: Int[Tensor, "batch length"]
    inside: Bool[Tensor, "batch length"]
    free: Bool[Tensor, "batch length"]
    open: Bool[Tensor, "batch length"]
    attend: Attend
    example: Int[Tensor, " batch"]
    room: int
    cut: Bool[Tensor, " batch"]

    @property
    def position(self) -> Int[Tensor, "batch length"]:
        """The place of each token in its own row: what padding stands before it shifts nothing.

        It keys the noise of a token, so that a row draws the same whatever it is padded to.
        """
        if self.attend is None:
            return torch.arange(self.x0.shape[1], device=self.x0.device).expand_as(self.x0)
        return self.attend.bool().cumsum(1) - 1


@dataclass(frozen=True)
class Row:
    """One example laid out.

    The tokens from ``start`` up to ``stop`` stand inside the brackets; of these, ``kept`` marks
    those that are given and stay as they are. The first ``left`` tokens are aligned to the right
    within the columns that the batch keeps for them.
    """

    ids: Sequence[int]
    start: int
    stop: int
    kept: Sequence[bool] = ()
    left: int = 0


def stack(rows: Sequence[Row], examples: Sequence[Example], pad: int, room: int) -> Batch:
    """Rows to a batch, padded on the left of their ``left`` tokens and on the right of the rest.

    A gap is open if it lies inside the brackets, both ends included. ``room``: see `Batch`.
    """
    left = max(row.left for row in rows)
    width = left + max(len(row.ids) - row.left for row in rows)
    x0 = torch.full((len(rows), width), pad)
    inside, free, open_ = torch.zeros(3, len(rows), width, dtype=torch.bool)
    packed = any(example.document for example in examples)
    attend = torch.zeros(len(rows), width, dtype=torch.long if packed else torch.bool)
    for i, row in enumerate(rows):
        shift = left - row.left
        start, stop = shift + row.start, shift + row.stop
        x0[i, shift : shift + len(row.ids)] = torch.tensor(row.ids, dtype=torch.long)
        attend[i, shift : shift + len(row.ids)] = _documents(row, examples[i])
        inside[i, start:stop] = True
        free[i, start:stop] = True
        if row.kept:
            free[i, start : start + len(row.kept)] = ~torch.tensor(row.kept, dtype=torch.bool)
        open_[i, start - bool(row.start) : stop] = True
        if gaps := examples[i].gaps:
            open_[i, start - 1 : start - 1 + len(gaps)] = torch.tensor(gaps, dtype=torch.bool)
    example = torch.tensor([example.index for example in examples])
    cut = torch.tensor([example.cut for example in examples])
    seen = attend if packed or not attend.all() else None
    return Batch(x0, inside, free, open_, seen, example, room, cut)


def _documents(row: Row, example: Example) -> Int[Tensor, " tokens"]:
    """The document of each token of a row, from 1 on.

    What stands before the body belongs to the first, what stands behind it to the last.
    """
    numbers = torch.ones(len(row.ids), dtype=torch.long)
    if example.document:
        document = torch.tensor(example.document)
        numbers[row.start :] += document[-1] - document[0]
        numbers[row.start : row.start + len(document)] = 1 + document - document[0]
    return numbers


class Layout(ABC):
    """How a family lays out one kind of example (``text``, ``seq2seq``, ``infill``).

    Called with examples it gives a batch. ``predicts`` names the specials inside the brackets,
    which heads may predict beside the body tokens. ``fills``: the brackets are filled up to the
    capacity of the body, so that its length is predicted rather than given. ``begins``: only the
    beginning of a body can be given. ``given``: what the family's likelihood is conditioned on, of
    ``prompt``, ``tokens`` (those that an example gives), ``length`` and ``end`` (the layout shows
    where a text is cut). ``body`` is its capacity.
    """

    predicts: ClassVar[tuple[str, ...]] = ()
    fills: ClassVar[bool] = False
    begins: ClassVar[bool] = False
    given: ClassVar[tuple[str, ...]] = ()

    def __init__(self, vocab: Vocabulary, body: int) -> None:
        self.vocab = vocab
        self.body = body

    @abstractmethod
    def row(self, example: Example) -> Row:
        """Lay out one example."""

    @cached_property
    def _room(self) -> int:
        full = self.row(Example(0, [self.vocab["pad"]] * self.body))
        return full.stop - full.start

    def __call__(self, examples: Sequence[Example]) -> Batch:
        """Lay out and stack examples.

        Raises:
            ValueError: if a body has more tokens than the capacity (nothing is cut off here), or if
                tokens are given behind one that is not and only a beginning can be.
        """
        for example in examples:
            if len(example.body) > self.body:
                size = f"{len(example.body)} tokens, and there is room for {self.body}"
                raise ValueError(f"the body of example {example.index} has {size}")
            if self.begins and any(b > a for a, b in pairwise(example.given)):
                raise ValueError(
                    f"example {example.index} gives tokens behind some that it does not give, and "
                    "this family writes from left to right"
                )
        rows = [self.row(example) for example in examples]
        return stack(rows, examples, self.vocab["pad"], self._room)


@dataclass(frozen=True)
class ModelSize:
    """The size of a backbone; every family accepts all of it.

    dropout: of what attention and feed-forward layers answer.
    attention_dropout: of what attention looks at.
    rotary_base: the wavelengths of rotary positions go up to 2 pi times this many tokens.
    """

    layers: int
    width: int
    heads: int
    dropout: float = 0.0
    attention_dropout: float = 0.0
    rotary_base: float = 10_000.0


@dataclass(frozen=True)
class Losses:
    """The loss of a batch: the scalar to minimise and the terms that add up to it.

    over: the number that costs were divided by, at least by 1. Losses of parts of a batch, weighted
        by it, have the loss of the whole batch as their mean.
    """

    total: Float[Tensor, ""]
    terms: Mapping[str, Float[Tensor, ""]]
    over: Int[Tensor, ""] | int


@dataclass(frozen=True)
class Nelbo:
    """An unbiased one-draw estimate of -log p of each example, in nats, given `Layout.given`."""

    nats: Float[Tensor, " batch"]


@dataclass(frozen=True)
class Decoded:
    """What a decoder made: ids, what stands inside the brackets, calls per row, states passed."""

    x: Int[Tensor, "batch length"]
    body: Bool[Tensor, "batch length"]
    nfe: Int[Tensor, " batch"]
    history: tuple[Int[Tensor, "batch width"], ...] = ()


@dataclass(frozen=True)
class Param:
    """A value that a run may override: ``--set decoder.top_p=0.9``.

    ``kind`` is one of ``Count`` (integer >= 0), ``Chance`` ([0, 1]), ``Scale`` (>= 0), ``Choice``.
    """

    name: str
    kind: Literal["Count", "Chance", "Scale", "Choice"]
    default: float | int | str
    options: tuple[str, ...] = ()


def even(length: int) -> float:  # noqa: ARG001  # one of the functions that a claim may hold
    """Every length keeps its chance."""
    return 1.0


@dataclass(frozen=True)
class Claim:
    """What a reported likelihood is.

    ``tight``: equals -log p for exact heads. ``bound``: an upper bound of it, with slack. ``none``:
    no likelihood can be computed. ``why`` says it in words. ``tilt``: trained on data of law p, the
    best heads make the law p(x) tilt(length) instead, up to a constant; None where nothing so
    simple is known. ``trained``: among examples of one length the training loss is this likelihood
    but for a factor and a constant, whatever the heads say.
    """

    value: Literal["tight", "bound", "none"]
    why: str
    tilt: Callable[[int], float] | None = even
    trained: bool = False


@dataclass(frozen=True)
class Samples:
    """What the samples of a decoder are worth: how near their law comes to that of the model.

    law: ``exact``: the model's own law, the one that the likelihood is of. ``heads``: the same if
        the heads are exact. ``limit``: that as a number grows. ``none``: another.
    why: what stands between, in words; empty where nothing does.
    neutral: the values of the decoder's params at which this holds.
    grows: the param of a ``limit``; empty where the number is fixed.
    """

    law: Literal["exact", "heads", "limit", "none"]
    why: str = ""
    neutral: Mapping[str, float | int] = field(default_factory=dict)
    grows: str = ""

    def __str__(self) -> str:
        """In words."""
        if self.law == "none":
            return f"not of the model's law: {self.why}"
        words = "of the model's law"
        if self.law == "heads":
            words += f" for exact heads ({self.why})"
        if self.law == "limit":
            words += f", as {self.grows or 'the number of steps'} grows ({self.why})"
        at = " and ".join(f"{name} = {value}" for name, value in self.neutral.items())
        return f"{words}, if {at}" if at else words


@dataclass(frozen=True)
class Published:
    """How weights that others have published fit the network.

    repo: where they are on the Hub by the spec's word; "" where it names none.
    size: their ``config.json`` -> the size of the network. Raises KeyError or ValueError for a
        model that the network is not.
    config: the inverse: (size, rows of the embeddings) -> ``config.json``.
    names: modules of the network -> those of the files; `*` stands for the number of a layer.
    """

    repo: str
    size: Callable[[Mapping[str, Any]], ModelSize]
    config: Callable[[ModelSize, int], dict[str, Any]]
    names: Mapping[str, str]


@dataclass(frozen=True)
class Family:
    """A family of models as the runtime sees it.

    specials: the special tokens that its layouts and states use.
    layouts: name -> class of `Layout`.
    network: (vocab, allowed ids, size) -> the module; its buffer ``forbidden`` marks the ids that
        heads give the logit -inf.
    loss: (network, noised, batch, **params) -> Losses; (network, batch, **params) where nothing is
        corrupted.
    nelbo: (network, batch, noise) -> Nelbo, or None where the claim is ``none``. Without `corrupt`
        it is exact, and reads no noise. Evaluations spread the draws of its stream ``amount`` (how
        much noise), and count every order of its stream ``corrupt`` (whose lowest draws are noised
        first) where that is possible; other streams are drawn as they are. See `strata`.
    decoders: name -> class; an instance takes the params, a call (network, batch, noise, limit,
        record) gives a Decoded. `limit` is the largest number of body tokens.
    amount: (batch, noise) -> how much noise each example gets; only `corrupt` reads it.
    corrupt: (batch, amount, noise, vocab) -> the noised batch; only `loss` reads it. Both are None
        where nothing is corrupted.
    params: the overridable values of the loss (under ``loss``) and of each decoder (its name).
    samples: for each decoder what its samples are worth.
    recipes: task -> settings published for it (paths of the run configuration -> values).
    published: how published weights fit the network; None where none do.
    ending: the decoders that take ``ended``, an `Ended`: a row whose text has ended is done.
    inserts: decoders insert into gaps; else they fill places, whose number is given.
    packs: the network keeps the documents of a row apart where `Batch.attend` numbers them.
    clocks: where tokens become masks and masks go, the chance at t that each of the two reverse
        clocks has not fired, that of unmasking first; empty for others.
    """

    name: str
    title: str
    claim: Claim
    specials: tuple[str, ...]
    layouts: Mapping[str, Callable[..., Layout]]
    network: Callable[[Vocabulary, Bool[Tensor, " vocab"], ModelSize], nn.Module]
    loss: Callable[..., Losses]
    nelbo: Callable[[Any, Batch, Noise], Nelbo] | None
    decoders: Mapping[str, Callable[..., Callable[..., Decoded]]]
    amount: Callable[[Batch, Noise], Any] | None = None
    corrupt: Callable[[Batch, Any, Noise, Vocabulary], Any] | None = None
    params: Mapping[str, tuple[Param, ...]] = field(default_factory=dict)
    samples: Mapping[str, Samples] = field(default_factory=dict)
    recipes: Mapping[str, Mapping[str, float | int | str]] = field(default_factory=dict)
    published: Published | None = None
    ending: tuple[str, ...] = ()
    inserts: bool = False
    packs: bool = False
    clocks: tuple[Callable[[Tensor], Tensor], ...] = ()
