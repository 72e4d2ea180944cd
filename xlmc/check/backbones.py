"""Backbones that have some layers, and a known one that lacks them."""

from collections.abc import Callable

from xlmc.syntax import ast, query
from xlmc.words.backbones.base import Backbone, Layers
from xlmc.words.slots import backbone_words

Of = Callable[[Backbone], Layers | None]


def having(layers: Of) -> str:
    """Return a hint: to write a backbone that has these layers."""
    good = (one.name for one in backbone_words().values() if layers(one) is not None)
    return "write " + " or ".join(f"`backbone {name}`" for name in good)


def lacking(family: ast.Family, layers: Of) -> tuple[ast.Backbone, str] | None:
    """Return a known backbone that has no such layers, and its word: "" for one that is Python."""
    found = query.first(query.entries(family, "network"), ast.Backbone)
    if found is None:
        return None
    if found.python is not None:
        return found, ""
    word = backbone_words().get(query.backbone(family))
    return (found, word.name) if word is not None and layers(word) is None else None
