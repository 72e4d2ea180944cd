"""A machine that fails in the middle of a run: a line that says what to do, and nothing lost."""

import errno
import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import sleep, time

import pytest
import torch

from xlm_runtime.model.model import Model
from xlm_runtime.plug import Decoded
from xlm_runtime.system.failures import GOES_ON, said

Start = Callable[..., int]
HERE = Path(__file__).parent
SETS = ("train.steps=6", "train.checkpoint_every=2", "train.validate_every=6", "generate.samples=0")
STEPS = Path("runs/toy/toy_reverse/full/checkpoints")


@pytest.fixture
def small_files() -> Iterator[Callable[[int], None]]:
    """``small_files(n)``: files end after n bytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, before)


def test_a_full_disk_is_named_and_the_last_checkpoint_is_kept(
    start: Start, small_files: Callable[[int], None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(job="train", sets=SETS[:1] + SETS[2:], name="whole") == 0
    size = (STEPS.parents[1] / "whole/checkpoints/step-00000006/ema.safetensors").stat().st_size
    assert start(job="train", sets=("train.steps=2", *SETS[1:]), name="full") == 0
    capsys.readouterr()
    small_files(size - 100)
    assert start(job="train", sets=SETS, name="full", force=True) == 4
    shown = capsys.readouterr().err
    assert "step-00000004 cannot be written: File too large" in shown
    assert "Free some space" in shown
    assert "step 2 is kept, and the same command resumes from there" in shown
    assert json.loads((STEPS / "index.json").read_text())["last"] == 2
    assert not list(STEPS.glob(".step*"))
    small_files(resource.RLIM_INFINITY)
    assert start(job="train", sets=SETS, name="full") == 0
    assert json.loads((STEPS / "index.json").read_text())["last"] == 6


def test_a_full_disk_is_named_wherever_it_is_met(
    start: Start, small_files: Callable[[int], None], capsys: pytest.CaptureFixture[str]
) -> None:
    small_files(300)
    assert start(job="train", sets=SETS, name="none") == 4
    shown = capsys.readouterr().err
    assert "File too large" in shown
    assert GOES_ON in shown


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a"), "a: No space left.*free some"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "a" * 300), "a{100}...: .*a shorter"),
        (OSError(errno.EMFILE, "Too many open files"), "fewer train.workers"),
        (MemoryError(), "out of memory: choose a smaller train.device_batch"),
        (RuntimeError("[enforce] DefaultCPUAllocator: can't allocate memory: 9"), "out of memory"),
        (torch.OutOfMemoryError("CUDA"), "out of memory"),
        (
            RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. "),
            "fewer train",
        ),
        (RuntimeError("[gloo] Connection closed by peer [::1]:9"), "a process of this run is gone"),
    ],
)
def test_what_a_machine_refuses_has_a_remedy(error: Exception, words: str) -> None:
    assert re.search(words, said(error))
    assert said(error).endswith(GOES_ON)


@pytest.mark.parametrize(
    "error", [ValueError("out of memory"), RuntimeError("mat1 and mat2"), FileNotFoundError(2, "x")]
)
def test_any_other_error_is_shown_with_its_place(error: Exception) -> None:
    assert said(error) == ""


def test_a_memory_that_is_full_names_what_makes_a_step_smaller(
    start: Start, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9")

    monkeypatch.setattr(Model, "loss", full)
    assert start(job="train", sets=SETS, name="full") == 4
    assert "try --set train.device_batch=" in capsys.readouterr().err


def test_tokens_that_are_left_as_masks_are_no_sample() -> None:
    from fresh import untrained

    model = untrained("mlm").model
    x = torch.full((1, 3), model.vocabulary["mask"])
    body = torch.tensor([[True, True, False]])
    with pytest.raises(Exception, match="decoder default of mlm leaves 2 tokens as masks"):
        model._check_whole(Decoded(x, body, torch.zeros(1)))
    model._check_whole(Decoded(x, torch.zeros_like(body), torch.zeros(1)))


@pytest.mark.slow
def test_the_first_process_ends_in_words_where_another_was_killed() -> None:
    code = (
        "import subprocess, sys, time; from xlm_runtime.system.failures import Siblings; "
        "one = subprocess.Popen([sys.executable, '-c', 'import os; os.kill(os.getpid(), 9)']); "
        "Siblings([one], 4).start(); time.sleep(20)"
    )
    path = os.pathsep.join(sys.path)
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 4
    assert "a process of this run is gone" in done.stderr
    assert "(by signal 9)" in done.stderr


@pytest.mark.slow
def test_a_rank_that_is_killed_ends_the_run_in_words(tmp_path: Path) -> None:
    (tmp_path / "go.py").write_text(
        f"import sys; sys.path[:0] = {[*sys.path, str(HERE)]!r}\n"
        "from pathlib import Path\n"
        "from xlm_runtime.run.main import run\n"
        "sets = ('train.devices=2', 'train.steps=1000000', 'train.checkpoint_every=5')\n"
        f"sys.exit(run(Path({str(HERE / 'toy_family')!r}), 'toy_task:REVERSE', job='train', "
        "sets=sets, name='two'))\n"
    )
    index = tmp_path / "runs/toy/toy_reverse/two/checkpoints/index.json"
    command = [sys.executable, "go.py"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as first:
        until = time() + 120
        while not index.exists() and time() < until:
            sleep(0.2)
        children = Path(f"/proc/{first.pid}/task/{first.pid}/children").read_text().split()
        for child in children:
            os.kill(int(child), signal.SIGKILL)
        _, shown = first.communicate(timeout=120)
    assert children
    assert first.returncode == 4
    assert "a process of this run is gone" in shown
    assert "the same command resumes from there" in shown
