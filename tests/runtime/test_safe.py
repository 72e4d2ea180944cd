"""Bracket SAFE, and the task that is made of it."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import prepared
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from prepared import texts
from rdkit import Chem
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, pre_tokenizers, trainers
from tokenizers.processors import TemplateProcessing

from xlm_runtime import tasks
from xlm_runtime.metrics import Answer
from xlm_runtime.plug import Example
from xlm_runtime.system.errors import RunError
from xlm_runtime.tasks import safe as task
from xlm_runtime.tasks.base.prepared import Prepared
from xlm_runtime.tokenizers.molecules import safe, tokens
from xlm_runtime.tokenizers.molecules.grow import grow
from xlm_runtime.tokenizers.molecules.smiles import canonical

DRUGS = [  # stereo, charges, long rings, double bonds that are cut
    "C[C@H](N)C(=O)O",
    "O=C(O)C[C@H](Cc1ccccc1)NC(=O)[C@@H]1CCCN1",
    "CC1(C)S[C@@H]2[C@H](NC(=O)Cc3ccccc3)C(=O)N2[C@H]1C(=O)O",
    "CC(C)(C)NC[C@H](O)c1ccc(O)c(CO)c1",
    "C/C(=C\\c1ccccc1)C(=O)N1CCCC1",
    "F/C=C\\CN1CCOCC1",
    "CN1C(=O)CN=C(c2ccccc2)c2cc(Cl)ccc21",
    "[O-][n+]1ccccc1CCOC",
    "CCN(CC)C(=O)[C@]1(C)C[C@@H]1C",
    "C1CCC(=C2CCCCC2)CC1",
    "CCS(=O)(=O)N1CC(CC#N)(n2cc(-c3ncnc4[nH]ccc34)cn2)C1",
    "C" * 5 + "OCCN(CCOC(=O)c1ccccc1)CCOC(=O)c1ccc(OCCOc2ccccc2)cc1",  # more than nine cuts
]


@pytest.mark.slow
def test_every_molecule_comes_back() -> None:
    """In the order of its size and in ten random ones, with its stereochemistry."""
    made = [grow(np.random.default_rng([3, i]), 4, 20) for i in range(300)]
    for smiles in [*DRUGS, *made]:
        known = canonical(smiles)
        every = [safe.encode(smiles)]
        every += [safe.encode(smiles, np.random.default_rng(i)) for i in range(3)]
        for text in every:
            assert text is not None
            assert safe.strict(text) == safe.lenient(text) == known, text


def test_double_bonds_are_cut_and_come_back() -> None:
    text = safe.encode("CC(C)=CC")
    assert text is not None
    assert "=<" in text
    assert "(" not in text.replace("(C)", "")
    assert safe.strict(text) == canonical("CC(C)=CC")


def test_the_form_of_a_text() -> None:
    assert safe.encode("CC(=O)NC1CC1") in ("CC<1>=O.C1<2>CC1.N<1><2>", "C1<1>CC1.CC<2>=O.N<2><1>")
    assert safe.encode("CCCC") == "CCCC"
    assert safe.encode("C(") is None
    assert safe.smiles("C1<1>CC1.N<1>") == "C12CC1.N2"
    assert safe.smiles("C1<9>CC1.N<9>") == "C1%10CC1.N%10"
    assert safe.smiles("C%99<1>CC%99.N<1>") == "C%99%(100)CC%99.N%(100)"
    assert safe.smiles("[13CH3]C<%10>.N<10>") == "[13CH3]C%10.N%10"


def test_labels_count_up_and_orders_differ() -> None:
    texts = {safe.encode(DRUGS[-1], np.random.default_rng(i)) for i in range(8)}
    assert len(texts) == 8
    for text in texts:
        assert text is not None
        labels = [int(n) for n in safe._LABEL.findall(text)]
        assert list(dict.fromkeys(labels)) == list(range(1, max(labels) + 1))
        assert max(labels) >= 10


@pytest.mark.parametrize(
    ("text", "strict", "lenient"),
    [
        ("CC<1>.N<1>", "CCN", "CCN"),
        ("CC<1>.N", None, "CC"),  # an end is missing
        ("CC<1>.N<1>.O<1>", None, "CCN"),  # an end too many
        ("CC<1>.N<1>.CCCCC", None, "CCCCC"),  # a part that hangs on nothing: the longest is taken
        ("CC<1>.N<1>.C(C", "", "CCN"),  # a part that is none
        ("CC<1>=.N<1>", None, "N"),
        ("", None, None),
        ("CCN", "CCN", "CCN"),
        ("*C", None, "C"),
    ],
)
def test_what_is_a_molecule_as_it_is_and_as_genmol_mends_it(
    text: str, strict: str | None, lenient: str | None, capfd: pytest.CaptureFixture[str]
) -> None:
    assert safe.strict(text) == (strict or None)
    assert safe.lenient(text) == lenient
    assert capfd.readouterr() == ("", "")


def test_what_is_mended_is_never_less_valid() -> None:
    rng = np.random.default_rng(0)
    for i in range(200):
        text = safe.encode(grow(np.random.default_rng([9, i]), 8, 16)) or ""
        place = int(rng.integers(len(text)))
        broken = text[:place] + text[place + 1 :]
        mended = safe.lenient(broken)
        assert safe.strict(broken) in (None, mended)
        assert mended is None or Chem.MolFromSmiles(mended) is not None


# ---------------------------------------------------------------- tokens


def bpe(folder: Path) -> Path:
    """A tokenizer.json as safe-mol writes it, with its own splitter left out."""
    backend = Backend(models.BPE(unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    names = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
    every = [safe.smiles(safe.encode(smiles) or "") for smiles in DRUGS]
    pattern = tokens._split(tokens._ATOMS)
    split = [" ".join(part for part, _ in pattern.pre_tokenize_str(text)) for text in every]
    alphabet = sorted({c for text in every for c in text})
    trainer = trainers.BpeTrainer(
        special_tokens=names, vocab_size=200, initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator(split, trainer)
    backend.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    backend.decoder = decoders.BPEDecoder()
    plain = json.loads(backend.to_str())
    more = {"custom_pre_tokenizer": True, "tokenizer_type": "bpe", "tokenizer_attrs": {}}
    folder.mkdir()
    (folder / "tokenizer.json").write_text(json.dumps({**plain, **more}))
    return folder


def test_the_published_tokens_of_safe(tmp_path: Path) -> None:
    made = tokens.published(str(bpe(tmp_path / "t")), ("pad", "mask", "bos", "eos"), "")
    text = "C[C@H](N<1>)C=O.N<1>"
    ids = made.encode(text)
    assert made.decode(ids) == text
    assert [made.decode([i]) for i in ids].count("<") == 2
    assert not {1, 2} & set(ids)  # no special tokens at the ends
    specials = made.vocabulary.specials
    assert (specials["pad"], specials["mask"], specials["bos"], specials["eos"]) == (3, 4, 1, 2)


# ---------------------------------------------------------------- the task


prepare = partial(prepared.prepare, "safe")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(task, "DRAWS", 300)
        return prepare(tmp_path_factory.mktemp("cache"))


def test_quick_is_bracket_safe_in_disjoint_splits(made: Prepared) -> None:
    splits = [
        {safe.strict(text) for text in texts(made, name)}
        for name in ("train", "validation", "test")
    ]
    assert None not in set.union(*splits)
    assert len(set.union(*splits)) == sum(map(len, splits)) == sum(made.facts["sizes"].values())
    assert any("<1>" in text for text in texts(made, "test"))
    assert made.facts["cut"] == {"train": 0, "validation": 0, "test": 0}
    assert made.facts["unknown"] == {"tokens": 0}


def test_texts_are_judged_as_they_are_and_as_genmol_mends_them(made: Prepared) -> None:
    metrics = tasks.get("safe").metrics(made)
    for text in ("CC<1>.N<1>", "CC<1>.N", "C(", texts(made, "train")[0]):
        ids = made.tokenizer.encode(text)
        metrics.update(Answer(ids, Example(0, ()), made.tokenizer))
    found = {name: float(value) for name, value in metrics.compute().items()}
    assert found["validity"] == 0.5
    assert found["novelty"] == 0.5
    assert found["genmol_validity"] == 0.75
    assert "genmol_novelty" not in found


def published(folder: Path, column: str) -> None:
    (folder / "data").mkdir(parents=True)
    for name, count in (("train", 40), ("validation", 5), ("test", 6)):
        rows = [
            safe.smiles(safe.encode(grow(np.random.default_rng(i), 5, 12)) or "")
            for i in range(count)
        ]
        rows[2] = "no molecule"
        file = folder / "data" / f"{name}-00000-of-00001.parquet"
        pq.write_table(pa.table({"source": ["x"] * count, column: rows}), file)


@pytest.mark.parametrize("column", ["safe", "input"])
def test_the_published_rows(column: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    published(tmp_path / "hub", column)
    monkeypatch.setattr(task, "REPO", str(tmp_path / "hub"))
    monkeypatch.setattr(task, "ROWS", {"train": 30, "validation": 10, "test": 10})
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    made = prepare(tmp_path, "paper", tokenizer="safe")
    assert made.facts["sizes"] == {"train": 29, "validation": 4, "test": 5}
    assert made.facts["dropped"] == {
        "no molecule that RDKit can read": {
            "rows": 3,
            "first": ["test:3", "train:3", "validation:3"],
        }
    }
    assert safe.strict(texts(made, "train")[0]) == grow(np.random.default_rng(0), 5, 12)
    assert made.body == 256


def test_a_data_set_without_the_column_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets

    published(tmp_path / "hub", "other")
    monkeypatch.setattr(task, "REPO", str(tmp_path / "hub"))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    with pytest.raises(RunError, match="no column 'safe', its columns are source, other"):
        prepare(tmp_path, "paper", tokenizer="safe")


def test_rows_of_the_user_s_own_may_be_smiles(tmp_path: Path) -> None:
    file = tmp_path / "mine.smi.txt"
    file.write_text("".join(f"{'C' * i}C(=O)NC\n" for i in range(1, 120)) + "nonsense\n")
    made = prepare(tmp_path, data=file)
    assert all("<1>" in text for text in texts(made, "test"))
    reason = "no molecule that RDKit can read"
    assert made.facts["dropped"] == {reason: {"rows": 1, "first": [120]}}
