"""Recipes: the task, the settings, their values."""

from collections.abc import Iterable, Iterator
from itertools import islice

from attrs import evolve

from xlmc.check.settings import OF_NOISE, SETTINGS, TASKS, TYPES, Range
from xlmc.check.words import listed, name_span
from xlmc.diagnostics.diagnostic import Diagnostic, suggest
from xlmc.diagnostics.semantic_errors import UnknownSetting, UnknownTask, WrongSetting
from xlmc.diagnostics.source import Span
from xlmc.syntax import ast, query
from xlmc.syntax.expression import literal

Known = dict[str, Range | tuple[str, ...]]


def check(family: ast.Family) -> Iterator[Diagnostic]:
    """Check the recipes."""
    for recipe in family.recipes:
        for task in recipe.tasks:
            if task.id not in TASKS:
                yield UnknownTask(
                    span=task.span,
                    task=task.id,
                    known=", ".join(TASKS),
                    hint=suggest(task.id, TASKS),
                )
    for places in _places(family):
        setting = places[0][0]
        if _inherited(setting, family):
            continue
        fitting = [known for _, known in places if setting.path in known]
        if not fitting:
            fitting = [{path: kind for _, known in places for path, kind in known.items()}]
        mistakes = (mistake for known in fitting for mistake in _setting(setting, known))
        yield from islice(mistakes, 1)


def trimmed(family: ast.Family) -> ast.Family:
    """Remove settings of recipes that the package does not have.

    A child need not have all settings of its parent's recipes, nor a recipe with another decoder
    the settings that all recipes share.
    """
    return evolve(
        family,
        recipes=tuple(
            evolve(recipe, settings=tuple(_kept(recipe.settings, settings(family, recipe))))
            for recipe in family.recipes
        ),
    )


def _kept(every: Iterable[ast.Setting], known: Known) -> Iterator[ast.Setting]:
    return (one for one in every if one.path in known and _fits(one.value, known[one.path]))


def _inherited(setting: ast.Setting, family: ast.Family) -> bool:
    return setting.span.source != family.span.source


def _places(family: ast.Family) -> Iterable[list[tuple[ast.Setting, Known]]]:
    """Return each setting with the known ones, once for each recipe that it is in.

    One that recipes share need not fit the decoders of all of them.
    """
    found: dict[Span, list[tuple[ast.Setting, Known]]] = {}
    for recipe in family.recipes:
        known = settings(family, recipe)
        for setting in recipe.settings:
            found.setdefault(setting.span, []).append((setting, known))
    return found.values()


def settings(family: ast.Family, recipe: ast.Recipe) -> Known:
    """Return every setting that a recipe may have, with its values, for its decoder.

    A param that the decoder does not read is no setting: the package does not have it.
    """
    known = dict(SETTINGS)
    names = [section.name or "default" for section in query.decoders(family)]
    if names:
        known["decoder"] = tuple(names)
    sections = [section for section in family.sections if section.kind != "decoder"]
    for section in (*sections, *query.chosen(family, recipe)):
        whole, types = _from_one(section), TYPES
        if section.kind == "noise":
            types = OF_NOISE | {"Size": TYPES["Size"]} if whole else OF_NOISE
        for param in query.those(section.entries, ast.Param):
            kind = "Size" if param.name in whole else param.kind
            if kind in TYPES:  # else that is what is wrong
                known[f"{section.kind}.{param.name}"] = types[kind]
        for choice in query.those(section.entries, ast.Choice):
            known[f"{section.kind}.{choice.name}"] = tuple(o.id for o in choice.options)
    known |= {f"loss.{one.name}": TYPES[one.kind] for one in query.of_rollout(family)
              if one.kind in TYPES}  # fmt: skip
    idle = query.idle(family, recipe)
    return {path: kind for path, kind in known.items() if path not in idle}


def _from_one(section: ast.Section) -> set[str]:
    """Return the params that are a number of steps or the size of a block: not 0."""
    found = set[str]()
    for entry in section.entries:
        if isinstance(entry, ast.Grid | ast.Blocks):
            found |= {one.id for one in query.expressions(entry) if isinstance(one, ast.Name)}
    return found


def _setting(setting: ast.Setting, known: Known) -> Iterator[Diagnostic]:
    kind = known.get(setting.path)
    if kind is None:
        yield UnknownSetting(
            span=name_span(setting, setting.path),
            path=setting.path,
            known=", ".join(sorted(known)),
            hint=suggest(setting.path, known),
        )
    elif not _fits(setting.value, kind):
        words = kind if isinstance(kind, tuple) else ()
        expected = listed(words) if words else str(kind)
        yield WrongSetting(
            span=setting.value.span,
            path=setting.path,
            value=setting.value.span.text,
            expected=expected,
            hint=suggest(setting.value.span.text, words),
        )


def _fits(value: ast.Expr, kind: Range | tuple[str, ...]) -> bool:
    if isinstance(kind, tuple):
        return isinstance(value, ast.Name) and value.id in kind
    number = literal(value)
    return number is not None and number in kind
