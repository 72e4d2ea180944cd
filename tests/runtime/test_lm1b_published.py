"""The task lm1b as published, and a hub that is not there."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hub_server import serving
from lm1b import SPECIALS, bert, prepare

from xlm_runtime import tasks
from xlm_runtime.data import hub
from xlm_runtime.system.errors import RunError
from xlm_runtime.tasks import lm1b, owt
from xlm_runtime.tasks.base import sources
from xlm_runtime.tasks.base.prepared import DataOptions


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Parquet files in the places where the Hub keeps those of lm1b."""
    import datasets

    for split, n in (("train", 3000), ("test", 20)):
        folder = tmp_path / "hub" / "plain_text" / split
        folder.mkdir(parents=True)
        rows: list[str | None] = [f"The cat , he said , is not {split} {i} ." for i in range(n)]
        rows[7] = None
        for part in range(2):
            table = pa.table({"text": rows[part::2]})
            pq.write_table(table, folder / f"000{part}.parquet")
    monkeypatch.setattr(lm1b, "REPO", str(tmp_path / "hub"))
    monkeypatch.setattr(lm1b, "HELD_OUT", {"validation": 0.01})
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    datasets.disable_progress_bars()
    return tmp_path


def test_the_published_layout_is_read_by_datasets(published: Path) -> None:
    made = prepare(published, "paper", tokenizer=str(bert(published)))
    sizes = made.facts["sizes"]
    assert sizes["train"] + sizes["validation"] == 2999
    assert 10 <= sizes["validation"] <= 60
    assert sizes["test"] == 19
    assert {reason: f["rows"] for reason, f in made.facts["dropped"].items()} == {
        "null in train": 1,
        "null in test": 1,
    }
    assert made.body == 128
    assert made.tokenizer.decode(made.test[0].body).startswith("the cat , he said , [UNK] not")
    assert "SEDD and MDLM" in made.facts["protocol"]


def test_web_pages_as_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    folder = tmp_path / "hub" / "data"
    folder.mkdir(parents=True)
    for split, count in (("train", 4000), ("validation", 30)):
        rows = [f"The cat number {i} , it said ." for i in range(count)]
        half = len(rows) // 2
        for part, texts in enumerate((rows[:half], rows[half:])):
            file = folder / f"{split}-{part:05}-of-00002.parquet"
            pq.write_table(pa.table({"text": texts}), file)
    monkeypatch.setattr(owt, "REPO", str(tmp_path / "hub"))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    options = DataOptions(
        preset="paper", cache=tmp_path, specials=SPECIALS, tokenizer=str(bert(tmp_path))
    )
    made = tasks.get("owt").prepare(options)
    sizes = made.facts["sizes"]
    assert (sizes["train"] + sizes["validation"], sizes["test"]) == (4000, 30)
    assert made.body == 1024


def test_without_the_hub_one_error_names_both_ways_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets

    monkeypatch.setattr(hub, "_reachable", lambda: False)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    with pytest.raises(RunError) as raised:
        prepare(tmp_path, "paper", tokenizer=str(bert(tmp_path)))
    lines = str(raised.value).splitlines()
    assert lines[0].startswith("the data set billion-word-benchmark/lm1b is not on this machine")
    assert "--data FILE" in lines[1]
    assert "--preset quick" in lines[1]
    assert len(lines) == 2
    assert not [p for p in (tmp_path / "lm1b").iterdir() if not p.name.endswith(".lock")]


def test_the_missing_published_tokenizer_names_both_ways_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "_reachable", lambda: False)
    with pytest.raises(RunError, match="bert-base-uncased") as raised:
        prepare(tmp_path, "paper")
    assert "--data FILE" in str(raised.value)
    assert "--preset quick" in str(raised.value)


def test_a_hub_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name resolves; nothing listens there, or the user has set offline mode."""
    from huggingface_hub import constants

    with serving() as there:
        monkeypatch.setattr(constants, "ENDPOINT", there.address)
        assert hub._reachable()
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        assert not hub._reachable()
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert not hub._reachable()


def test_offline_mode_ends_with_the_call() -> None:
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    with hub._offline(True):
        assert constants.HF_HUB_OFFLINE
    assert before == constants.HF_HUB_OFFLINE


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("He said : yes ; no .", "He said: yes; no."),
        ("They 've gone , have they ?", "They've gone, have they?"),
        ("Stop ! Now !", "Stop! Now!"),
        ("See http : / / example.com and https : / / x", "See http://example.com and https://x"),
        ('The " big " one ( here ) [ there ]', 'The "big" one (here) [there]'),
        ("It costs $ 5 or £ 4 , and / or less", "It costs $5 or £4, and/or less"),
        ("Then Mr . Smith came . He left .", "Then Mr. Smith came. He left."),
        # as published: not at the beginning, not after a quote, not where two marks meet
        ("Mr . Smith .", "Mr . Smith."),
        ("It does n't .", "It does n't ."),
        ("What ? ? No , , no", "What? ? No, , no"),
    ],
)
def test_the_published_detokenizer(raw: str, clean: str) -> None:
    assert lm1b.detokenize(raw) == clean


def test_the_share_of_a_split_is_kept_and_spaces_mean_nothing() -> None:
    names = [sources.by_hash(f"row {i}", {"validation": 0.1, "test": 0.2}) for i in range(5000)]
    assert abs(names.count("validation") - 500) < 100
    assert abs(names.count("test") - 1000) < 130
    assert sources.by_hash("row   5\n", {"test": 0.5}) == sources.by_hash(" row 5", {"test": 0.5})
