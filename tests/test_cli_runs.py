"""The commands that need the runtime: run, and the list of tasks."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from xlmc.commands.cli import execute
from xlmc.commands.common import task_names


def said(capsys) -> tuple[str, str]:
    captured = capsys.readouterr()
    return captured.out, captured.err


class Runtime(ModuleType):
    """Takes the place of the runtime and notes how it was called."""

    def run(self, package: Path, task: str, **options: object) -> int:
        self.called = (package, task, options)
        if self.error:
            raise self.error
        return self.code

    code = 0
    error: Exception | None = None


@pytest.fixture
def runtime(monkeypatch) -> Runtime:
    double = Runtime("xlm_runtime.run.main")
    monkeypatch.setitem(sys.modules, "xlm_runtime.run.main", double)
    return double


def test_run_hands_everything_over(runtime) -> None:
    command = "run out/ilm --task star_easy --job eval --preset paper --set a.b=1 --set c=x"
    command += " --metric length --predictions p.txt --repo a/b"
    command += " --columns text=a --tokenizer bpe:300"
    command += " --data d.txt --ckpt best --run runs/r --name n --seed 7 --force --trust"
    command += (
        " --init w --init-map m.json --seeds 3 --limit 9 --devices 2 --nodes 4 --strategy fsdp"
    )
    assert execute(command.split()) == 0
    package, task, options = runtime.called
    trust, line = options.pop("trust"), options.pop("line")
    assert line.startswith("xlmc")
    assert trust.agree("why")
    assert "MANIFEST.json" in trust.judge({})
    assert (package, task) == (Path("out/ilm"), "star_easy")
    assert options == {
        "job": "eval",
        "preset": "paper",
        "sets": ("a.b=1", "c=x"),
        "metrics": ("length",),
        "data": Path("d.txt"),
        "columns": "text=a",
        "tokenizer": "bpe:300",
        "predictions": Path("p.txt"),
        "repo": "a/b",
        "ckpt": "best",
        "run_dir": Path("runs/r"),
        "name": "n",
        "seed": 7,
        "force": True,
        "init": "w",
        "init_map": "m.json",
        "seeds": "3",
        "limit": 9,
        "devices": 2,
        "strategy": "fsdp",
        "nodes": 4,
        "sbatch": None,
    }


def test_run_leaves_the_defaults_to_the_runtime(runtime) -> None:
    assert execute(["run", "out/ilm", "--task", "lm1b"]) == 0
    *_, options = runtime.called
    assert (options["job"], options["preset"], options["sets"]) == ("all", "quick", ())
    assert {options[key] for key in ("data", "repo", "ckpt", "run_dir", "name", "seed")} == {None}


@pytest.mark.parametrize("code", [0, 2, 4, 130])
def test_the_exit_code_of_a_run_is_passed_on(runtime, code) -> None:
    runtime.code = code
    assert execute(["run", "out/ilm", "--task", "lm1b"]) == code


def test_a_run_that_breaks_shows_where(runtime, capsys) -> None:
    runtime.error = ValueError("out of everything")
    assert execute(["run", "out/ilm", "--task", "lm1b"]) == 4
    _, err = said(capsys)
    assert "Traceback" in err
    assert err.endswith("error: the run failed: ValueError, see above\n")


def test_a_runtime_that_is_not_installed_is_no_bug(capsys, monkeypatch) -> None:
    def missing(name: str, *_: object) -> None:
        if name.startswith("xlm_runtime"):
            raise ModuleNotFoundError("No module named 'torch'", name="torch")

    class Finder:
        find_spec = staticmethod(missing)

    for name in [name for name in sys.modules if name.startswith("xlm_runtime")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    assert execute(["run", "out/ilm", "--task", "lm1b"]) == 4
    assert "torch is not installed" in said(capsys)[1]


def test_tasks_are_listed(capsys) -> None:
    assert execute(["tasks"]) == 0
    lines = said(capsys)[0].splitlines()
    names = [line.split()[0] for line in lines]
    assert names[0] == "star_easy"
    assert len(names) == len(set(names)) > 10
    assert "seq2seq  Star graphs: " in lines[0]


def test_a_task_is_shown(capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XLM_CACHE", str(tmp_path))
    assert execute(["tasks", "show", "star_hard", "--examples", "0"]) == 0
    assert "layout: seq2seq" in said(capsys)[0]
    assert execute(["tasks", "show", "star_hrad"]) == 2
    assert "did you mean 'star_hard'?" in said(capsys)[1]


def test_names_of_tasks_are_completed() -> None:
    assert task_names(None, None, "star_m") == ["star_medium"]
