"""What the tests of the runtime share: the toy family, its tasks, and runs of them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from xlm_runtime import tasks
from xlm_runtime.run.main import run
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared

HERE = Path(__file__).parent
FAMILY = HERE / "toy_family"
Start = Callable[..., int]


@pytest.fixture(autouse=True, scope="session")
def _calm() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of prepared data that all tests share, in whatever process they run."""
    here = tmp_path_factory.getbasetemp()
    together = here.parent if "PYTEST_XDIST_WORKER" in os.environ else here
    (together / "cache").mkdir(exist_ok=True)
    return together / "cache"


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Start:
    """``start("REVERSE", job="train", sets=[...])`` runs the toy family in an empty folder."""
    monkeypatch.syspath_prepend(HERE)
    monkeypatch.chdir(tmp_path)

    def begin(task: str = "REVERSE", package: Path = FAMILY, **options: Any) -> int:
        options["sets"] = tuple(options.get("sets", ()))
        return run(package, f"toy_task:{task}", **options)

    return begin


@pytest.fixture
def splits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Prepared:
    """The data of ``toy_reverse``."""
    monkeypatch.syspath_prepend(HERE)
    options = DataOptions(preset="quick", cache=tmp_path, specials=("pad", "mask"))
    return tasks.get("toy_task:REVERSE").prepare(options)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the toy family on ``toy_reverse`` (all jobs, 60 steps)."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(HERE)
        patch.chdir(folder)
        assert run(FAMILY, "toy_task:REVERSE", sets=("generate.history=true",)) == 0
    return folder / "runs/toy/toy_reverse/quick-seed1"
