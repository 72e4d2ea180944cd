"""A run goes to a Hub and comes back, through the client of the real one."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from hub_server import TOKEN, Hub, serving

import xlm_runtime
from xlm_runtime.run.share import pull
from xlm_runtime.system.atomic import read_json, write_json

HERE = Path(__file__).parent
REPO = "tester/reverser"
Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def call(hub: Hub, trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Call:
    """Runs xlmc beside the trained run, with that Hub."""
    home = tmp_path_factory.mktemp("home")

    def begin(*words: object, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
        paths = os.pathsep.join([str(HERE), *sys.path])
        env = os.environ | {"HF_ENDPOINT": hub.address, "HF_HOME": str(home), "PYTHONPATH": paths}
        env |= {"HF_TOKEN": token, "XLM_CACHE": str(home), "HF_HUB_DISABLE_TELEMETRY": "1"}
        command = [sys.executable, "-m", "xlmc", *map(str, words)]
        return subprocess.run(
            command, env=env, cwd=trained.parents[3], capture_output=True, text=True, check=False
        )

    return begin


def _push(call: Call, repo: str = REPO, **options: str) -> subprocess.CompletedProcess[str]:
    job = ("--task", "toy_task:REVERSE", "--job", "push", "--repo", repo)
    return call("run", HERE / "toy_family", *job, **options)


@pytest.fixture(scope="module")
def pushed(call: Call, trained: Path) -> str:
    about = read_json(trained / "data.json")
    about["facts"]["cache"] = str(Path.home() / ".cache/xlmc/reverse")
    write_json(trained / "data.json", about)
    done = _push(call)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_run_is_shared_without_what_is_this_machines(
    pushed: str, hub: Hub, trained: Path
) -> None:
    files = hub.repos[REPO]
    assert REPO in hub.hidden
    assert f"{hub.address}/{REPO}" in pushed
    weights = [name for name in files if name.endswith(".safetensors")]
    assert weights == ["checkpoints/step-00000060/ema.safetensors"]
    assert files[weights[0]] == (trained / weights[0]).read_bytes()
    text = b"".join(body for name, body in files.items() if name not in weights).decode()
    assert str(Path.home()) not in text
    assert str(trained.parents[3]) not in text
    assert "command" not in json.loads(files["run.json"])


def test_its_card_tells_what_it_is(pushed: str, hub: Hub) -> None:
    card = hub.repos[REPO]["README.md"].decode()
    assert card.startswith("---\nlibrary_name: xlmc\ntags:\n- toy\n- toy_reverse\n---\n")
    assert "60 steps, preset quick, seed 1" in card
    assert "exact match" in card
    assert (HERE / "toy_family/toy.xlm").read_text().strip() in card
    assert f"xlmc pull {REPO}" in card


def test_it_comes_back_the_same(
    pushed: str, call: Call, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = trained.parent / "reverser"
    done = call("pull", REPO)
    assert done.returncode == 0, done.stderr
    assert "read it before you run it" in done.stdout
    prompts = ["a b c", "c c a b"]
    answers = [xlm_runtime.load(f, trust=True).generate(prompts) for f in (trained, here)]
    assert answers[0] == answers[1]
    before = json.loads((trained / "metrics.json").read_text())
    (here / "metrics.json").unlink()
    words = ("--task", "toy_task:REVERSE", "--job", "eval", "--run", here)
    again = call("run", here / "package", *words)
    assert again.returncode == 0, again.stderr
    after = json.loads((here / "metrics.json").read_text())
    assert after["answers"] == before["answers"]
    assert after["loss"] == before["loss"]
    twice = call("pull", REPO)
    assert (twice.returncode, ", is at " in twice.stdout) == (0, True)  # it is there, and stays
    shutil.rmtree(here)


@pytest.mark.slow
def test_a_second_push_replaces_the_first_and_nothing_else(
    pushed: str, call: Call, hub: Hub
) -> None:
    files = hub.repos[REPO]
    files["checkpoints/step-00000030/ema.safetensors"] = b"old"
    files["notes.json"] = b"{}"
    assert _push(call).returncode == 0
    assert "checkpoints/step-00000030/ema.safetensors" not in files
    assert files["notes.json"] == b"{}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("repo", "token", "message"),
    [
        (REPO, "hf_of_nobody", "run `hf auth login`, or set a valid HF_TOKEN"),
        ("others/reverser", TOKEN, "your token may not write to others/reverser"),
    ],
)
def test_who_may_not_push(repo: str, token: str, message: str, call: Call) -> None:
    done = _push(call, repo, token=token)
    assert done.returncode == 4
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_what_cannot_be_pulled(pushed: str, call: Call, hub: Hub) -> None:
    hub.repos["tester/other"] = {"config.json": b"{}", "README.md": b"# other"}
    escape = {"family": "..", "task": "x", "preset": "quick", "data": None}
    hub.repos["tester/secret"] = hub.repos[REPO]
    hub.hidden.add("tester/secret")
    hub.repos["tester/escape"] = hub.repos[REPO] | {"run.json": json.dumps(escape).encode()}
    for name, path in (("bytecode", "package/__pycache__/x.pyc"), ("up", "package/../../x.py")):
        hub.repos[f"tester/{name}"] = hub.repos[REPO] | {path: b""}
    for repo, token, message in (
        ("tester/bytecode", TOKEN, "no run contains package/__pycache__/x.pyc"),
        ("tester/up", TOKEN, "no run contains package/../../x.py"),
        ("tester/secret", "hf_of_nobody", "it is private"),
        ("tester/other", TOKEN, "contains no run of xlmc"),
        ("tester/escape", TOKEN, "contains no run of xlmc"),
    ):
        done = call("pull", repo, "--to", f"fetched-{repo[7:]}", token=token)
        assert done.returncode == 4
        assert message in done.stderr


def test_a_pulled_run_is_not_trained_further(
    pushed: str, call: Call, trained: Path, start: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert call("pull", REPO, "--to", "again").returncode == 0
    folder = trained.parents[3] / "again"
    torch.manual_seed(0)
    assert start(job="train", run_dir=folder, sets=["train.steps=70"], force=True) == 2
    assert "it was pulled" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"job": "push"}, "--repo OWNER/NAME"),
        ({"repo": "a/b"}, "--job push"),
        ({"job": "push", "repo": "b"}, "write OWNER/NAME"),
        ({"job": "push", "repo": "a/b", "sets": ("model.layers=1",)}, "--set has no effect"),
        ({"job": "push", "repo": "a/b"}, "there is no trained run"),
    ],
)
def test_pushes_that_mean_nothing(
    options: dict[str, object], message: str, start: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert start(**options) == 2
    assert message in capsys.readouterr().err


def test_weights_of_elsewhere_are_not_pushed(
    trained: Path, start: Callable[..., int], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    shutil.copytree(trained / "checkpoints/step-00000060", tmp_path / "mine")
    assert start(job="push", repo="a/b", run_dir=trained, ckpt=str(tmp_path / "mine")) == 2
    assert "no checkpoint of" in capsys.readouterr().err


def test_a_pull_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("xlm_runtime.data.hub._reachable", lambda: False)
    monkeypatch.chdir(tmp_path)
    assert pull("a/b") == 4
    assert "the Hub cannot be reached" in capsys.readouterr().err
    assert pull("b") == 2
    assert list(tmp_path.iterdir()) == []
