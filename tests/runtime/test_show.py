"""``xlmc tasks show``: what is said of a task, and what is not fetched for it."""

from pathlib import Path

import datasets
import pytest

from xlm_runtime.data import hub
from xlm_runtime.plug import Example
from xlm_runtime.run.show import listed, rendered, show
from xlm_runtime.tasks import names
from xlm_runtime.tokenizers import words


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No cache but an empty one, and no network."""
    monkeypatch.setenv("XLM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(hub, "_reachable", lambda: False)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")


def test_a_line_for_every_task() -> None:
    lines = listed()
    assert [line.split()[0] for line in lines] == list(names())
    assert all(len(line.split()) > 3 for line in lines)


@pytest.mark.parametrize("name", names())
def test_a_published_task_is_described_without_the_network(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert show(name, preset="paper") == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{name}: ")
    assert "--examples 3" in said or "reads your own" in said
    assert "  metrics: " in said
    assert "cleaning: Clean a " not in said


def test_what_is_asked_comes_from_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert show("safe_linker", preset="paper") == 0
    assert "asked: GenMol's table, given by --data" in capsys.readouterr().out


def test_a_published_table_tells_its_columns_and_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert show("sudoku_extreme", preset="paper") == 0
    said = capsys.readouterr().out
    for part in ("columns: [question, answer]", "files: train data/train-", "held out: validation"):
        assert part in said
    assert show("sudoku_extreme", preset="paper", examples=1) == 4
    said = capsys.readouterr().err
    assert "Parquet with columns question, answer), or make them with --preset quick" in said
    assert show("star_easy", preset="paper", examples=1) == 4
    assert "make them with --set data.made=true, or --preset quick" in capsys.readouterr().err


def test_the_published_source_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert show("lm1b", preset="paper") == 0
    said = capsys.readouterr().out
    for part in (
        "repo: billion-word-benchmark/lm1b",
        "revision: refs/convert/parquet",
        "tokenizer: bert-base-uncased",
        "block: 128",
        "cleaning: Undo the published tokenization of a text.",
        "protocol: detokenized as by SEDD and MDLM",
    ):
        assert part in said
    assert "train.steps" not in said  # of preset quick


def test_examples_that_cannot_be_had_are_a_failure_only_if_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert show("lm1b", preset="paper", examples=2) == 4
    assert "Hub cannot be reached" in capsys.readouterr().err


def test_a_made_task_shows_its_problems(capsys: pytest.CaptureFixture[str]) -> None:
    assert show("star_easy", examples=2) == 0
    said = capsys.readouterr().out
    assert "guess: 0.5" in said
    assert "metrics: exact_match, token_accuracy" in said
    lines = said[said.index("examples of") :].splitlines()
    assert all(" → " in line for line in lines[1:3])
    assert lines[3] == "  settings of preset quick:"
    assert "    train.steps = 4000" in lines


def test_one_s_own_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "my.jsonl"
    file.write_text("".join(f'{{"body": "text number {i} of many"}}\n' for i in range(400)))
    assert show("lm1b", data=file, columns="text=body", examples=1) == 0
    said = capsys.readouterr().out
    assert "text number" in said
    assert "numbers compare with no paper's" in said
    assert show("lm1b", data=file, columns="text=bod") == 0  # said, beside the description
    assert "there is no column 'bod' (did you mean 'body'?)" in capsys.readouterr().out
    assert show("lm1b", data=tmp_path / "none.txt") == 2
    assert "there is no such file" in capsys.readouterr().err


def test_given_tokens_are_marked_and_long_texts_cut() -> None:
    tokenizer = words(["a", "b", "c"], ("pad",))
    assert rendered(Example(0, [0, 1, 2], [2]), tokenizer) == "c → a b c"
    given = Example(0, [0, 1, 2, 0], given=[True, True, False, True])
    assert rendered(given, tokenizer) == "[a b] c [a]"
    assert rendered(Example(0, [0] * 500), tokenizer).endswith(" a …")
