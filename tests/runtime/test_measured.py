"""Numbers and all that they are of; a card shows none of another package, weights or data."""

import json
import re
import shutil
import tempfile
from collections.abc import Callable
from hashlib import sha256
from itertools import permutations
from pathlib import Path

import pytest
from shelf import Shelf

import xlm_runtime
from xlm_runtime.data.lengths import Law
from xlm_runtime.run import share
from xlm_runtime.run.folder import answers
from xlm_runtime.run.folder.runs import Run
from xlm_runtime.run.reports import measured
from xlm_runtime.system.atomic import read_json, write_json
from xlm_runtime.system.errors import RunError

Start = Callable[..., int]
HERE = Path(__file__).parent
FOLDER = Path("runs/toy/toy_reverse/quick-seed1")
SHORT = (
    "train.steps=2", "model.layers=1", "model.width=16", "model.heads=2", "generate.samples=0",
    "generate.count=3", "eval.draws=1",
)  # fmt: skip


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shelf:
    made = Shelf(tmp_path / "hub")
    made.use(monkeypatch)
    return made


def card(start: Start, shelf: Shelf, **options: object) -> str:
    assert start(job="push", repo="tester/toy", run_dir=FOLDER, **options) == 0
    return shelf.repos["tester/toy"]["README.md"].decode()


def another(tmp_path: Path) -> Path:
    """The toy package with a title of its own."""
    folder = tmp_path / "another"
    shutil.copytree(HERE / "toy_family", folder, ignore=shutil.ignore_patterns("__pycache__"))
    file = folder / "family.py"
    file.write_text(file.read_text().replace('title="Toy masked model"', 'title="Another"'))
    return folder


def test_an_evaluation_says_what_it_is_of(start: Start) -> None:
    assert start(sets=SHORT) == 0
    run = Run(FOLDER)
    found = json.loads((FOLDER / "metrics.json").read_text())
    lines = (FOLDER / "evaluations.jsonl").read_text().splitlines()
    assert found == json.loads(lines[-1])
    folder = FOLDER / "checkpoints/step-00000002"
    hashed = sha256(sha256((folder / "ema.safetensors").read_bytes()).digest()).hexdigest()
    of = found["of"]
    assert of.keys() == {"package", "weights", "data", "model", "settings"}
    assert (of["package"], of["weights"]) == (run.facts["package"], hashed)
    assert of["data"] == run.facts["content"]
    assert (found["examples"], found["test_examples"]) == (37, 37)
    about = json.loads((FOLDER / "predictions.json").read_text())["predictions.jsonl"]
    assert about["of"] == of
    assert (about["examples"], about["test_examples"]) == (3, 37)
    assert start(job="eval", sets=("decoder=greedy",)) == 0
    other = json.loads((FOLDER / "metrics.json").read_text())["of"]
    assert other["settings"] != of["settings"]
    assert other | {"settings": ""} == of | {"settings": ""}


