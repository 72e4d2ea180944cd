"""The page for users of xlm-core names settings, tasks, options and decoders that there are."""

import re

from pages import ROOT

from xlm_runtime import tasks
from xlm_runtime.config.described import described
from xlm_runtime.packages import package
from xlmc.commands.run import run

TEXT = (ROOT / "docs" / "from-xlm.md").read_text(encoding="utf-8")
OURS = [line.split("|")[-2] for line in TEXT.splitlines() if line.startswith("| ")]


def families() -> dict[str, tuple[str, ...]]:
    """The params of every shipped family, as keys, and its decoders."""
    found: dict[str, tuple[str, ...]] = {}
    for path in sorted((ROOT / "examples").glob("*/family.py")):
        family = package.load(path.parent).family
        for name, params in family.params.items():
            section = "loss" if name == "loss" else "decoder"
            found[family.name] = found.get(family.name, ()) + tuple(
                f"{section}.{param.name}" for param in params
            )
        found[family.name] += tuple(f"decoder={name}" for name in family.decoders)
    return found


def test_settings_are_there() -> None:
    known = {one.path for one in described()} | {
        key for keys in families().values() for key in keys
    }
    named = re.findall(
        r"`((?:model|train|eval|generate|data|loss|decoder)(?:\.[a-z_]+|=[a-z]+))", " ".join(OURS)
    )
    assert len(named) > 50
    assert [key for key in named if key not in known] == []


def test_tasks_and_options_are_there() -> None:
    options = {option for param in run.params for option in param.opts}
    assert set(re.findall(r"--[a-z]+", " ".join(OURS))) <= options | {"--set"}
    lines = [line for line in OURS if "--task" in line]
    named = {word for line in lines for word in re.findall(r"--task ([a-z_0-9]+)", line)}
    assert named <= set(tasks.names())
    listed = TEXT.partition("## Experiments")[2].partition("## Settings")[0]
    shown = set(re.findall(r"`([a-z_0-9]+)`", " ".join(re.findall(r"\| [^|]+ \|$", listed, re.M))))
    assert {word for word in shown if "_" in word} <= set(tasks.names())
