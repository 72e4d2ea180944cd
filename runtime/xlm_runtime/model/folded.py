"""Weights in a layout of their own, folded into a network here: see `layouts`."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from xlm_runtime.model.layouts import Layout
from xlm_runtime.model.published import Checkpoint, draw, slots_of
from xlm_runtime.model.tensors import by_token, check_finite, complain, read, where_in
from xlm_runtime.plug import Vocabulary
from xlm_runtime.system.errors import UsageError

_IGNORED = "rotary_emb.inv_freq"  # follows from the size


def fill(
    network: nn.Module,
    layout: Layout,
    checkpoint: Checkpoint,
    vocabulary: Vocabulary,
    dtype: torch.dtype,
) -> list[str]:
    """Fill a network with weights of a layout; it may be on `meta`.

    Returns the names of weights that they do not have (other heads), which are drawn afresh. Raises
    RunError for weights that are missing, of another shape or not finite, UsageError for a family
    whose head is not the one of the weights, or whose network is another one.
    """
    if why := layout.fits(network, checkpoint.config):
        raise UsageError(f"{checkpoint.name}: {why}")
    known, where, used = slots_of(network), where_in(checkpoint.folder), {*layout.beside}

    def get(name: str) -> Tensor:
        if name not in where:
            complain(checkpoint.folder, [f"{name} is missing"])
        used.add(name)
        ((_, tensor),) = read(where[name], [name])
        check_finite(tensor, name, where[name])
        return tensor.float()

    head, problems, taken = _head(network), [], set[str]()
    ids = _rows(vocabulary, checkpoint.rows, layout.roles(checkpoint.config), network, head)
    with torch.no_grad():
        for name, tensor in layout.weights(get, checkpoint.config, head):
            if name.startswith(("backbone.embed.", f"{head}.")):
                tensor = by_token(tensor, ids, 0, torch.Generator().manual_seed(0))
            if name not in known:
                problems.append(f"the network has no {name}: its backbone is another")
            elif tuple(tensor.shape) != known[name].shape:
                wanted = list(known[name].shape)
                problems.append(f"{name} is {list(tensor.shape)}, and the network has {wanted}")
            else:
                taken.add(name)
                known[name].set(tensor.to(dtype, copy=True).contiguous())
    problems += [f"{n} is unknown" for n in where if n not in used and not n.endswith(_IGNORED)]
    own = (f"{head}.", "backbone.")
    problems += [f"{n} has no weights" for n in known if n.startswith(own) and n not in taken]
    complain(checkpoint.folder, problems)
    return draw(network, dtype, [name for name in known if not name.startswith(own)])


def _head(network: nn.Module) -> str:
    """Return the only head of tokens of a network.  Raises UsageError for several."""
    table: Any = network.backbone
    size = table.embed.weight.shape[0]
    heads = [
        name
        for name, child in network.named_children()
        if isinstance(child, nn.Linear) and child.out_features == size
    ]
    if len(heads) != 1:
        raise UsageError(f"published weights have one head of tokens, and the network {len(heads)}")
    return heads[0]


def _rows(
    vocabulary: Vocabulary, there: int, roles: Mapping[str, int], network: nn.Module, head: str
) -> list[int | None]:
    """Return for each id of the network that of the weights, or None: roles may have others."""
    names = {i: role for role, i in vocabulary.specials.items()}
    size = network.get_submodule(head).get_parameter("weight").shape[0]
    found: list[int | None] = []
    for i in range(size):
        same = i if i < there and i not in roles.values() else None
        found.append(roles.get(names.get(i, ""), same))
    return found
