"""The task lm1b without the hub: the quick one, and the user's own files."""

import os
from pathlib import Path

import pytest
from lm1b import SPECIALS, bert, prepare

from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.tasks.base import english
from xlm_runtime.tasks.base.prepared import Prepared, Split


def _decoded(made: Prepared, split: Split) -> list[str]:
    return [made.tokenizer.decode(split[i].body) for i in range(len(split))]


# ---------------------------------------------------------------- lm1b, quick


@pytest.mark.slow
def test_quick_is_english_in_disjoint_splits(cache: Path) -> None:
    made = prepare(cache)
    splits = [_decoded(made, split) for split in (made.train, made.validation, made.test)]
    assert len(splits[0]) > 5000
    assert min(map(len, splits)) > 200
    whole = [{s for s in split if s[-1] in ".!?"} for split in splits]  # not cut
    assert not whole[0] & whole[1]
    assert not (whole[0] | whole[1]) & whole[2]
    words = " ".join(splits[2]).split()
    assert words.count("the") / len(words) > 0.03
    assert (made.body, made.prompt) == (48, 0)
    assert made.tokenizer.vocabulary.size == 4096 + len(SPECIALS)


@pytest.mark.slow
def test_quick_says_what_it_is(cache: Path) -> None:
    facts = prepare(cache).facts
    assert facts["source"] == "the documentation that ships with Python"
    assert "not the published data" in facts["protocol"]
    assert facts["sizes"]["train"] == len(prepare(cache).train)
    assert facts["cut"]["train"] == sum(prepare(cache).lengths == 49)  # it goes on
    assert sum(prepare(cache).lengths == 48) == _exactly(cache, 48)


def _exactly(cache: Path, length: int) -> int:
    """The number of training sentences that have this length without being cut."""
    longer = prepare(cache, block=length + 1)
    return int((longer.lengths == length).sum())


def test_english_sentences_leave_code_and_tables_out() -> None:
    document = """A short one.  Return the *value* of x, or None if there is none.
    Then stop here now.

    >>> this is not prose at all.

        name   | meaning
        -------+--------

    see also: the other
    """
    assert list(english.sentences(document)) == [
        "Return the *value* of x, or None if there is none.",
        "Then stop here now.",
    ]


def test_an_installation_without_documentation_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(english, "_documents", lambda: iter(["One sentence is too little."]))
    with pytest.raises(RunError, match=r"comes without the documentation .* --data FILE"):
        prepare(tmp_path)


# ---------------------------------------------------------------- lm1b, the user's data


def _file(folder: Path, n: int = 400, name: str = "mine.txt") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("".join(f"sentence number {i} of {n} .\n" for i in range(n)))
    return folder / name


def test_a_file_is_split_by_the_hash_of_its_rows(tmp_path: Path) -> None:
    file = _file(tmp_path)
    file.write_text(file.read_text() * 2)  # every row twice
    made = prepare(tmp_path, data=file, tokenizer="bpe:300")
    splits = [set(_decoded(made, s)) for s in (made.train, made.validation, made.test)]
    assert sum(map(len, splits)) == len(set.union(*splits)) == 400
    assert 5 <= len(splits[1]) <= 40
    assert sum(made.facts["sizes"].values()) == 800
    assert made.facts["source"] == str(file)


def test_a_folder_names_its_splits(tmp_path: Path) -> None:
    data = tmp_path / "data"
    _file(data / "train", 10, "one.txt")
    _file(data / "train", 7, "two.txt")
    _file(data, 5, "valid.txt")
    _file(data, 4, "test-00000.txt")
    made = prepare(tmp_path, data=data, tokenizer="bpe:300")
    assert made.facts["sizes"] == {"train": 17, "validation": 5, "test": 4}


def test_a_folder_without_files_for_training_is_refused(tmp_path: Path) -> None:
    _file(tmp_path / "data", 5, "things.txt")
    with pytest.raises(UsageError, match=r"no file for training in it; name one train\.txt"):
        prepare(tmp_path, data=tmp_path / "data")


