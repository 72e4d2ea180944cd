"""What somebody sees who watches: every line once, the step of a batch, answers that run away."""

from pathlib import Path

import pytest
from attrs import evolve
from fresh import untrained

from xlm_runtime.model import generate
from xlm_runtime.plug import Example
from xlm_runtime.run.jobs import watched
from xlm_runtime.system import progress
from xlm_runtime.system.progress import Watch
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared
from xlm_runtime.tasks.jsonl import OwnTexts

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines come without pauses."""
    monkeypatch.setattr(progress, "_PAUSE", -1.0)


@pytest.mark.usefixtures("prompt")
def test_no_line_is_printed_twice_and_a_total_may_be_too_small(capsys: Capture) -> None:
    """A compressed file has more characters than bytes: its total is an estimate."""
    with Watch("tokenizing", 10) as watch:
        for done in (5, 5, 10, 10, 10, 12, 12):
            watch.at(done)
    assert capsys.readouterr().out.splitlines() == [
        "tokenizing  5/10",
        "tokenizing 10/10",
        "tokenizing 12, more than the 10 expected",
    ]


def _prepared(lengths: list[int], name: str) -> Prepared:
    rows = [Example(i, [0] * n) for i, n in enumerate(lengths)]
    parts = {"train": rows, "validation": rows[:1], "test": rows[:1]}
    return Prepared(**parts, tokenizer=untrained(name).tokenizer, body=8)


@pytest.mark.usefixtures("prompt")
def test_long_answers_are_told_and_every_step_is_seen(capsys: Capture) -> None:
    model = untrained("ilm").model
    params = model.decoder.params | {"stop_above": 1.0}
    model = evolve(model, decoder=evolve(model.decoder, params=params))
    asked = list(generate.blank(model, generate.unconditional(6), [8], 1))
    made = list(watched.samples("decode", model, asked, _prepared([1, 2], "ilm"), 3, 1))
    lengths = [len(sample.ids) for sample in made]
    long = [n for n in lengths if n > 2]
    assert long
    out = capsys.readouterr().out.splitlines()
    assert "decode 0/6  step 1" in out
    assert "decode 3/6  step 2" in out
    assert out[-1] == watched.beyond(len(long), 6, max(long), 2)
    assert "longer than any text of training (2 tokens)" in out[-1]
    list(watched.samples("decode", model, asked, _prepared([8], "ilm"), 6, 1))
    assert "longer than" not in capsys.readouterr().out


def _options(tmp_path: Path, **more: object) -> DataOptions:
    file = tmp_path / "my.txt"
    words = ["abc", "bcd", "cde", "def"]
    file.write_text("".join(f"{words[i % 4]} {words[i % 3]} {i}\n" for i in range(300)))
    how = {"preset": "quick", "tokenizer": "letters:abcdef0123456789"} | more
    specials = ("pad", "mask", "bos", "eos")
    return DataOptions(cache=tmp_path / "cache", data=file, specials=specials, **how)  # type: ignore[arg-type]


def test_a_block_is_that_of_the_longest_text(tmp_path: Path) -> None:
    """Unless a setting says it; what is longer than the task's own is cut there."""
    found = OwnTexts().prepare(_options(tmp_path))
    assert found.body == 9
    assert found.facts["block"] == "9, the longest text (data.block sets another)"
    own = OwnTexts().prepare(_options(tmp_path, block=40))
    assert (own.body, own.facts["block"]) == (40, 40)
    short = OwnTexts().prepare(_options(tmp_path, block=7))
    assert (short.body, short.facts["block"]) == (7, 7)
