"""No command loses a run, changes one that another works on, or uses what is damaged."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import xlm_runtime
from xlm_runtime.model import memory
from xlm_runtime.run.folder.runs import Run, alone
from xlm_runtime.system import hashes
from xlm_runtime.system.errors import RunError
from xlm_runtime.train import saved

HERE = Path(__file__).parent
Start = Callable[..., int]
Capture = pytest.CaptureFixture[str]
RUN = Path("runs/toy/toy_reverse/mine")
SETS = ("train.steps=20", "train.checkpoint_every=10", "generate.samples=0")


def every_byte(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture
def begun(start: Start) -> Path:
    """A run of 20 steps, with the state after 10."""
    assert start(job="train", sets=SETS, name="mine") == 0
    return RUN


@pytest.mark.parametrize("trained", [True, False])
def test_the_package_of_a_run_may_be_the_only_copy(
    trained: bool, begun: Path, start: Start
) -> None:
    package = every_byte(begun / "package")
    if not trained:
        shutil.rmtree(begun / "checkpoints")
    sets = ("train.steps=30", *SETS[1:])
    code = start(package=begun / "package", job="train", sets=sets, run_dir=begun, force=True)
    assert code == 0
    assert every_byte(begun / "package") == package


def test_a_package_that_cannot_be_written_leaves_the_one_that_is_there(
    begun: Path, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    other = tmp_path / "other"
    shutil.copytree(HERE / "toy_family", other, ignore=shutil.ignore_patterns("__pycache__"))
    (other / "more.py").write_text('"""More."""\n')
    package = every_byte(begun / "package")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    code = start(package=other, job="train", sets=("train.steps=30",), name="mine", force=True)
    assert code == 4
    assert "cannot be written: No space left on device" in capsys.readouterr().err
    assert every_byte(begun / "package") == package


@pytest.mark.parametrize(
    "options",
    [
        {"job": "train", "seed": 9, "sets": ("train.steps=77",)},
        {"job": "train", "sets": ("train.steps=77",), "force": True},
        {"job": "all"},
    ],
)
def test_a_refused_command_leaves_a_run_at_work_as_it_is(
    options: dict[str, object], begun: Path, start: Start, capsys: Capture
) -> None:
    shutil.rmtree(begun / "checkpoints")  # as before its first checkpoint
    before = every_byte(begun)
    with alone(Run(begun)):
        assert start(name="mine", **options) == 2
    assert "another process works on" in capsys.readouterr().err
    assert every_byte(begun) == before


def test_a_run_that_was_refused_leaves_no_folder(start: Start) -> None:
    options = {"job": "train", "sets": SETS, "ckpt": "runs/nothing"}
    assert start(name="mine", **options) == 2
    assert not RUN.exists()


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ((), "training, with gradients, moments and average: "),
        (("generate.suppress=nonsense",), "the tokenizer has no token 'nonsense'"),
    ],
)
def test_a_model_that_is_refused_leaves_no_folder(
    sets: tuple[str, ...], message: str, start: Start, capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    if not sets:
        monkeypatch.setattr(memory, "capacity", lambda: 1000)
    assert start(job="train", sets=(*SETS, *sets), name="mine") == 2
    assert message in capsys.readouterr().err
    assert not RUN.exists()


@pytest.mark.parametrize("name", ["state.ckpt", "ema.safetensors", "raw.safetensors"])
def test_every_file_of_a_checkpoint_has_a_hash(name: str, begun: Path) -> None:
    hashes = json.loads((begun / "checkpoints/step-00000020/hashes.json").read_text())
    assert name in hashes["files"]


def test_a_checkpoint_that_was_half_deleted_is_none(begun: Path, start: Start) -> None:
    folder = begun / "checkpoints"
    (folder / ".step-00000005.gone").mkdir()
    (folder / ".step-00000005.gone/ema.safetensors").touch()
    assert saved.every(folder) == [10, 20]
    assert start(job="train", sets=SETS, name="mine") == 0
    assert not list(folder.glob(".step-*"))


def test_a_checkpoint_is_hidden_before_any_of_it_is_deleted(
    begun: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(path: Path, **_: object) -> None:
        if path.exists():
            raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        saved.delete(begun / "checkpoints/step-00000010")
    assert saved.every(begun / "checkpoints") == [20]


def test_files_are_on_the_disk_before_they_take_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a power cut leaves empty files under good names."""
    done: list[int] = []
    fsync, replace = os.fsync, Path.replace

    def waits(handle: int) -> None:
        done.append(os.fstat(handle).st_ino)
        fsync(handle)

    def renames(path: Path, target: Path) -> None:
        done.append(0)
        replace(path, target)

    monkeypatch.setattr(os, "fsync", waits)
    monkeypatch.setattr(Path, "replace", renames)
    for name in ("ema.safetensors", "state.ckpt"):
        (tmp_path / name).write_text(name)
    hashes.seal(tmp_path)
    ema, state, own = (
        (tmp_path / name).stat().st_ino for name in ("ema.safetensors", "state.ckpt", hashes.HASHES)
    )
    assert done == [ema, state, own, 0, tmp_path.stat().st_ino]


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) * 2 // 3] ^= 4
    file.write_bytes(content)


