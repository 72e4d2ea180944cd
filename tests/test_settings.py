"""What a recipe may say is what a run understands: the compiler's lists equal the runtime's."""

from pathlib import Path
from typing import Any, get_args

import pytest
from attrs import fields
from families.compiled import completed, imported, rendered
from families.texts import MASK

from xlm_runtime import tasks
from xlm_runtime.config import config
from xlm_runtime.config.settings import PRECISIONS, RECIPE, Setting, build, recipe_settings
from xlm_runtime.system import bounds
from xlm_runtime.system.errors import UsageError
from xlmc.check.recipe import check, settings
from xlmc.check.settings import OF_NOISE, SETTINGS, TASKS, TYPES, Range

VALUES = [
    "0",
    "1",
    "7",
    "0.5",
    "1.5",
    "1e3",
    "3e-4",
    "-1",
    "-0",
    "1e10",
    "1e-20",
    "cosine",
    "bf16",
    "fast",
    "small",
    "default",
    '"7"',
]


def kind(path: str) -> Any:
    """The type of a setting of the runtime."""
    section, _, name = path.partition(".")
    return getattr(fields(config.SECTIONS[section]), name).type


def recipe(*lines: str) -> str:
    """A spec with named decoders and one recipe."""
    start = MASK.index("  recipe")
    decoder = "  decoder fast { param order = confidence | margin\n"
    decoder += "    step { unmask one by order; draw token greedy } }\n"
    return f"{MASK[:start]}{decoder}  recipe lm1b {{ {'; '.join(lines)} }}\n}}\n"


def test_tasks_are_those_of_the_runtime() -> None:
    assert sorted(TASKS) == sorted(tasks.names())


def test_settings_are_those_of_the_runtime() -> None:
    assert set(SETTINGS) == set(RECIPE)


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_a_setting_takes_what_the_runtime_takes(name: str) -> None:
    ours, theirs = SETTINGS[name], kind(RECIPE[name])
    if name == "precision":
        assert ours == tuple(PRECISIONS)
        assert set(PRECISIONS.values()) <= set(get_args(theirs))
    elif isinstance(ours, tuple):
        assert ours == get_args(theirs)
    else:
        assert same(ours, theirs)


@pytest.mark.parametrize("name", sorted(TYPES))
def test_a_param_takes_what_the_runtime_takes(name: str) -> None:
    assert same(TYPES[name], getattr(bounds, name))


@pytest.mark.parametrize("name", sorted({*TYPES} - {"Chance"}))
def test_a_param_of_the_noise_takes_what_the_runtime_takes(name: str) -> None:
    assert same(OF_NOISE[name], getattr(bounds, f"Noise{name}"))


def same(ours: Range, theirs: Any) -> bool:
    """Whether two ranges hold the same numbers."""
    base, range_ = get_args(theirs)
    known = (ours.low, ours.high, ours.zero, ours.whole)
    return known == (range_.low, range_.high, range_.zero, base is int)


def passes(text: str) -> bool:
    return not list(check(completed(text)))


def runs(family: Any) -> bool:
    try:
        build(family, recipe_settings(family, "lm1b", "paper"), [])
    except UsageError:
        return False
    return True


def test_a_recipe_that_passes_runs_and_one_that_does_not_would_not(tmp_path: Path) -> None:
    with imported(rendered(recipe("batch 1")), tmp_path, "recipes") as package:
        family = package.FAMILY
        assert runs(family)
    known = settings(completed(recipe("batch 1")), completed(recipe("batch 1")).recipes[0])
    told = {}
    for path in sorted({*known, "decoder.order", "decoder.nothing", "nothing", "loss.nothing"}):
        for value in VALUES:
            told[path, value] = passes(recipe(f"{path} {value}"))
            if (path, value) == ("decoder.steps", "0"):
                assert not told[path, value]  # a grid of no steps: the runtime takes any Count
                continue
            assert told[path, value] == accepted(family, path, value), (path, value)
    assert {path for (path, _), good in told.items() if good} == {*known}


def accepted(family: Any, path: str, value: str) -> bool:
    """Whether the runtime takes a setting; a text is no number, and may not be one later."""
    if value.startswith('"'):
        return False
    number = float(value) if value[0] in "-0123456789" else value
    whole = int(number) if isinstance(number, float) and number == int(number) else number
    if path == "precision":
        whole = PRECISIONS.get(value, value)
    full = RECIPE.get(path, path)
    extra = [Setting("train.steps", 10**6, "here")] * (full == "train.warmup")
    try:
        build(family, [*extra, Setting(full, whole, "here")], [])
    except UsageError:
        return False
    return True


def test_a_recipe_may_choose_a_decoder_and_set_its_params(tmp_path: Path) -> None:
    text = recipe("decoder fast", "decoder.order margin")
    with imported(rendered(text), tmp_path, "chosen") as package:
        made = build(package.FAMILY, recipe_settings(package.FAMILY, "lm1b", "quick"), [])
    assert (made.decoder.name, made.decoder.params["order"]) == ("fast", "margin")
    assert not passes(recipe("decoder.order margin"))
    assert not passes(recipe("decoder slow"))
