"""A family as the runtime sees it: its functions, claims and params."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from torch import nn

from xlm_runtime.plug.batch import Batch, Draft, Vocabulary
from xlm_runtime.plug.layout import Layout
from xlm_runtime.plug.noise import Noise
from xlm_runtime.plug.results import Decoded, Losses, Nelbo
from xlm_runtime.shapes import Bool, Tensor


@dataclass(frozen=True)
class Ended:
    """A test of whether a text holds one of the strings that end it.

    holds: the test, of the ids of a text and of the number of those first ones that are given: a
        string is searched for behind them.
    reach: the number of last tokens that hold such a string if it is at the end.
    """

    holds: Callable[[Sequence[int], int], bool]
    reach: int

    def __call__(self, ids: Sequence[int], given: int = 0) -> bool:
        """Return whether a text has ended."""
        return self.holds(ids, given)


@dataclass(frozen=True)
class ModelSize:
    """The size of a backbone; every family accepts all of it.

    dropout: of what attention and feed-forward layers answer.
    attention_dropout: of what attention looks at.
    rotary_base: the wavelengths of rotary positions go up to 2 pi times this many tokens.
    fastest: the highest frequency of the waves that describe the amount of noise to a network.
    """

    layers: int
    width: int
    heads: int
    dropout: float = 0.0
    attention_dropout: float = 0.0
    rotary_base: float = 10_000.0
    fastest: float = 4.0


@dataclass(frozen=True)
class Param:
    """A value that a run may override: ``--set decoder.top_p=0.9``.

    ``kind`` is one of ``Count`` (integer >= 0), ``Size`` (integer >= 1), ``Chance`` ([0, 1]),
    ``Scale`` (>= 0), ``Choice``. `Count`, `Size` and `Scale` of the noise have narrower ranges: see
    `system.bounds`; not for a ``length``, a number of tokens.
    """

    name: str
    kind: Literal["Count", "Size", "Chance", "Scale", "Choice"]
    default: float | int | str
    options: tuple[str, ...] = ()
    length: bool = False


def even(length: int) -> float:  # noqa: ARG001  # one of the functions that a claim may hold
    """Return 1: the chances of lengths stay as they are."""
    return 1.0


@dataclass(frozen=True)
class Claim:
    """The claim about a reported likelihood.

    ``tight``: equals -log p for exact heads. ``bound``: an upper bound of it, with slack.
    ``none``: no likelihood can be computed. ``why`` explains it in words. ``tilt``: trained on
    data of distribution p, perfect heads sample from p(x) tilt(length) instead, up to a constant;
    None where nothing so simple is known. ``trained``: among examples of one length the training
    loss is this likelihood but for a factor and a constant, for any heads.
    """

    value: Literal["tight", "bound", "none"]
    why: str
    tilt: Callable[[int], float] | None = even
    trained: bool = False


@dataclass(frozen=True)
class Samples:
    """The claim about a decoder's samples: the relation of their distribution to the model's.

    law: ``exact``: the distribution of which the likelihood is. ``heads``: the same if
        the heads are exact. ``limit``: that as a number grows. ``none``: another.
    why: the cause of the difference, in words; empty if there is none.
    neutral: the values of the decoder's params at which this holds.
    grows: the param that is the number of steps, with which a ``limit`` is reached; empty where
        that number is fixed.
    """

    law: Literal["exact", "heads", "limit", "none"]
    why: str = ""
    neutral: Mapping[str, float | int] = field(default_factory=dict)
    grows: str = ""

    def __str__(self) -> str:
        """Describe the claim in words."""
        if self.law == "none":
            return f"not from the model's distribution: {self.why}"
        words = "from the model's distribution"
        if self.law == "heads":
            words += f" for exact heads ({self.why})"
        if self.law == "limit":
            words += f", as {self.grows or 'the number of steps'} grows ({self.why})"
        at = " and ".join(f"{name} = {value}" for name, value in self.neutral.items())
        return f"{words}, if {at}" if at else words


@dataclass(frozen=True)
class Published:
    """The fit of published weights to the network.

    repo: where they are on the Hub by the spec's word; "" where it names none.
    size: their ``config.json`` -> the size of the network. Raises KeyError or ValueError for a
        model that the network is not.
    config: the inverse: (size, rows of the embeddings) -> ``config.json``.
    names: modules of the network -> those of the files; `*` is the number of a layer.
    head: of an architecture of transformers the attribute of the head that its weights have; empty
        for others.
    shrunk: for such an architecture (config, size) -> the size of a smaller network.
    """

    repo: str
    size: Callable[[Mapping[str, Any]], ModelSize]
    config: Callable[[ModelSize, int], dict[str, Any]]
    names: Mapping[str, str] = field(default_factory=dict)
    head: str = ""
    shrunk: Callable[[Mapping[str, Any], ModelSize], ModelSize] | None = None


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
        record) gives a Decoded. `limit` is the largest number of body tokens; `record` keeps the
        states on the way, or is a function that receives each of them as it is made.
    amount: (batch, noise) -> how much noise each example gets; only `corrupt` reads it.
    corrupt: (batch, amount, noise, vocab) -> the noised batch; only `loss` reads it. Both are None
        where nothing is corrupted. See `noised`.
    params: the overridable values of the loss (under ``loss``), of each decoder (its name) and of
        the noise (under ``noise``).
    samples: for each decoder the claim about its samples.
    recipes: task -> settings published for it (paths of the run configuration -> values).
    published: how published weights fit the network; None where none do.
    ending: the decoders that take ``ended``, an `Ended`: a row whose text has ended is done.
    inserts: decoders insert into gaps; else they fill places, whose number is given.
    packs: the network keeps the documents of a row apart where `Batch.attend` numbers them.
    clocks: where the likelihood draws a time, the chance at t that each reverse clock has not
        fired: of one, or of two, that of unmasking first; empty for others.
    learned: the network sets the clocks of tokens: `corrupt` takes it in the place of ``vocab``.
    draft: where decoders begin with a draft that a row brings, (batch, noise, vocab) -> those of a
        batch, or copies of its texts where they bring none; else None.
    process: (**params) -> the family whose noise has these params, which is another process; None
        where the noise has none. Without params it is the family itself.
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
    corrupt: Callable[[Batch, Any, Noise, Any], Any] | None = None
    params: Mapping[str, tuple[Param, ...]] = field(default_factory=dict)
    samples: Mapping[str, Samples] = field(default_factory=dict)
    recipes: Mapping[str, Mapping[str, float | int | str]] = field(default_factory=dict)
    published: Published | None = None
    ending: tuple[str, ...] = ()
    inserts: bool = False
    packs: bool = False
    clocks: tuple[Callable[[Tensor], Tensor], ...] = ()
    learned: bool = False
    draft: Callable[[Batch, Noise, Vocabulary], Draft] | None = None
    process: Callable[..., "Family"] | None = None

    def noised(
        self, batch: Batch, amount: Any, noise: Noise, vocab: Vocabulary, network: nn.Module
    ) -> Any:
        """Corrupt a batch, by the clocks of the network where these are learned."""
        assert self.corrupt is not None, "nothing is corrupted"
        return self.corrupt(batch, amount, noise, network if self.learned else vocab)

    def under(self, params: Mapping[str, Any]) -> "Family":
        """Return the family whose noise has these params; itself where it has none."""
        return self.process(**params) if self.process is not None and params else self