def test_numbers_of_another_package_are_not_on_a_card(
    start: Start, shelf: Shelf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(job="train", sets=SHORT) == 0
    assert "**It was not evaluated.**" in card(start, shelf)
    assert start(package=another(tmp_path), job="eval", run_dir=FOLDER, force=True) == 0
    capsys.readouterr()
    text = card(start, shelf)
    assert "the last evaluation was of another package, and is not shown" in text
    assert "the last evaluation was of another package" in capsys.readouterr().out
    assert "exact match" not in text
    assert "metrics.json" not in shelf.repos["tester/toy"]
    assert start(job="eval", run_dir=FOLDER) == 0
    assert "exact match" in card(start, shelf)
    assert start(package=another(tmp_path / "2"), job="eval", run_dir=FOLDER, force=True) == 0
    text = card(start, shelf)  # those of its own package are still known
    assert "exact match" in text
    assert "**" not in text


def test_numbers_of_other_weights_are_not_on_a_card(start: Start, shelf: Shelf) -> None:
    sets = (*SHORT, "train.steps=4", "train.keep_every=2", "train.checkpoint_every=2")
    assert start(job="train", sets=sets) == 0
    assert start(job="eval", ckpt="last") == 0
    first = FOLDER / "checkpoints/step-00000002"
    shutil.copy(FOLDER / "checkpoints/step-00000004/ema.safetensors", "kept.safetensors")
    text = card(start, shelf, ckpt=str(first))
    assert "the last evaluation was of other weights (step-00000004), and is not shown" in text
    assert "exact match" in card(start, shelf, ckpt="last")


def test_a_part_of_the_test_data_is_marked(
    start: Start, shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(job="train", sets=SHORT) == 0
    assert start(job="eval", sets=("eval.examples=8",)) == 0
    assert "evaluation of step-00000002 on 8 of 37 test examples" in capsys.readouterr().out
    mark = "**These numbers are of a part of the test data: 8 of 37 examples.**"
    assert mark in card(start, shelf)
    assert start(job="eval") == 0
    assert start(job="eval", sets=("eval.examples=8",)) == 0
    text = card(start, shelf)  # the whole one is preferred to a later part
    assert "of a part" not in text
    assert "on 37 test examples" in text


def test_other_data_are_marked(start: Start, shelf: Shelf) -> None:
    assert start(job="train", sets=SHORT) == 0
    facts = json.loads((FOLDER / "run.json").read_text()) | {"content": "of other rows"}
    write_json(FOLDER / "run.json", facts)
    assert start(job="eval", run_dir=FOLDER) == 0
    text = card(start, shelf)
    assert "**These numbers are of other data than those of the run.**" in text
    assert "the data are not those of training" in text


def test_numbers_without_hashes_are_not_shown(start: Start, shelf: Shelf) -> None:
    assert start(job="train", sets=SHORT) == 0
    assert start(job="eval") == 0
    found = json.loads((FOLDER / "metrics.json").read_text())
    del found["of"]
    write_json(FOLDER / "metrics.json", found)
    (FOLDER / "evaluations.jsonl").unlink()
    assert "kept no hashes of what it measured, and is not shown" in card(start, shelf)


def test_nothing_local_is_pushed(
    start: Start, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [" ".join(letters) for n in (2, 3) for letters in permutations("abcdefg", n)]
    data = tmp_path / "my secret folder" / "my.jsonl"
    data.parent.mkdir()
    lines = [json.dumps({"prompt": row, "target": row[::-1]}) for row in rows]
    data.write_text("\n".join([*lines, '{"prompt": 1, "target": ""}']))
    home = tmp_path / "home of somebody"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    options = {"task": "jsonl", "data": data, "columns": "prompt=prompt,target=target"}
    monkeypatch.setattr("sys.argv", ["xlmc", "run", str(home / "secret")])
    from xlm_runtime.run.main import run

    assert run(HERE / "toy_family", preset="quick", sets=SHORT, **options) == 0
    folder = next(Path("runs/toy/jsonl").iterdir())
    push = {"job": "push", "repo": "tester/toy", "run_dir": folder}
    assert run(HERE / "toy_family", "jsonl", **push) == 0
    files = shelf.repos["tester/toy"]
    assert {name for name in files if "/" not in name} == {
        "README.md", "config.json", "data.json", "metrics.json", "run.json",
    }  # fmt: skip
    everything = b"\n".join(files.values())
    for path in (home, Path.cwd(), Path(tempfile.gettempdir()), tmp_path, HERE.parents[1]):
        assert str(path).encode() not in everything
    for word in ("secret", "somebody", "platform", "revision"):
        assert word.encode() not in everything
    about = json.loads(files["data.json"])
    assert about["facts"] == {}
    assert all(len(pair) == 2 for pair in about["lengths"])
    assert sum(rows for _, rows in about["lengths"]) < len(rows)
    assert json.loads(files["run.json"])["data"] == "my.jsonl"


def test_what_names_a_folder_of_this_machine_is_not_pushed(
    start: Start, shelf: Shelf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = another(tmp_path)
    (package / "toy.xlm").write_text(f"# kept in {tmp_path}/notes\n" + 'family toy "Toy" {\n}\n')
    assert start(package=package, job="train", sets=SHORT) == 0
    assert start(package=package, job="push", repo="a/b", run_dir=FOLDER) == 4
    said = capsys.readouterr().err
    assert f"names a folder of this machine, {tmp_path}" in said
    assert "README.md" in said or "package/toy.xlm" in said
    assert not shelf.repos


def test_a_package_that_could_not_be_pulled_is_not_pushed(
    start: Start, shelf: Shelf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = another(tmp_path)
    (package / "table.csv").write_text("1")
    assert start(package=package, job="train", sets=SHORT) == 0
    assert start(package=package, job="push", repo="a/b", run_dir=FOLDER) == 2
    assert "cannot be shared: package/table.csv: " in capsys.readouterr().err


def test_samples_are_the_same_wherever_a_run_lies(start: Start, shelf: Shelf) -> None:
    assert start("TEXT", job="train", sets=SHORT) == 0
    here = Path("runs/toy/toy_text/quick-seed1")
    about = json.loads((here / "data.json").read_text()) | {"lengths": [4, 2, 2, 4, 3] * 4}
    write_json(here / "data.json", about)  # as earlier versions wrote it
    assert start("TEXT", job="push", repo="tester/toy", run_dir=here) == 0
    assert share.pull("tester/toy", Path("came")) == 0
    loaded = [xlm_runtime.load(folder, trust=True) for folder in (here, Path("came"))]
    texts = [one.generate([""] * 12, seed=3) for one in loaded]
    assert texts[0] == texts[1]
    assert len({len(text.split()) for text in texts[0]}) > 1


def test_a_law_of_lengths_is_all_that_generation_needs() -> None:
    law = Law.of([5, 3, 3, 9])
    assert law.plain() == [[3, 2], [5, 1], [9, 1]]
    assert Law.read(law.plain(), "") == Law.read([9, 3, 5, 3], "") == law
    assert [law.at(chance) for chance in (0, 0.49, 0.5, 0.74, 0.75, 0.999)] == [3, 3, 5, 5, 9, 9]
    assert law.beyond(3).plain() == [[5, 1], [9, 1]]
    assert Law.of([]).at(0.5) is None
    assert law.beyond(9).at(0.1) is None
    for wrong in (None, {}, [[1]], [[-1, 1]], [[1, 0]], [True], [[1, 2], 3], ["1"], [-4]):
        with pytest.raises(RunError, match="`lengths` is no list"):
            Law.read(wrong, "data.json")


def test_no_generation_takes_the_place_of_another(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(sets=SHORT) == 0
    first = (FOLDER / "predictions.jsonl").read_bytes()
    assert start(job="generate", sets=("generate.count=1",)) == 0
    assert "1 predictions in runs/toy/toy_reverse/quick-seed1/predictions-2.jsonl" in (
        capsys.readouterr().out
    )
    assert start(job="generate", sets=("generate.count=2", "decoder=greedy")) == 0
    assert (FOLDER / "predictions.jsonl").read_bytes() == first
    second = (FOLDER / "predictions-2.jsonl").read_bytes()
    assert start(job="generate", sets=("generate.count=1",)) == 0  # the same again
    assert sorted(path.name for path in FOLDER.glob("predictions*")) == [
        "predictions-2.jsonl", "predictions-3.jsonl", "predictions.json", "predictions.jsonl",
    ]  # fmt: skip
    assert (FOLDER / "predictions-2.jsonl").read_bytes() == second
    about = read_json(FOLDER / "predictions.json")
    assert [one["examples"] for one in about.values()] == [3, 1, 2]
    assert len({one["of"]["settings"] for one in about.values()}) == 3
    file = FOLDER / "predictions-2.jsonl"
    assert start(job="score", predictions=file, sets=("eval.examples=1",)) == 0
    assert (FOLDER / "predictions-2.scores.json").is_file()


def test_files_that_nobody_noted_are_kept(tmp_path: Path) -> None:
    (tmp_path / "predictions.jsonl").write_text("of an earlier version")
    assert answers.file(tmp_path, "key").name == "predictions-2.jsonl"


@pytest.mark.parametrize(
    "change",
    [
        {"examples": "8"}, {"claim": []}, {"claim": {"value": "tight"}}, {"loss": {"loss": "x"}},
        {"answers": [1]}, {"checkpoint": 3}, {"asked": "x"}, {"of": []}, {"decoder_params": 3},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_evaluation_is_refused(change: dict[str, object]) -> None:
    right = {"checkpoint": "step-1", "examples": 3, "claim": {"value": "none", "why": ""}}
    assert measured.checked(right, "x") == right
    with pytest.raises(RunError, match=f"x is no evaluation: {re.escape(next(iter(change)))}"):
        measured.checked(right | change, "x")
