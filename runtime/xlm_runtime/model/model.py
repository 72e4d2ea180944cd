"""A family with its network and vocabulary: what training, evaluation and generation work with."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from attrs import frozen
from safetensors import SafetensorError
from safetensors.torch import load_model, save_model
from torch import Tensor, nn
from torch.nn import functional as F

from xlm_runtime.config.config import Config, Decoder
from xlm_runtime.model import adapted, folded, layouts, memory
from xlm_runtime.model.published import Checkpoint, fill, own_config, size_of
from xlm_runtime.model.tensors import check_finite
from xlm_runtime.plug import (
    Batch,
    Decoded,
    Ended,
    Example,
    Family,
    Layout,
    Losses,
    ModelSize,
    Noise,
    Record,
    Vocabulary,
)
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.system.progress import say
from xlm_runtime.tasks.base.prepared import Split


@frozen(eq=False, repr=False)
class Model:
    """A family at work on one kind of example.

    layout: examples -> Batch. body: the largest number of body tokens. objective: the family's
    loss, which training may compile. ended: when a text is over before its end. suppressed: ids
    that are never written.
    """

    family: Family
    network: nn.Module
    vocabulary: Vocabulary
    layout: Layout
    body: int
    loss_params: dict[str, Any]
    decoder: Decoder
    objective: Callable[..., Losses]
    ended: Ended | None = None
    suppressed: tuple[int, ...] = ()

    def __repr__(self) -> str:
        """Describe the model in one line."""
        size = memory.weights_of(self.network)
        about = f"{size / 1e6:.2f} M weights on {self.device}, {self.vocabulary.size} ids"
        room = f"up to {self.body} tokens, decoder {self.decoder.name}"
        return f"Model({self.family.name}, {about}, {room})"

    @property
    def device(self) -> torch.device:
        """The device of the network."""
        return next(self.network.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """The type of the weights."""
        return next(self.network.parameters()).dtype

    def loss(self, batch: Batch, noise: Noise) -> Losses:
        """Corrupt a batch on its device, if the family does, and return the training loss."""
        family = self.family
        if family.amount is None or family.corrupt is None:
            return self.objective(self.network, batch, **self.loss_params)
        amount = family.amount(batch, noise)
        noised = family.noised(batch, amount, noise, self.vocabulary, self.network)
        return self.objective(self.network, noised, batch, **self.loss_params)

    def decode(self, batch: Batch, noise: Noise, record: Record = False) -> Decoded:
        """Run the chosen decoder on a batch whose free positions it fills.

        A function ``record`` receives each state, from packages of earlier versions at the end.
        """
        name, params = self.decoder.name, dict(self.decoder.params)
        decoder: Any = self.family.decoders[name](**params)
        if self.ended is not None and name in self.family.ending:
            decoder = replace(decoder, ended=self.ended)
        with without(self.network, self.suppressed):
            made: Decoded = decoder(self.network, batch, noise, self.body, record)
        self._check_whole(made)
        if callable(record):
            for state in made.history:
                record(state)
        return made

    def _check_whole(self, made: Decoded) -> None:
        """Check that no mask is left, which no text would show.  Raises RunError."""
        mask = self.vocabulary.specials.get("mask")
        left = 0 if mask is None else int((made.body & (made.x == mask)).sum())
        if left:
            raise RunError(
                f"decoder {self.decoder.name} of {self.family.name} leaves {left} tokens as masks: "
                "its last step does not reveal all; build the package anew from its spec, or end "
                "the decoder with `finish { unmask all; draw token }`"
            )

    def batches(
        self, examples: Iterable[Example], size: int
    ) -> Iterator[tuple[list[Example], Batch]]:
        """Yield all examples in order, ``size`` at a time; the last batch may be smaller."""
        for part in chunks(examples, size):
            yield part, self.layout(part).to(self.device)


@contextmanager
def without(network: nn.Module, ids: Sequence[int]) -> Iterator[None]:
    """Set the logits of some more ids to -inf in all heads of a network.

    Raises UsageError if no id is left.
    """
    if not ids:
        yield
        return
    forbidden: Tensor = network.get_buffer("forbidden")
    before = forbidden.clone()
    forbidden[list(ids)] = True
    if forbidden.all():
        forbidden.copy_(before)
        raise UsageError("every token is suppressed: nothing is left to write")
    try:
        yield
    finally:
        forbidden.copy_(before)


def make(
    family: Family,
    vocabulary: Vocabulary,
    layout: str,
    body: int,
    config: Config,
    published: Mapping[str, Any] | None = None,
    *,
    empty: bool = False,
    anywhere: bool = False,
) -> Model:
    """Build a model with fresh weights, drawn from the seed of the configuration.

    ``published`` is the config of published weights, whose size the network takes; where a network
    follows a published one without it, that is looked up. ``empty`` weights take no memory until
    they are filled; ``anywhere``, the network may be larger than this machine.
    """
    family = family.under(config.noise)
    laid: Callable[..., Layout] = family.layouts[layout]
    made = laid(vocabulary, body)
    known, allowed, size = vocabulary, vocabulary.allowed(made.predicts), config.model.shape
    if published is None:
        published = own_config(family, size, vocabulary.size)
    if published is not None:
        size = size_of(family, published, config.model.pretrained or family.name)
        model = config.model
        size = replace(size, dropout=model.dropout, attention_dropout=model.attention_dropout)
        known, allowed = with_rows(vocabulary, allowed, published["vocab_size"])
    dtype: torch.dtype = getattr(torch, config.model.dtype)
    with torch.random.fork_rng(), torch.device("meta") if empty else nullcontext():
        if not anywhere:
            memory.check_network(
                size, known.size, dtype, lambda: _built(family, known, allowed, size)
            )
        torch.manual_seed(config.train.seed)
        network = _built(family, known, allowed, size)
    _rounded(network, dtype)
    parts = (family, network, vocabulary, made, body, config.loss, config.decoder)
    return Model(*parts, objective=family.loss)


def _built(family: Family, vocabulary: Vocabulary, allowed: Tensor, size: ModelSize) -> nn.Module:
    """Build the network.  Raises UsageError for a size that it does not support."""
    try:
        return family.network(vocabulary, allowed, size)
    except ValueError as error:
        raise UsageError(f"{family.name}: {error}") from error


def _rounded(network: nn.Module, dtype: torch.dtype) -> None:
    """Convert the weights of a network; what follows from its size keeps its precision."""
    for weight in network.parameters():
        weight.data = weight.data.to(dtype)


def with_rows(vocabulary: Vocabulary, allowed: Tensor, rows: int) -> tuple[Vocabulary, Tensor]:
    """Extend a vocabulary to the rows of published embeddings, and forbid the ids added.

    Raises UsageError if the tokenizer has more ids than there are rows.
    """
    beyond = max(rows - vocabulary.size, 0)
    if vocabulary.size - rows > len(vocabulary.specials):  # which may be new, and get rows
        raise UsageError(
            f"the tokenizer has {vocabulary.size} ids, and the published embeddings have {rows} "
            "rows: use the tokenizer that was published with them (leave data.tokenizer empty)"
        )
    return replace(vocabulary, size=vocabulary.size + beyond), F.pad(allowed, (0, beyond))


def pretrained(
    family: Family,
    vocabulary: Vocabulary,
    layout: str,
    body: int,
    config: Config,
    checkpoint: Checkpoint,
) -> Model:
    """Load a model with published weights, one by one.  Raises RunError if they do not fit."""
    model = make(family, vocabulary, layout, body, config, checkpoint.config, empty=True)
    form, dtype = family.published, getattr(torch, config.model.dtype)
    with torch.random.fork_rng():
        torch.manual_seed(config.train.seed)
        if known := layouts.of(checkpoint.config):
            fresh = folded.fill(model.network, known, checkpoint, vocabulary, dtype)
        elif form is None:
            raise AssertionError  # `make` has refused it
        elif form.head:
            fresh = adapted.fill(model.network, form, checkpoint, dtype)
        else:
            fresh = fill(model.network, form.names, checkpoint, dtype)
    if fresh:
        say(f"not among the published weights, and drawn afresh: {', '.join(fresh)}")
    return model


def chunks(items: Iterable[Example], size: int) -> Iterator[list[Example]]:
    """Yield lists of ``size`` items, the last one possibly shorter."""
    part: list[Example] = []
    for item in items:
        part.append(item)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part


def first(examples: Split, count: int) -> Iterator[Example]:
    """Yield the first ``count`` examples; 0 for all."""
    return (examples[i] for i in range(min(count or len(examples), len(examples))))


def save_weights(network: nn.Module, path: Path) -> None:
    """Save weights as safetensors."""
    save_model(network, str(path))


def load_weights(network: nn.Module, path: Path) -> None:
    """Load weights, the inverse of `save_weights`.

    Raises UsageError if names or shapes differ, RunError if the file is damaged or a weight is not
    finite.
    """
    try:
        load_model(network, str(path), strict=True)
    except RuntimeError as error:
        first = str(error).splitlines()[1:2] or [str(error)]
        raise UsageError(f"{path} is of another network: {first[0].strip()}") from error
    except (SafetensorError, OSError) as error:
        raise RunError(f"{path} cannot be read, it may be cut off: {error}") from error
    for name, weight in network.named_parameters():
        check_finite(weight, name, path)
