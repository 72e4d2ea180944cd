"""Texts end to end: rows, documents, the tasks that pack, and who refuses them."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, pre_tokenizers
from transformers import EsmTokenizer

from xlm_runtime import tasks, tokenizers
from xlm_runtime.model import pair
from xlm_runtime.plug import Example, Row, stack
from xlm_runtime.run import main
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.tasks import owt_packed, uniref50
from xlm_runtime.tasks.base import chain
from xlm_runtime.tasks.base.encoding import window
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared
from xlm_runtime.tokenizers import Tokenizer, letters

SPECIALS = ("pad", "mask", "bos", "eos")
EXAMPLES = Path(__file__).parents[2] / "examples"
ESM = [*["<cls>", "<pad>", "<eos>", "<unk>"], *"LAGVSERTIDPKQNFYMHWCXBUZO.-", "<null_1>", "<mask>"]


def _prepare(task: str, cache: Path, preset: str = "quick", **more: Any) -> Prepared:
    return tasks.get(task).prepare(
        DataOptions(preset=preset, cache=cache, specials=SPECIALS, **more)  # type: ignore[arg-type]
    )


def _folder(path: Path, texts: list[str]) -> Path:
    """The same texts for every split."""
    path.mkdir(parents=True, exist_ok=True)
    for split in ("train", "validation", "test"):
        (path / f"{split}.txt").write_text("".join(f"{text}\n" for text in texts))
    return path


# ---------------------------------------------------------------- rows


def test_k7_rows_are_the_texts_in_their_order_but_for_the_end(tmp_path: Path) -> None:
    """Every row is full; texts go on in the next; what is left over is dropped and counted."""
    texts = ["ACD" * (1 + i % 5) for i in range(40)] + ["A" * 50]
    data = _folder(tmp_path / "data", texts)
    made = _prepare("owt_packed", tmp_path, data=data, tokenizer="letters:ACD", block=11)
    separator = made.tokenizer.separator
    assert separator is not None
    stream: list[int] = []
    for text in texts:
        stream += [separator] * bool(stream) + made.tokenizer.encode(text)
    rows = [list(made.train[i].body) for i in range(len(made.train))]
    assert {len(row) for row in rows} == {11}
    assert [i for row in rows for i in row] == stream[: 11 * len(rows)]
    assert made.facts["left_over_tokens"]["train"] == len(stream) - 11 * len(rows) < 11
    assert made.facts["documents"] == dict.fromkeys(("train", "validation", "test"), 41)
    assert made.facts["sizes"]["train"] == len(rows)
    assert "cut" not in made.facts
    assert all(made.train[i].cut for i in range(len(rows)))  # windows of a stream
    assert set(made.lengths.tolist()) == {12}


def test_a_separator_opens_a_document(tmp_path: Path) -> None:
    data = _folder(tmp_path / "data", ["AA", "C", "DDDDD", "AAAAAAA"])
    made = _prepare("owt_packed", tmp_path, data=data, tokenizer="letters:ACD", block=6)
    assert [made.tokenizer.decode(made.train[i].body) for i in range(3)] == [
        "AA<|endoftext|>C<|endoftext|>D",
        "DDDD<|endoftext|>A",
        "AAAAAA",
    ]
    found = [list(made.train[i].document) for i in range(3)]
    assert found == [[0, 0, 1, 1, 2, 2], [0, 0, 0, 0, 1, 1], []]


def test_what_the_network_is_told_of_a_row() -> None:
    """Numbers from 1; the edges belong to the first and the last document; 0 is padding."""
    rows = [Row([8, 1, 2, 3, 9], 1, 4), Row([8, 1, 9], 1, 2), Row([8, 4, 5, 9], 1, 3)]
    examples = [
        Example(0, [1, 2, 3], document=[3, 3, 4]),
        Example(1, [1]),
        Example(2, [4, 5], document=[0, 2]),
    ]
    batch = stack(rows, examples, pad=0, room=12)
    assert batch.attend is not None
    assert batch.attend.tolist() == [[1, 1, 1, 2, 2], [1, 1, 1, 0, 0], [1, 1, 3, 3, 0]]
    assert batch.position.tolist()[0] == [0, 1, 2, 3, 4]  # it keys noise, whatever is packed
    plain = stack(rows, [replace(one, document=()) for one in examples], pad=0, room=12)
    assert plain.attend is not None
    assert plain.attend.dtype == torch.bool
    assert torch.equal(plain.attend, batch.attend > 0)
    assert torch.equal(plain.position, batch.position)
    assert stack(rows[:1], [examples[1]], pad=0, room=12).attend is None


def test_documents_must_fit_their_body(tmp_path: Path) -> None:
    tokenizer = letters("ACD", SPECIALS, parting=True)
    for example, message in (
        (Example(0, [0, 1], document=[0]), "`document` and `body` differ in length"),
        (Example(0, [0, 1], [1], document=[0, 1]), "have no prompt and no given tokens"),
    ):
        parts = {name: [example] for name in ("train", "validation", "test")}
        with pytest.raises(RunError, match=message):
            Prepared(**parts, tokenizer=tokenizer, body=4, prompt=4)  # type: ignore[arg-type]


def test_too_little_text_for_a_row_is_said(tmp_path: Path) -> None:
    data = _folder(tmp_path / "data", ["ACD"])
    with pytest.raises(RunError) as raised:
        _prepare("owt_packed", tmp_path, data=data, tokenizer="letters:ACD", block=11)
    assert "there is no full row of 11 tokens for train, validation, test" in str(raised.value)
    assert "tokens left over: 3 for train" in str(raised.value)
    assert "a smaller data.block" in str(raised.value)


def test_packed_rows_have_a_cache_of_their_own(tmp_path: Path) -> None:
    data = _folder(tmp_path / "data", ["ACDA"] * 9)
    options: dict[str, Any] = {"data": data, "tokenizer": "letters:ACD"}
    packed = _prepare("owt_packed", tmp_path, block=5, **options)
    again = _prepare("owt_packed", tmp_path, block=5, **options)
    other = _prepare("owt_packed", tmp_path, block=6, **options)
    assert packed.facts["cache"] == again.facts["cache"] != other.facts["cache"]
    alone = _prepare("owt", tmp_path, block=5, **options)
    assert len(alone.train) == 9
    assert not alone.train[0].document


def test_quick_packs_python_s_documentation(tmp_path: Path) -> None:
    made = _prepare("owt_packed", tmp_path)
    texts = [made.tokenizer.decode(made.train[i].body) for i in range(200)]
    assert sum(text.count("<|endoftext|>") for text in texts) > 400
    assert all(". <|endoftext|>" not in text for text in texts)  # texts touch it on both sides
    assert made.facts["documents"]["train"] > 10_000
    assert "dropped" in made.facts["protocol"]


# ---------------------------------------------------------------- prepared at once, and killed

PREPARE = """
import sys; from pathlib import Path
from xlm_runtime import tasks; from xlm_runtime.tasks.base.prepared import DataOptions
options = DataOptions(preset="quick", cache=Path(sys.argv[1]), specials=("pad", "mask"))
made = tasks.get("uniref50").prepare(options)
print(made.facts["cache"], len(made.train), list(made.train[len(made.train) - 1].body))
"""


def _process(cache: Path) -> "subprocess.Popen[str]":
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", PREPARE, str(cache)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def test_two_that_prepare_at_once_and_one_that_is_killed(tmp_path: Path) -> None:
    """Nothing half done is taken for good, and nobody waits for the dead."""
    killed = _process(tmp_path)
    while not list(tmp_path.glob("uniref50/.*.build-*/train")) and killed.poll() is None:
        time.sleep(0.001)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    pair = [_process(tmp_path) for _ in range(2)]
    said = [one.communicate(timeout=120)[0].splitlines()[-1] for one in pair]
    assert said[0] == said[1]
    assert [one.returncode for one in pair] == [0, 0]
    folders = [path for path in (tmp_path / "uniref50").iterdir() if path.is_dir()]
    assert [str(folder) for folder in folders] == [said[0].split(" ")[0]]  # no leftovers


# ---------------------------------------------------------------- as published


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    datasets.disable_progress_bars()
    return tmp_path / "hub"


def _parquet(file: Path, **columns: list[Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), file)


def _gpt2(folder: Path) -> Path:
    """A byte-level BPE whose end of a text is declared for three roles, as GPT-2's is."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*alphabet, "<|endoftext|>"]
    backend = Backend(models.BPE({token: i for i, token in enumerate(tokens)}, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(["<|endoftext|>"])
    folder.mkdir()
    backend.save(str(folder / "tokenizer.json"))
    names = dict.fromkeys(("bos_token", "eos_token", "unk_token"), "<|endoftext|>")
    config = {"tokenizer_class": "PreTrainedTokenizerFast", **names}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


def test_the_last_pages_are_held_out(
    hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = [f"page {i:04} <|endoftext|>" for i in range(1000)]
    for part in range(2):
        file = hub / "plain_text" / f"train-0000{part}-of-00002.parquet"
        _parquet(file, text=pages[500 * part : 500 * part + 500])
    monkeypatch.setattr(owt_packed, "REPO", str(hub))
    monkeypatch.setattr(owt_packed, "LAST", 200)
    monkeypatch.setattr(owt_packed, "HELD_OUT", {"validation": 0.2})
    tokenizer = str(_gpt2(tmp_path / "gpt2"))
    made = _prepare("owt_packed", tmp_path, "paper", tokenizer=tokenizer, block=64)
    found = made.facts["documents"]
    assert found["test"] == 200
    assert found["train"] + found["validation"] == 800
    assert 100 < found["validation"] < 220
    test = made.tokenizer.decode([i for k in range(len(made.test)) for i in made.test[k].body])
    assert test.startswith("page 0800 <|endoftext|><|endoftext|>page 0801 ")  # the first is text
    assert made.tokenizer.separator == 256
    assert 256 not in made.tokenizer.vocabulary.specials.values()
    assert made.train[0].document[-1] == list(made.train[0].body).count(256)
    assert "unknown" not in made.facts
    assert "SEDD and MDLM" in made.facts["protocol"]


def _esm(folder: Path) -> Path:
    """ESM-2's tokenizer as it is published: a list of tokens."""
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(ESM))
    config = {"tokenizer_class": "EsmTokenizer", "model_max_length": 10**30}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    names = {f"{role}_token": f"<{role}>" for role in ("cls", "eos", "mask", "pad", "unk")}
    (folder / "special_tokens_map.json").write_text(json.dumps(names))
    return folder


def test_proteins_as_published(hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = [*chain.chain().proteins(3, 600), "MKT" * 100]
    sizes = [len(protein) for protein in drawn]
    _parquet(hub / "data" / "train-00000-of-00001.parquet", seq=drawn, length=sizes)
    held = [*chain.chain().proteins(4, 60), None]
    _parquet(hub / "data" / "valid-00000-of-00001.parquet", seq=held, length=[0] * len(held))
    monkeypatch.setattr(uniref50, "REPO", str(hub))
    monkeypatch.setattr(uniref50, "HELD_OUT", {"validation": 0.2})
    tokenizer = str(_esm(tmp_path / "esm"))
    made = _prepare("uniref50", tmp_path, "paper", tokenizer=tokenizer, block=100)
    found = made.facts["documents"]
    assert (found["train"] + found["validation"], found["test"]) == (601, 60)
    assert made.facts["cut"] == {"train": 1, "validation": 0, "test": 0, "first": ["train:601"]}
    assert made.facts["dropped"] == {"null in test": {"rows": 1, "first": ["test:61"]}}
    assert made.tokenizer.decode(made.test[0].body) == f"{held[0]}<eos>{held[1]}"[:104]
    assert "law_nats" not in set(tasks.get("uniref50").metrics(made))
    assert "of a protein that is longer than a row a window" in made.facts["protocol"]


def test_a_window_of_a_protein_is_a_row_without_an_end(tmp_path: Path) -> None:
    """Neither the protein ends behind it, nor does another begin."""
    drawn = [*chain.chain().proteins(3, 40), "MKTW" * 40, *chain.chain().proteins(4, 40)]
    data = tmp_path / "mine.txt"
    data.write_text("\n".join(drawn))
    made = _prepare("uniref50", tmp_path, "quick", data=data, block=100)
    end = made.tokenizer.separator
    rows = [
        list(s[i].body) for s in (made.train, made.validation, made.test) for i in range(len(s))
    ]
    (window,) = (row for row in rows if "MKTWMKTW" in made.tokenizer.decode(row))
    assert len(window) == 100
    assert end not in window
    assert made.tokenizer.decode(window) in "MKTW" * 40
    whole = made.tokenizer.decode([i for row in rows if row != window for i in row])
    assert "<|endoftext|><|endoftext|>" not in whole
    assert not [part for part in whole.split("<|endoftext|>") if len(part) > 90]


def test_a_window_is_settled_by_the_row_and_may_begin_anywhere() -> None:
    rows = [[(i * k) % 23 for k in range(20)] for i in range(1, 23)]
    cut = [window(row, 6) for row in rows]
    pairs = zip(rows, cut, strict=True)
    starts = {next(s for s in range(15) if row[s : s + 6] == part) for row, part in pairs}
    assert len(starts) > 6
    assert cut == [window(list(row), 6) for row in rows]
    assert window([1, 2, 3], 3) == [1, 2, 3]


# ---------------------------------------------------------------- tokenizers


def test_esm_is_read_letter_by_letter_as_its_own_tokenizer_does(tmp_path: Path) -> None:
    folder = _esm(tmp_path / "esm")
    theirs = EsmTokenizer(str(folder / "vocab.txt"))
    ours = tokenizers.pretrained(str(folder), SPECIALS)
    for protein in [*chain.chain().proteins(2, 20), "MKTX1BUZO.-j", "M K T"]:
        assert ours.encode(protein) == theirs.encode(protein, add_special_tokens=False)
    assert dict(ours.vocabulary.specials) == {"bos": 0, "pad": 1, "eos": 2, "mask": 32}
    assert (ours.vocabulary.size, ours.unknown, ours.separator) == (33, 3, None)
    assert ours.decode(ours.encode("MKTAY")) == "MKTAY"
    assert 2 not in ours.encode("M<eos>K")


@pytest.mark.parametrize("make", [_esm, _gpt2])
def test_the_end_of_a_text_is_a_body_token_where_it_parts_documents(
    make: Any, tmp_path: Path
) -> None:
    folder = make(tmp_path / "published")
    plain = tokenizers.pretrained(str(folder), SPECIALS)
    made = tokenizers.pretrained(str(folder), SPECIALS, parting=True)
    end = plain.vocabulary["eos"]
    assert (plain.separator, made.separator) == (None, end)
    assert made.vocabulary.allowed(())[end]
    assert made.vocabulary["eos"] > end
    assert len(set(made.vocabulary.specials.values())) == len(made.vocabulary.specials)
    assert made.fingerprint != plain.fingerprint
    made.save(tmp_path / "saved")
    assert tokenizers.load(tmp_path / "saved").separator == end
    assert made.body([end, made.vocabulary["eos"], end]) == [end]


def test_a_tokenizer_without_an_end_of_a_text_gets_one() -> None:
    made = letters("ACD", SPECIALS, parting=True)
    assert made.separator == 4  # behind the letters and the unknown one
    assert made.decode([0, 4, 1]) == "A<|endoftext|>C"
    assert 4 not in made.encode("A<|endoftext|>C")
    assert made.encode("AXD") == [0, made.unknown, 2]
    for wrong in ("", "AA"):
        with pytest.raises(UsageError, match="name every letter once"):
            letters(wrong, SPECIALS)


# ---------------------------------------------------------------- the chain and what it measures


def test_the_entropy_of_the_chain_is_that_of_what_it_draws() -> None:
    """Against the law of pairs by power iteration, and the mean of -log p over draws."""
    law = chain.chain()
    assert torch.tensor(law.move).sum(1).tolist() == pytest.approx([1.0] * 20)
    still = torch.linalg.matrix_power(torch.tensor(law.move), 4096)[7]
    assert law.start.tolist() == pytest.approx(still.tolist(), abs=1e-9)
    pairs = still[:, None] * torch.tensor(law.move)
    both = float(torch.special.entr(pairs).sum())  # H(a, b) = H(a) + H(b | a)
    assert law.entropy_rate == pytest.approx(both - law.letter_entropy)
    assert law.entropy_rate < law.letter_entropy - 0.5  # there is something to learn
    drawn = list(law.proteins(5, 4000))
    costs = [law.nats(p) - law.nats(p[0]) for p in drawn]
    mean = sum(costs) / sum(len(p) - 1 for p in drawn)
    assert mean == pytest.approx(law.entropy_rate, abs=0.01)
    assert {min(map(len, drawn)), max(map(len, drawn))} == {30, 90}
    assert drawn[:3] == list(law.proteins(5, 4000))[:3] != list(law.proteins(6, 4000))[:3]


def test_the_chance_of_a_protein_is_that_of_its_pairs() -> None:
    law = chain.chain()
    a, c, d = (chain.AMINO_ACIDS.index(letter) for letter in "ACD")
    chance = law.start[a] * law.move[a, c] * law.move[c, d]
    assert law.nats("ACD") == pytest.approx(-float(torch.tensor(chance).log()))


def test_proteins_are_judged_one_by_one(tmp_path: Path) -> None:
    from xlm_runtime.metrics import Answer

    made = _prepare("uniref50", tmp_path)
    metrics = tasks.get("uniref50").metrics(made)
    end, tokenizer = made.tokenizer.separator, made.tokenizer
    assert end is not None
    rows = [
        [*tokenizer.encode("ACD"), end, *tokenizer.encode("AX"), end, *tokenizer.encode("WY")],
        [end, *tokenizer.encode("ACDE")],
        [*tokenizer.encode("A"), end, end],
    ]
    for i, row in enumerate(rows):
        metrics.update(Answer(row, Example(i, ()), tokenizer))
    found = {name: float(value) for name, value in metrics.compute().items()}
    assert found["valid"] == pytest.approx(4 / 7)  # ACD, WY, ACDE, A; not AX and two empty ones
    assert found["residues"] == pytest.approx((3 + 2 + 2 + 4 + 1) / 7)
    nats = sum(map(chain.chain().nats, ("ACD", "WY", "ACDE", "A")))
    assert found["law_nats"] == pytest.approx(nats / 10)
    assert made.facts["entropy"]["chain"] == chain.chain().entropy_rate


def test_every_protein_is_in_one_split(tmp_path: Path) -> None:
    made = _prepare("uniref50", tmp_path)
    seen = []
    for split in (made.train, made.validation, made.test):
        text = made.tokenizer.decode([i for k in range(len(split)) for i in split[k].body])
        seen.append(set(text.split("<|endoftext|>")[1:-1]))
    assert not any(a & b for a, b in pairwise([*seen, seen[0]]))
    other = _prepare("uniref50", tmp_path, seed=2)
    assert list(other.train[0].body) != list(made.train[0].body)


# ---------------------------------------------------------------- runs


@pytest.mark.parametrize("family", ["ilm", "flexmdm"])
def test_a_family_whose_tokens_move_refuses_packed_rows(
    family: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main.run(EXAMPLES / family, "owt_packed", job="prepare") == 2
    said = capsys.readouterr().err
    assert f"{family} cannot train on packed rows, as task owt_packed has: its tokens move" in said
    assert "such as lm1b or owt" in said


def test_a_network_of_which_nothing_is_known_refuses_packed_rows() -> None:
    family: Any = SimpleNamespace(name="own", layouts=("text",), packs=False, inserts=False)
    with pytest.raises(UsageError, match=r"own cannot train on packed rows.* not known to keep"):
        pair.check(family, tasks.get("owt_packed"))
    pair.check(family, tasks.get("owt"))


def test_a_packed_task_is_trained_judged_and_sampled(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XLM_CACHE", str(tmp_path / "cache"))
    sets = (
        "train.steps=2", "train.batch=4", "model.size=tiny", "eval.examples=4", "eval.samples=2",
        "decoder.steps=3", "generate.count=1", "data.block=32",
    )  # fmt: skip
    assert main.run(EXAMPLES / "mdlm", "uniref50", sets=sets) == 0
    found = json.loads(Path("runs/mdlm/uniref50/quick-seed1/metrics.json").read_text())
    assert {"valid", "residues", "law_nats"} <= set(found["answers"])
    assert found["likelihood"]["perplexity"] > 1
    assert found["layout"] == "bos [body]"  # no row has an end of its own
    assert "specials at the edges" in found["protocol"]
    saved: Tokenizer = tokenizers.load(Path("runs/mdlm/uniref50/quick-seed1/tokenizer"))
    assert saved.separator is not None
