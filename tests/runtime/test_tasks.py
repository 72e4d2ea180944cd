"""The registry, tasks of one's own, and lm1b."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hub_server import serving
from tokenizers import Tokenizer as Backend
from tokenizers import models, normalizers, pre_tokenizers

from xlm_runtime import tasks
from xlm_runtime.data import hub
from xlm_runtime.metrics import Answer
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.tasks import lm1b, owt
from xlm_runtime.tasks.base import english, sources
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared, Split
from xlm_runtime.tasks.base.task import Task

SPECIALS = ("pad", "mask", "bos", "eos", "cls")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def _prepare(cache: Path, preset: str = "quick", **more: object) -> Prepared:
    options = DataOptions(preset=preset, cache=cache, specials=SPECIALS, **more)  # type: ignore[arg-type]
    return tasks.get("lm1b").prepare(options)


def _decoded(made: Prepared, split: Split) -> list[str]:
    return [made.tokenizer.decode(split[i].body) for i in range(len(split))]


# ---------------------------------------------------------------- registry


@pytest.mark.parametrize("name", tasks.names())
def test_every_name_has_its_task(name: str) -> None:
    task = tasks.get(name)
    assert task.name == name
    assert task.title
    assert task.layout in ("text", "seq2seq", "infill")
    assert set(task.quick) >= {"train.steps", "train.batch", "train.learning_rate"}
    assert {path.split(".")[0] for path in task.quick} <= {"model", "train", "eval", "generate"}


def test_names_cost_no_imports() -> None:
    code = (
        "import sys; from xlm_runtime import tasks; assert tasks.names();"
        "print({'torch', 'datasets', 'numpy', 'tokenizers', 'transformers'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", f"import sys; sys.path = {sys.path!r}; {code}"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "set()\n"


def test_an_unknown_name_is_answered_with_the_names() -> None:
    with pytest.raises(UsageError) as raised:
        tasks.get("star_esay")
    first, second = str(raised.value).splitlines()
    assert first == "there is no task 'star_esay', did you mean 'star_easy'?"
    assert all(name in second for name in tasks.names())


def test_metrics_go_by_layout() -> None:
    data = cast(Prepared, None)  # these tasks do not look at it
    assert set(tasks.get("star_easy").metrics(data)) == {"exact_match", "token_accuracy"}
    distinct = {"distinct_1", "distinct_2", "distinct_3"}
    expected = {"unigram_entropy", "repetition", "length", *distinct}
    assert set(tasks.get("lm1b").metrics(data)) == expected


# ---------------------------------------------------------------- a task of one's own

OWN = '''
"""Words backwards."""

from itertools import permutations

from xlm_runtime.tasks.base.prepared import Prepared
from xlm_runtime.plug import Example
from xlm_runtime.tasks.base.task import Task
from xlm_runtime.tokenizers import words


class Reverse(Task):
    name = "reverse"
    title = "Words backwards"
    layout = "seq2seq"
    quick = {"model.size": "tiny", "train.steps": 1000}

    def prepare(self, options):
        tokenizer = words("abcdefgh", options.specials)
        ids = [tokenizer.encode(" ".join(w)) for w in permutations("abcdefgh", 4)]
        pairs = [Example(i, body=w[::-1], prompt=w) for i, w in enumerate(ids)]
        return Prepared(
            train=pairs[200:], validation=pairs[:100], test=pairs[100:200],
            tokenizer=tokenizer, body=4, prompt=4,
        )


REVERSE = Reverse()
NUMBER = 3
'''


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of the user's in the folder where the command is given."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    package = tmp_path / "own_tasks"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "reverse.py").write_text(OWN)
    yield package
    for name in [name for name in sys.modules if name.startswith("own_tasks")]:
        del sys.modules[name]


def test_a_task_of_one_s_own_in_one_file(own: Path, cache: Path) -> None:
    task = tasks.get(f"{own.name}.reverse:REVERSE")
    made = task.prepare(DataOptions(preset="quick", cache=cache, specials=SPECIALS))
    example = made.example("a b c d")
    assert isinstance(task, Task)
    assert list(example.prompt) == [0, 1, 2, 3]
    metrics = task.metrics(made)
    for i in range(len(made.test)):
        metrics.update(Answer(list(made.test[i].prompt)[::-1], made.test[i], made.tokenizer))
    assert float(metrics.compute()["exact_match"]) == 1
    assert made.lengths.tolist()[:3] == [4, 4, 4]


def test_the_task_in_the_documentation_is_this_one() -> None:
    shown = " ".join((Task.__doc__ or "").split())
    assert " ".join(OWN[OWN.index("class Reverse") : OWN.index("NUMBER")].split()) in shown


@pytest.mark.parametrize(
    ("dotted", "message"),
    [
        ("own_tasks.nothing:X", "there is no module own_tasks.nothing"),
        ("no_such_package.x:X", "there is no module no_such_package"),
        ("own_tasks.reverse:REVERS", r"has no 'REVERS' \(tasks in it: REVERSE\)"),
        ("own_tasks.reverse:Reverse", "'Reverse' is a class; name an instance"),
        ("own_tasks.reverse:NUMBER", "'NUMBER' is an int, not an instance of a Task"),
        ("own_tasks.needy:X", "own_tasks.needy needs no_such_library, which is not there"),
        ("own_tasks.broken:X", "own_tasks.broken cannot be imported"),
        ("own_tasks.old:X", "cannot import name 'nothing'"),
    ],
)
@pytest.mark.usefixtures("own")
def test_what_is_wrong_with_a_dotted_path_is_said(
    dotted: str, message: str, tmp_path: Path
) -> None:
    package = tmp_path / "own_tasks"
    (package / "needy.py").write_text("import no_such_library")
    (package / "broken.py").write_text("def (")
    (package / "old.py").write_text("from xlm_runtime.tasks.base.task import nothing")
    with pytest.raises(UsageError, match=message):
        tasks.get(dotted)


def test_a_fault_in_the_user_s_module_keeps_its_own_error(own: Path) -> None:
    (own / "faulty.py").write_text("1 / 0")
    with pytest.raises(ZeroDivisionError) as raised:
        tasks.get("own_tasks.faulty:X")
    assert raised.value.__notes__ == [
        "while importing own_tasks.faulty for --task own_tasks.faulty:X"
    ]


# ---------------------------------------------------------------- lm1b, quick


def test_quick_is_english_in_disjoint_splits(cache: Path) -> None:
    made = _prepare(cache)
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


def test_quick_says_what_it_is(cache: Path) -> None:
    facts = _prepare(cache).facts
    assert facts["source"] == "the documentation that ships with Python"
    assert "not the published data" in facts["protocol"]
    assert facts["sizes"]["train"] == len(_prepare(cache).train)
    assert facts["cut"]["train"] == sum(_prepare(cache).lengths == 49)  # it goes on
    assert sum(_prepare(cache).lengths == 48) == _exactly(cache, 48)


def _exactly(cache: Path, length: int) -> int:
    """How many training sentences have this length without being cut."""
    longer = _prepare(cache, block=length + 1)
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
        _prepare(tmp_path)


# ---------------------------------------------------------------- lm1b, the user's data


def _file(folder: Path, n: int = 400, name: str = "mine.txt") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("".join(f"sentence number {i} of {n} .\n" for i in range(n)))
    return folder / name


def test_a_file_is_split_by_the_hash_of_its_rows(tmp_path: Path) -> None:
    file = _file(tmp_path)
    file.write_text(file.read_text() * 2)  # every row twice
    made = _prepare(tmp_path, data=file, tokenizer="bpe:300")
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
    made = _prepare(tmp_path, data=data, tokenizer="bpe:300")
    assert made.facts["sizes"] == {"train": 17, "validation": 5, "test": 4}


def test_a_folder_without_files_for_training_is_refused(tmp_path: Path) -> None:
    _file(tmp_path / "data", 5, "things.txt")
    with pytest.raises(UsageError, match=r"no file for training in it; name one train\.txt"):
        _prepare(tmp_path, data=tmp_path / "data")


def test_too_few_rows_are_said_with_the_reasons(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"text": "one"}\n{"text": null}\n')
    with pytest.raises(RunError, match=r"no text is left for .*test.*null in 'text': 1 row"):
        _prepare(tmp_path, data=file, tokenizer="bpe:300")


def test_dropped_cut_and_unknown_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    rows = [f'{{"text": "the cat {"sat " * (i % 9)} {i}"}}' for i in range(400)]
    file.write_text("\n".join([*rows, '{"text": null}', '{"text": ""}']))
    made = _prepare(tmp_path, data=file, block=6, tokenizer=str(_bert(tmp_path)))
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
    made = _prepare(tmp_path, data=file, tokenizer=str(_bert(tmp_path)))
    assert made.lengths.min() > 0
    assert sum(made.facts["sizes"].values()) == 400
    assert sum(found["rows"] for found in made.facts["dropped"].values()) == 50


def test_nothing_stale_is_ever_read(tmp_path: Path) -> None:
    file = _file(tmp_path)
    base: dict[str, object] = {"data": file, "tokenizer": "bpe:300"}

    def folder(**more: object) -> str:
        return str(_prepare(tmp_path, **{**base, **more}).facts["cache"])  # type: ignore[arg-type]

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
    quick = _prepare(tmp_path, data=file, tokenizer="bpe:300")
    paper = _prepare(tmp_path, "paper", data=file, tokenizer="bpe:300")
    assert quick.tokenizer.decode(quick.train[0].body) == "sentence number 0 of 400 ."
    assert paper.tokenizer.decode(paper.train[0].body) == "sentence number 0 of 400."
    assert (quick.body, paper.body) == (8, 8)  # the longest text is that short


@pytest.mark.parametrize("name", ["bpe:4k", "bpe:", "bpe:100"])
def test_a_wrong_size_of_a_tokenizer_is_said(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"in bpe:4096|at least 256 ids"):
        _prepare(tmp_path, data=_file(tmp_path), tokenizer=name)


def test_columns_without_a_file_are_refused(cache: Path) -> None:
    with pytest.raises(UsageError, match=r"--columns needs a file, given by --data"):
        _prepare(cache, columns={"text": "a"})


# ---------------------------------------------------------------- lm1b, as published


def _bert(folder: Path) -> Path:
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"[unused{i}]" for i in range(40))]
    tokens = [*names, "the", "cat", "sat", "he", "said", "not", ".", ",", "'", "s"]
    backend = Backend(models.WordPiece({t: i for i, t in enumerate(tokens)}, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.add_special_tokens(names[:5])
    backend.save(str(folder / "bert.json"))
    return folder / "bert.json"


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
    made = _prepare(published, "paper", tokenizer=str(_bert(published)))
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
        preset="paper", cache=tmp_path, specials=SPECIALS, tokenizer=str(_bert(tmp_path))
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
        _prepare(tmp_path, "paper", tokenizer=str(_bert(tmp_path)))
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
        _prepare(tmp_path, "paper")
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