def test_too_few_rows_are_said_with_the_reasons(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"text": "one"}\n{"text": null}\n')
    with pytest.raises(RunError, match=r"no text is left for .*test.*null in 'text': 1 row"):
        prepare(tmp_path, data=file, tokenizer="bpe:300")


def test_dropped_cut_and_unknown_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    rows = [f'{{"text": "the cat {"sat " * (i % 9)} {i}"}}' for i in range(400)]
    file.write_text("\n".join([*rows, '{"text": null}', '{"text": ""}']))
    made = prepare(tmp_path, data=file, block=6, tokenizer=str(bert(tmp_path)))
    facts = made.facts
    assert facts["dropped"]["null in 'text'"] == {"rows": 1, "first": [401]}
    assert facts["dropped"]["nothing in 'text'"] == {"rows": 1, "first": [402]}
    long = [i for i in range(400) if i % 9 > 3]
    assert sum(facts["cut"][s] for s in ("train", "validation", "test")) == len(long)
    assert facts["cut"]["first"] == [1 + i for i in long[:5]]
    cut = [one.cut for split in (made.train, made.validation, made.test) for one in split]
    assert sum(cut) == len(long)
    assert (made.lengths > 6).sum() == sum(one.cut for one in made.train)
    assert "no paper's" in facts["protocol"]
    numbers = sum(i % 9 <= 3 for i in range(400))
    assert facts["unknown"] == {"tokens": numbers, "rows": numbers, "first": [1, 2, 3, 4, 10]}
    assert made.lengths.max() == 7  # cut at 6


def test_a_text_without_a_token_is_dropped(tmp_path: Path) -> None:
    """BERT's normalizer takes control characters away."""
    file = _file(tmp_path)
    file.write_text(file.read_text() + "\x07\x08\n" * 50)
    made = prepare(tmp_path, data=file, tokenizer=str(bert(tmp_path)))
    assert made.lengths.min() > 0
    assert sum(made.facts["sizes"].values()) == 400
    assert sum(found["rows"] for found in made.facts["dropped"].values()) == 50


def test_nothing_stale_is_ever_read(tmp_path: Path) -> None:
    file = _file(tmp_path)
    base: dict[str, object] = {"data": file, "tokenizer": "bpe:300"}

    def folder(**more: object) -> str:
        return str(prepare(tmp_path, **{**base, **more}).facts["cache"])  # type: ignore[arg-type]

    first = folder()
    assert folder() == first
    others = [folder(block=5), folder(tokenizer="bpe:290"), folder(preset="paper")]
    stat = file.stat()
    file.write_text(file.read_text().replace("number 7 ", "number x "))
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # same size, same time
    others.append(folder())
    assert len({first, *others}) == 5


def test_quick_leaves_the_user_s_text_as_it_is_and_paper_detokenizes(tmp_path: Path) -> None:
    file = _file(tmp_path)
    quick = prepare(tmp_path, data=file, tokenizer="bpe:300")
    paper = prepare(tmp_path, "paper", data=file, tokenizer="bpe:300")
    assert quick.tokenizer.decode(quick.train[0].body) == "sentence number 0 of 400 ."
    assert paper.tokenizer.decode(paper.train[0].body) == "sentence number 0 of 400."
    assert (quick.body, paper.body) == (8, 8)  # the longest text is that short


@pytest.mark.parametrize("name", ["bpe:4k", "bpe:", "bpe:100"])
def test_a_wrong_size_of_a_tokenizer_is_said(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"in bpe:4096|at least 256 ids"):
        prepare(tmp_path, data=_file(tmp_path), tokenizer=name)


def test_columns_without_a_file_are_refused(cache: Path) -> None:
    with pytest.raises(UsageError, match=r"--columns needs a file, given by --data"):
        prepare(cache, columns={"text": "a"})
