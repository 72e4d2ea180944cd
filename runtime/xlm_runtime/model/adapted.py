"""Weights of architectures of transformers, which the library itself reads and writes."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn

from xlm_runtime.model.published import CONFIG, Checkpoint, draw
from xlm_runtime.model.tensors import check_finite, complain, lengthened, where_in
from xlm_runtime.plug import Published
from xlm_runtime.plug.adapted import attached, pretrained, release
from xlm_runtime.system.errors import RunError, UsageError, some
from xlm_runtime.system.progress import say

_SHOWN = 6  # names in a line


def fill(
    network: nn.Module, form: Published, checkpoint: Checkpoint, dtype: torch.dtype
) -> list[str]:
    """Fill a network with published weights; it may be on `meta`.

    Returns the names of weights that they do not have (other heads), which are drawn afresh. Raises
    RunError for weights that are missing, of another shape or not finite.
    """
    backbone: Any = network.backbone
    net, unused = _read(network, form, checkpoint, dtype)
    if unused:
        say(f"published, and not used: {some(unused, _SHOWN)}")
    net.train(network.training)  # the library reads weights for use
    setattr(network, form.head, release(net))
    backbone.net = net
    return draw(network, dtype)


def check(network: nn.Module, form: Published, checkpoint: Checkpoint) -> None:
    """Read published weights as `fill` does, but leave the network unchanged.  Raises RunError."""
    _read(network, form, checkpoint, next(network.parameters()).dtype)


def _read(
    network: nn.Module, form: Published, checkpoint: Checkpoint, dtype: torch.dtype
) -> tuple[nn.Module, list[str]]:
    """Return the whole network of a folder, and the names in it that it does not use."""
    backbone: Any = network.backbone
    rows, folder = getattr(network, form.head).weight.shape[0], checkpoint.folder
    where_in(folder)  # whatever is missing or cut off
    with _silent():
        try:
            net, account = pretrained(backbone.size, folder, dtype)
        except (RuntimeError, ValueError, OSError, SafetensorError) as error:
            raise RunError(f"{folder}: {' '.join(str(error).split())}") from error
    problems = [f"{name} is missing" for name in sorted(account["missing_keys"])]
    for name, found, wanted in sorted(account["mismatched_keys"]):
        problems.append(f"{name} is {list(found)}, and the network has {list(wanted)}")
    complain(folder, problems)
    for name, weight in net.named_parameters():
        check_finite(weight, name, folder)
    _lengthen(net, rows)
    return net, sorted(account["unexpected_keys"])


@torch.no_grad()
def _lengthen(net: Any, rows: int) -> None:
    """Append rows for new ids to the embeddings and the head of a network."""
    there = net.get_input_embeddings().weight.shape[0]
    if rows == there:
        return
    with _silent():
        net.resize_token_embeddings(rows, mean_resizing=False)
    for weight in net.parameters():
        if weight.shape[0] == rows:
            weight[there:] = lengthened(weight[:there].float(), rows)[there:].to(weight.dtype)


@contextmanager
def _silent() -> Iterator[None]:
    """Keep the library from printing reports of its own."""
    from transformers.utils import logging as untyped

    logging: Any = untyped
    before, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()


def save(
    network: nn.Module,
    form: Published,
    config: Mapping[str, Any],
    folder: Path,
    shard: str = "5GB",
) -> None:
    """Write weights in the library's format.

    Raises UsageError for a network with weights that the format has no name for.
    """
    known = ("backbone.", f"{form.head}.")
    strange = [name for name, _ in network.named_parameters() if not name.startswith(known)]
    if strange:
        raise UsageError(f"the published format has no name for {', '.join(strange)}")
    backbone: Any = network.backbone
    head: nn.Linear = getattr(network, form.head)
    whole = attached(backbone.net, head)
    with _silent():
        whole.save_pretrained(folder, max_shard_size=shard)
    about = {**config, "vocab_size": head.weight.shape[0], "architectures": [type(whole).__name__]}
    about["dtype"] = str(head.weight.dtype).removeprefix("torch.")
    (folder / CONFIG).write_text(json.dumps(about, indent=2), encoding="utf-8")
