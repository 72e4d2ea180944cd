"""What users get wrong outside of the configuration: said in words, and no number bent."""

import gzip
import json
from pathlib import Path

import pytest

from xlm_runtime import tasks
from xlm_runtime.config.settings import parse_sets
from xlm_runtime.data.files import read
from xlm_runtime.metrics.arithmetic import last_number
from xlm_runtime.model.published import find
from xlm_runtime.plug import Example
from xlm_runtime.run.folder import predictions
from xlm_runtime.run.jobs import generation
from xlm_runtime.run.main import run
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.tasks.base.sources import parts_of
from xlm_runtime.tokenizers import Tokenizer, bpe, pretrained, words
from xlm_runtime.tokenizers.molecules.smiles import whole

MLM = Path(__file__).parents[2] / "examples/mlm"


def test_a_folder_without_splits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "devices.txt").write_text("a\n")
    assert run(MLM, "jsonl", data=tmp_path, job="prepare") == 2
    assert "a folder without files named train" in capsys.readouterr().err


def test_names_that_only_begin_like_a_split(tmp_path: Path) -> None:
    for name in ("devices.csv", "values.csv", "trainers.csv", "train-1.csv", "dev_2.csv"):
        (tmp_path / name).write_text("a\n")
    found = {file.name: split for file, split in parts_of(tmp_path).items()}
    assert found == {"train-1.csv": "train", "dev_2.csv": "validation"}


def test_a_damaged_gzip(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(b"one\ntwo\n" * 5000))
    data[20:60] = bytes(40)
    (tmp_path / "mine.txt.gz").write_bytes(bytes(data))
    with pytest.raises(RunError, match=r"a broken gzip file|not UTF-8"):
        list(read(tmp_path / "mine.txt.gz").records())


@pytest.mark.parametrize("name", ["a--b/c..d", "a/b..c"])
def test_a_name_that_no_hub_has(name: str) -> None:
    with pytest.raises(UsageError, match="no name on the Hub"):
        find(name, weights=False)


def test_a_tokenizer_file_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    file.write_text('{"model": {"type": "BPE"}}')
    with pytest.raises(UsageError, match="cannot be read"):
        pretrained(str(file), ())


@pytest.mark.parametrize("name", [":X", "a b:X", "mine:"])
def test_a_task_by_no_path(name: str) -> None:
    with pytest.raises(UsageError, match=r"write it as package\.module:NAME"):
        tasks.get(name)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"prediction": "\ud800"}, "`prediction` contains half a character"),
        ({"prediction": "a", "ids": [-1]}, "`ids` go from 0 to"),
        ({"prediction": "a", "ids": [99]}, "`ids` go from 0 to"),
    ],
)
def test_predictions_that_are_none(row: dict[str, object], message: str, tmp_path: Path) -> None:
    file = tmp_path / "p.jsonl"
    file.write_text(json.dumps(row) + "\n")
    with pytest.raises(UsageError, match=message):
        predictions.match(predictions.read(file), [Example(0, (1,))], words("ab", ("pad",)), file)


@pytest.mark.parametrize(
    ("text", "number"),
    [("--5", -5), ("-$-5", -5), ("5-7", 7), ("-$5", -5), ("$-5", -5), ("-.5", -0.5), ("5 - 7", 7)],
)
def test_signs_of_numbers(text: str, number: float) -> None:
    assert last_number(text) == number


@pytest.mark.parametrize("text", ["CCO )))garbage", "CCO name", "CC\tO", " CC\nCC "])
def test_what_stands_behind_a_blank_is_no_molecule(text: str) -> None:
    assert whole(text) is None


def test_blanks_of_a_value_are_kept() -> None:
    (stop,) = parse_sets(["generate.stop=\n\n"])
    (steps,) = parse_sets(["train.steps= 5 "])
    assert (stop.value, steps.value) == ("\n\n", 5)


def test_a_chat_template_shapes_ids() -> None:
    backend = bpe(["a b c d"] * 9, 260, ()).backend
    one, other = (Tokenizer(backend, {}, template=text) for text in ("{{a}}", "{{b}}"))
    assert one.fingerprint != other.fingerprint


def test_predictions_with_line_ends_of_unicode_are_read_again(tmp_path, monkeypatch) -> None:
    from types import SimpleNamespace

    from xlm_runtime.run.folder import answers

    rows = [{"prediction": "a\u2028b\u0085c"}]
    file = tmp_path / "predictions.jsonl"
    file.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), "utf-8")
    answers.note(tmp_path, file, "key", {})
    shown: list[object] = []
    monkeypatch.setattr(generation.generate, "show", lambda row: shown.append(row) or "")
    run_ = SimpleNamespace(path=tmp_path, note=lambda *_: "key")
    family = SimpleNamespace(samples={})
    decoder = SimpleNamespace(decoder=SimpleNamespace(name="x"))
    generation.generation(
        SimpleNamespace(
            run=run_,
            package=SimpleNamespace(family=family),
            config=decoder,
            key=lambda _: (tmp_path, "key"),
        ),
        again=False,
    )
    assert shown == rows
