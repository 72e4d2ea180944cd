"""Texts end to end: rows, documents, the tasks that pack, and who refuses them."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from packed import SPECIALS, esm, hub, parquet, prepare
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, pre_tokenizers

from xlm_runtime import tasks, tokenizers
from xlm_runtime.data.lanes import Lanes
from xlm_runtime.model import pair
from xlm_runtime.plug import Example, Row, stack
from xlm_runtime.run import main
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.tasks import owt_packed
from xlm_runtime.tasks.base.prepared import Prepared
from xlm_runtime.tokenizers import Tokenizer, letters

__all__ = ["hub"]

EXAMPLES = Path(__file__).parents[2] / "examples"


def _folder(path: Path, texts: list[str]) -> Path:
    """The same texts for every split."""
    path.mkdir(parents=True, exist_ok=True)
    for split in ("train", "validation", "test"):
        (path / f"{split}.txt").write_text("".join(f"{text}\n" for text in texts))
    return path


# ---------------------------------------------------------------- rows


def test_the_cost_of_a_long_text_grows_with_its_length() -> None:
    """A text of four times the tokens takes four times as long, not sixteen times."""

    def cost(tokens: int) -> float:
        text, begun = list(range(tokens)), time.process_time()
        assert sum(map(sum, Lanes(128, 5).rows([text]))) == sum(text[: tokens - tokens % 128])
        return time.process_time() - begun

    assert cost(1_200_000) < 9 * min(cost(300_000) for _ in range(3))


def test_k7_rows_are_the_texts_in_their_order_but_for_the_end(tmp_path: Path) -> None:
    """Every row is full; texts go on in the next; what is left over is dropped and counted."""
    texts = ["ACD" * (1 + i % 5) for i in range(40)] + ["A" * 50]
    data = _folder(tmp_path / "data", texts)
    made = prepare("owt_packed", tmp_path, data=data, tokenizer="letters:ACD", block=11)
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
    made = prepare("owt_packed", tmp_path, data=data, tokenizer="letters:ACD", block=6)
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
        prepare("owt_packed", tmp_path, data=data, tokenizer="letters:ACD", block=11)
    assert "there is no full row of 11 tokens for train, validation, test" in str(raised.value)
    assert "tokens left over: 3 for train" in str(raised.value)
    assert "a smaller data.block" in str(raised.value)


def test_packed_rows_have_a_cache_of_their_own(tmp_path: Path) -> None:
    data = _folder(tmp_path / "data", ["ACDA"] * 9)
    options: dict[str, Any] = {"data": data, "tokenizer": "letters:ACD"}
    packed = prepare("owt_packed", tmp_path, block=5, **options)
    again = prepare("owt_packed", tmp_path, block=5, **options)
    other = prepare("owt_packed", tmp_path, block=6, **options)
    assert packed.facts["cache"] == again.facts["cache"] != other.facts["cache"]
    alone = prepare("owt", tmp_path, block=5, **options)
    assert len(alone.train) == 9
    assert not alone.train[0].document


@pytest.mark.slow
def test_quick_packs_python_s_documentation(tmp_path: Path) -> None:
    made = prepare("owt_packed", tmp_path)
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


@pytest.mark.slow
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
        parquet(file, text=pages[500 * part : 500 * part + 500])
    monkeypatch.setattr(owt_packed, "REPO", str(hub))
    monkeypatch.setattr(owt_packed, "LAST", 200)
    monkeypatch.setattr(owt_packed, "HELD_OUT", {"validation": 0.2})
    tokenizer = str(_gpt2(tmp_path / "gpt2"))
    made = prepare("owt_packed", tmp_path, "paper", tokenizer=tokenizer, block=64)
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


# ---------------------------------------------------------------- tokenizers


@pytest.mark.parametrize("make", [esm, _gpt2])
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
