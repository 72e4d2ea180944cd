"""A family with its network and vocabulary: what training, evaluation and generation work with."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from attrs import frozen
from safetensors.torch import load_model, save_model
from torch import nn

from xlm_runtime.config import Config, Decoder
from xlm_runtime.data import Split
from xlm_runtime.plug import Batch, Decoded, Example, Family, Layout, Losses, Noise, Vocabulary


@frozen(eq=False)
class Model:
    """A family at work on one kind of example.

    layout: examples -> Batch. body: the largest number of body tokens. objective: the family's
    loss, which training may compile.
    """

    family: Family
    network: nn.Module
    vocabulary: Vocabulary
    layout: Layout
    body: int
    loss_params: dict[str, Any]
    decoder: Decoder
    objective: Callable[..., Losses]

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters()).device

    def loss(self, batch: Batch, noise: Noise) -> Losses:
        """Corrupts a batch on its device, if the family does, and returns the training loss."""
        family = self.family
        if family.amount is None or family.corrupt is None:
            return self.objective(self.network, batch, **self.loss_params)
        noised = family.corrupt(batch, family.amount(batch, noise), noise, self.vocabulary)
        return self.objective(self.network, noised, batch, **self.loss_params)

    def decode(self, batch: Batch, noise: Noise, record: bool = False) -> Decoded:
        """Runs the chosen decoder on a batch whose free positions it fills."""
        decoder = self.family.decoders[self.decoder.name](**self.decoder.params)
        return decoder(self.network, batch, noise, self.body, record)

    def batches(
        self, examples: Iterable[Example], size: int
    ) -> Iterator[tuple[list[Example], Batch]]:
        """All examples in their order, ``size`` at a time; the last batch may be smaller."""
        for part in chunks(examples, size):
            yield part, self.layout(part).to(self.device)


def make(family: Family, vocabulary: Vocabulary, layout: str, body: int, config: Config) -> Model:
    """A model with fresh weights, drawn from the seed of the configuration."""
    laid: Callable[..., Layout] = family.layouts[layout]
    made = laid(vocabulary, body)
    with torch.random.fork_rng():
        torch.manual_seed(config.train.seed)
        network = family.network(vocabulary, vocabulary.allowed(made.predicts), config.model.shape)
    parts = (family, network, vocabulary, made, body, config.loss, config.decoder)
    return Model(*parts, objective=family.loss)


def chunks(items: Iterable[Example], size: int) -> Iterator[list[Example]]:
    """Lists of ``size`` items, the last one shorter if need be."""
    part: list[Example] = []
    for item in items:
        part.append(item)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part


def first(examples: Split, count: int) -> Iterator[Example]:
    """The first ``count`` examples; 0 for all."""
    return (examples[i] for i in range(min(count or len(examples), len(examples))))


def save_weights(network: nn.Module, path: Path) -> None:
    """Weights as safetensors."""
    save_model(network, str(path))


def load_weights(network: nn.Module, path: Path) -> None:
    """The inverse of `save_weights`.  Raises RuntimeError where the names or shapes differ."""
    load_model(network, str(path), strict=True)
