"""The lookup of words: every module of a folder with a class of a word; nothing else lists them."""

from functools import cache
from importlib import import_module
from inspect import isabstract
from pkgutil import iter_modules
from types import ModuleType
from typing import TypeVar

from xlmc.words.base import Word

W = TypeVar("W", bound=Word)


@cache
def words(folder: ModuleType, base: type[W]) -> dict[str, W]:
    """Return the words of a folder by their names: by their order, then by name."""
    for module in iter_modules(folder.__path__):
        import_module(f"{folder.__name__}.{module.name}")
    found = [one for one in _below(base) if "name" in vars(one) and not isabstract(one)]
    return {one.name: one() for one in sorted(found, key=lambda one: (one.order, one.name))}


def _below(base: type[W]) -> list[type[W]]:
    direct = base.__subclasses__()
    return [*direct, *(one for child in direct for one in _below(child))]
