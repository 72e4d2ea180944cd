"""A model without weights, built before the run folder: a refusal leaves no run behind."""

from xlm_runtime.config.config import Config
from xlm_runtime.model import memory, published
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
    *,
    trains: bool,
) -> None:
    """Refuse a model that cannot be made, does not fit the memory, or has other weights.

    ``weights`` are published ones, of which names and shapes are read. Raises UsageError and
    RunError.
    """
    about, tokenizer = None if weights is None else weights.config, prepared.tokenizer
    parts = (family, tokenizer.vocabulary, layout, prepared.body, config, about)
    model = make(*parts, empty=True)
    tokenizer.named(config.generate.suppressed)
    if weights is not None and family.published is not None:
        published.check(model.network, family.published.names, weights)
    if trains:
        memory.check_training(model.network, model.dtype)
