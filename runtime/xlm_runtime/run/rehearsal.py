"""A model without weights, built before the run folder: a refusal leaves no run folder."""

from collections.abc import Mapping
from typing import Any

from xlm_runtime.config.config import Config
from xlm_runtime.model import adapted, folded, layouts, memory, published
from xlm_runtime.model.model import make
from xlm_runtime.model.published import Checkpoint
from xlm_runtime.plug import Family
from xlm_runtime.tasks.base.prepared import Prepared


def rehearse(
    family: Family,
    layout: str,
    prepared: Prepared,
    config: Config,
    weights: Checkpoint | None,
    about: Mapping[str, Any] | None,
    *,
    trains: bool,
) -> None:
    """Refuse a model that cannot be made, does not fit the memory, or has other weights.

    ``weights`` are published ones, of which names and shapes are read; ``about`` is the config of
    the network. Raises UsageError and
    RunError.
    """
    tokenizer = prepared.tokenizer
    parts = (family, tokenizer.vocabulary, layout, prepared.body, config, about)
    model = make(*parts, empty=True)
    tokenizer.named(config.generate.suppressed)
    if weights is not None and (known := layouts.of(weights.config)):
        folded.fill(model.network, known, weights, tokenizer.vocabulary, model.dtype)
    elif weights is not None and (form := family.published) is not None:
        if form.head:
            adapted.check(model.network, form, weights)
        else:
            published.check(model.network, form.names, weights)
    if trains:
        memory.check_training(model.network, model.dtype, config.train)