def test_damaged_weights_are_refused_and_the_intact_offered(
    begun: Path, start: Start, capsys: Capture
) -> None:
    flip(begun / "checkpoints/step-00000020/ema.safetensors")
    assert start(job="eval", name="mine") == 4
    error = capsys.readouterr().err
    before = begun / "checkpoints/step-00000010"
    assert "step-00000020/ema.safetensors is damaged" in error
    assert f"--ckpt {before} is intact" in error
    with pytest.raises(RunError, match="is damaged"):
        xlm_runtime.load(begun)
    assert start(job="eval", name="mine", ckpt=str(before)) == 0


def test_training_goes_on_from_the_state_before_a_damaged_one(
    begun: Path, start: Start, capsys: Capture
) -> None:
    whole = every_byte(begun / "checkpoints/step-00000020")
    flip(begun / "checkpoints/step-00000020/state.ckpt")
    more = {"job": "train", "name": "mine", "sets": ("train.steps=30", *SETS[1:]), "force": True}
    before = str(begun / "checkpoints/step-00000010")
    assert start(**more) == 4
    assert f"--job train --ckpt {before} resumes from there" in capsys.readouterr().err
    assert start(job="train", name="mine", sets=SETS, ckpt=before) == 0
    again = every_byte(begun / "checkpoints/step-00000020")
    assert {k: v for k, v in again.items() if "raw" in k or "ema" in k} == {
        k: v for k, v in whole.items() if "raw" in k or "ema" in k
    }
    assert start(job="train", name="mine", sets=SETS, ckpt=before) == 2
    assert "is intact" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ('{"last": 99}', "it names step 99, of which there is no checkpoint"),
        ('{"last": 10, "best": 20}', "its best step, 20, is behind its last, 10"),
        ("{}", "it names no checkpoint, and there are those of steps 10, 20"),
        ("[]", "it is no JSON object"),
    ],
)
def test_an_index_that_does_not_fit_is_refused(
    index: str, message: str, begun: Path, start: Start, capsys: Capture
) -> None:
    (begun / "checkpoints/index.json").write_text(index)
    for job in ("train", "eval"):
        assert start(job=job, name="mine", sets=SETS if job == "train" else ()) == 4
        assert message in capsys.readouterr().err
    newest = str(begun / "checkpoints/step-00000020")
    assert start(job="train", name="mine", sets=SETS, ckpt=newest) == 0
    assert saved.Index.read(begun / "checkpoints").last == 20


def test_runs_of_older_versions_open_and_say_that_they_have_no_hashes(
    begun: Path, start: Start, capsys: Capture
) -> None:
    for file in begun.rglob("hashes.json"):
        file.unlink()
    for file in (*begun.glob("*.json"), begun / "checkpoints/index.json"):
        plain = json.loads(file.read_text())
        del plain["sha256"]
        file.write_text(json.dumps(plain))
    assert start(job="eval", name="mine") == 0
    assert "has no hashes" in capsys.readouterr().out


def test_a_log_that_was_altered_is_refused_where_training_goes_on(
    begun: Path, start: Start, capsys: Capture
) -> None:
    more = {"job": "train", "name": "mine", "sets": ("train.steps=30", *SETS[1:]), "force": True}
    file, before = begun / "logs/metrics.csv", every_byte(begun)
    text = file.read_text()
    digit = next(i for i in range(len(text) - 1, 0, -1) if text[i].isdecimal())
    file.write_text(f"{text[:digit]}{9 - int(text[digit])}{text[digit + 1 :]}")
    assert start(**more) == 4
    error = capsys.readouterr().err
    assert "metrics.csv is damaged: its hash is not the one in sealed.json; move it" in error
    file.rename("moved.csv")
    assert start(**more) == 0
    assert not [row for row in file.read_text().splitlines()[1:] if int(row.split(",")[0]) <= 20]
    assert every_byte(begun)["logs/sealed.json"] != before["logs/sealed.json"]


def test_a_log_grows_without_a_seal_and_has_one_at_the_end_of_a_job(
    begun: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = {"job": "train", "name": "mine", "sets": ("train.steps=30", *SETS[1:]), "force": True}
    monkeypatch.setenv("TOY_FAULT", "raise:40")
    with pytest.raises(RuntimeError, match=r"^$"):
        start(**more)
    seal = json.loads((begun / "logs/sealed.json").read_text())["files"]
    assert seal == {"metrics.csv": hashes.of(begun / "logs/metrics.csv")}
    (begun / "logs/sealed.json").unlink()  # as after a kill
    monkeypatch.delenv("TOY_FAULT")
    assert start(**more) == 0
    assert (begun / "logs/sealed.json").exists()


def test_a_damaged_tokenizer_is_refused(begun: Path) -> None:
    file = begun / "tokenizer/tokenizer.json"
    file.write_text(file.read_text().replace('"a": ', '"z": '))  # still a tokenizer
    with pytest.raises(RunError, match=r"tokenizer\.json is damaged: its hash is not the one"):
        xlm_runtime.load(begun)
