"""Proteins: as published, their windows and letters, and the chain that draws the quick ones."""

from itertools import pairwise
from pathlib import Path

import pytest
import torch
from packed import SPECIALS, esm, hub, parquet, prepare
from transformers import EsmTokenizer

from xlm_runtime import tasks, tokenizers
from xlm_runtime.plug import Example
from xlm_runtime.tasks import uniref50
from xlm_runtime.tasks.base import chain
from xlm_runtime.tasks.base.encoding import window

__all__ = ["hub"]


# ---------------------------------------------------------------- as published


def test_proteins_as_published(hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = [*chain.chain().proteins(3, 600), "MKT" * 100]
    sizes = [len(protein) for protein in drawn]
    parquet(hub / "data" / "train-00000-of-00001.parquet", seq=drawn, length=sizes)
    held = [*chain.chain().proteins(4, 60), None]
    parquet(hub / "data" / "valid-00000-of-00001.parquet", seq=held, length=[0] * len(held))
    monkeypatch.setattr(uniref50, "REPO", str(hub))
    monkeypatch.setattr(uniref50, "HELD_OUT", {"validation": 0.2})
    tokenizer = str(esm(tmp_path / "esm"))
    made = prepare("uniref50", tmp_path, "paper", tokenizer=tokenizer, block=100)
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
    made = prepare("uniref50", tmp_path, "quick", data=data, block=100)
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
    folder = esm(tmp_path / "esm")
    theirs = EsmTokenizer(str(folder / "vocab.txt"))
    ours = tokenizers.pretrained(str(folder), SPECIALS)
    for protein in [*chain.chain().proteins(2, 20), "MKTX1BUZO.-j", "M K T"]:
        assert ours.encode(protein) == theirs.encode(protein, add_special_tokens=False)
    assert dict(ours.vocabulary.specials) == {"bos": 0, "pad": 1, "eos": 2, "mask": 32}
    assert (ours.vocabulary.size, ours.unknown, ours.separator) == (33, 3, None)
    assert ours.decode(ours.encode("MKTAY")) == "MKTAY"
    assert 2 not in ours.encode("M<eos>K")


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

    made = prepare("uniref50", tmp_path)
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
    made = prepare("uniref50", tmp_path)
    seen = []
    for split in (made.train, made.validation, made.test):
        text = made.tokenizer.decode([i for k in range(len(split)) for i in split[k].body])
        seen.append(set(text.split("<|endoftext|>")[1:-1]))
    assert not any(a & b for a, b in pairwise([*seen, seen[0]]))
    other = prepare("uniref50", tmp_path, seed=2)
    assert list(other.train[0].body) != list(made.train[0].body)
