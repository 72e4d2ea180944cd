"""A folder that transformers loads with ``trust_remote_code=True``: weights, and code of their own.

It has the modules of the network, what these need of the plug, and a class of transformers around
them; nothing of xlmc has to be installed where it is loaded.
"""

import ast
import inspect
import sys
from collections.abc import Iterator
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

from attrs import frozen
from safetensors.torch import save_file
from torch import nn

from xlm_runtime import shapes
from xlm_runtime.model.model import Model
from xlm_runtime.plug import ModelSize, Vocabulary
from xlm_runtime.system.atomic import write_json, write_text
from xlm_runtime.system.errors import UsageError

MODELING = "modeling_xlmc.py"
_PLUG, _SHAPES = "xlmc_plug", "xlmc_shapes"
_OWN = {"xlm_runtime.plug": _PLUG, "xlm_runtime.shapes": _SHAPES}
_HEAD = f'''\
"""The parts of xlmc's runtime that a network needs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch

from .{_SHAPES} import Bool, Float, Int, Num, Tensor
'''


@frozen
class _Module:
    """A module of a package: its source, and where it imports from the runtime."""

    source: str

    def imports(self) -> Iterator[ast.ImportFrom]:
        """Yield the statements that name a module beside it, or of the runtime."""
        for node in ast.walk(ast.parse(self.source)):
            if isinstance(node, ast.ImportFrom) and (node.level or _of_runtime(node.module)):
                yield node

    @property
    def shipped(self) -> str:
        """The source with the shipped names of what it imports from the runtime."""
        lines = self.source.splitlines()
        for node in self.imports():
            if node.module in _OWN and not node.level:
                old = f"from {node.module} import"
                lines[node.lineno - 1] = lines[node.lineno - 1].replace(
                    old, f"from .{_OWN[node.module]} import"
                )
        return "\n".join(lines) + "\n"


def _of_runtime(module: str | None) -> bool:
    return (module or "").partition(".")[0] == "xlm_runtime"


def names(network: nn.Module) -> set[str]:
    """Return the names of the files of code that the folder of a network has."""
    return {f"{name}.py" for name in (*_modules(network), *_OWN.values())} | {MODELING}


def save(model: Model, size: ModelSize, folder: Path) -> None:
    """Write the weights, a config and the code of a network; it was made with a ``size``.

    Raises UsageError for a network that is more than tokens, and perhaps numbers, to answers, or
    tokens in blocks.
    """
    network: Any = model.network
    told, head = _told(network), _head(network)
    modules = _modules(network)
    weights = {f"network.{name}": one.contiguous() for name, one in network.state_dict().items()}
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    for name, module in modules.items():
        write_text(folder / f"{name}.py", module.shipped)
    write_text(folder / f"{_SHAPES}.py", inspect.getsource(shapes))
    parts = [_HEAD, inspect.getsource(Vocabulary), inspect.getsource(ModelSize)]
    write_text(folder / f"{_PLUG}.py", "\n\n".join(parts))
    write_text(folder / MODELING, (files(__package__) / f"{MODELING}.txt").read_text("utf-8"))
    forbidden = network.get_buffer("forbidden").nonzero()[:, 0].tolist()
    own: Any = network.backbone
    about = {
        "size": asdict(getattr(own, "size", size)),
        "specials": dict(model.vocabulary.specials),
        "vocab_size": len(network.get_buffer("forbidden")),
        "forbidden": forbidden,
        "head": head,
        "told": told,
        "clock": asdict(network.clock) if _in_blocks(network) else None,
        "family": model.family.name,
    }
    write_json(folder / "config.json", about | _about(network))


def _about(network: nn.Module) -> dict[str, Any]:
    """Return the entries of a config by which transformers finds the classes."""
    stem, dtype = MODELING.removesuffix(".py"), next(network.parameters()).dtype
    model = f"{stem}.XlmcModel"
    return {
        "model_type": "xlmc",
        "architectures": ["XlmcModel"],
        "auto_map": {
            "AutoConfig": f"{stem}.XlmcConfig", "AutoModel": model, "AutoModelForMaskedLM": model,
        },
        "dtype": str(dtype).removeprefix("torch."),
    }  # fmt: skip


def _told(network: Any) -> list[str]:
    """Return the names of what a network takes beside tokens, a number for each row: t or sigma.

    Of one that reads blocks it is nothing. Raises UsageError for a network that takes more.
    """
    if _in_blocks(network):
        return []
    built = [*inspect.signature(type(network).__init__).parameters][1:]
    _, attend, *more = inspect.signature(network.trunk).parameters
    if len(built) != 3 or attend != "attend" or not {*more} <= {"t", "sigma"}:
        raise UsageError(
            f"the network takes {', '.join([*built[3:], *more])} beside tokens, for which there is "
            "no form in transformers: share the run with --job push"
        )
    return more


def _in_blocks(network: Any) -> bool:
    """Return whether a network reads rows in blocks, each in view of those before it."""
    built = [*inspect.signature(type(network).__init__).parameters][4:]
    return built == ["clock"] and {"blocks", "extend"} <= {*dir(type(network))}


def _head(network: nn.Module) -> str:
    """Return the name of the first head."""
    names = [name.removeprefix("to_") for name, _ in network.named_children() if name != "backbone"]
    return next(name for name in names if callable(getattr(network, name, None)))


def _modules(network: nn.Module) -> dict[str, _Module]:
    """Return the modules of a package that its network needs, by name.  Raises UsageError."""
    package, _, first = type(network).__module__.rpartition(".")
    found: dict[str, _Module] = {}
    left = [first]
    while left:
        name = left.pop()
        found[name] = _Module(inspect.getsource(sys.modules[f"{package}.{name}"]))
        for node in found[name].imports():
            known = {"ModelSize", "Vocabulary"} if node.module == "xlm_runtime.plug" else None
            missing = {alias.name for alias in node.names} - known if known else set()
            if (not node.level and node.module not in _OWN) or missing:
                needed = ", ".join(sorted(missing)) or node.module
                raise UsageError(
                    f"the network needs {needed} of xlm_runtime, which a folder of transformers "
                    "cannot have: share the run with --job push"
                )
            if node.level and node.module and node.module not in found:
                left.append(node.module)
    return found
