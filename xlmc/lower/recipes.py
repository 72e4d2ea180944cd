"""Recipes: settings that all share are listed once, and equal recipes together."""

from collections import Counter
from collections.abc import Sequence

from xlmc.lower import ir
from xlmc.lower.params import setting
from xlmc.syntax import ast

Settings = tuple[tuple[str, str], ...]  # paths and the code of their values


def recipes(family: ast.Family) -> tuple[Settings, tuple[ir.Recipe, ...]]:
    """Return common settings, by the most frequent value, and each recipe with its others."""
    every = {
        recipe.title: tuple((one.path, setting(one.value)) for one in recipe.settings)
        for recipe in family.recipes
    }
    shared = _shared(list(dict.fromkeys(every.values())))
    alike: dict[Settings, list[str]] = {}
    for task, settings in every.items():
        own = tuple(one for one in settings if one not in shared)
        alike.setdefault(own, []).append(task)
    return shared, tuple(ir.Recipe(tuple(tasks), own) for own, tasks in alike.items())


def _shared(every: Sequence[Settings]) -> Settings:
    """Return the paths that all set, with their most frequent values; nothing for one recipe."""
    if len(every) < 2:
        return ()
    common = [path for path, _ in every[0] if all(path in dict(own) for own in every)]
    values = {path: Counter(dict(own)[path] for own in every) for path in common}
    return tuple((path, found.most_common(1)[0][0]) for path, found in values.items())
