"""Molecules: made ones, their tokens, their metrics, and the task qm9."""

import json
import math
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import prepared
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from prepared import SPECIALS, texts
from rdkit import Chem
from rdkit.Chem import QED, Descriptors

from xlm_runtime import tasks
from xlm_runtime.metrics import Answer, collection, fcd
from xlm_runtime.metrics.molecules import Molecules, diversity, fingerprint, measures, qed, sa
from xlm_runtime.plug import Example
from xlm_runtime.run.jobs.asked import check, extended
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.tasks import qm9
from xlm_runtime.tasks.base.prepared import Prepared
from xlm_runtime.tokenizers.molecules import tokens
from xlm_runtime.tokenizers.molecules.grow import grow
from xlm_runtime.tokenizers.molecules.smiles import canonical, whole

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"


# ---------------------------------------------------------------- strings


def test_made_molecules_are_small_and_sane() -> None:
    made = [grow(np.random.default_rng([1, i]), 3, 9) for i in range(200)]
    mols = [Chem.MolFromSmiles(smiles) for smiles in made]
    assert {mol.GetNumHeavyAtoms() for mol in mols} == set(range(3, 10))
    assert {atom.GetSymbol() for mol in mols for atom in mol.GetAtoms()} == {"C", "N", "O", "F"}
    assert [Chem.MolToSmiles(mol) for mol in mols] == made
    assert len(set(made)) > 120
    assert grow(np.random.default_rng([1, 7]), 3, 9) == made[7]
    assert not any("." in smiles for smiles in made)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("OCC", "CCO"),
        (" OCC ", "CCO"),
        ("C1CC", None),  # an open ring
        ("C(C)(C)(C)(C)C", None),  # five bonds
        ("c1cccc1", None),  # cannot be aromatic
        ("", None),
        ("[UNK]", None),
        ("CC.O", None),  # two molecules
        ("CC日本語", None),  # RDKit trims it
        ("éCC", None),
        ("\x00CC", None),
        ("CC\x1f", None),
    ],
)
def test_what_is_one_molecule(
    text: str, found: str | None, capfd: pytest.CaptureFixture[str]
) -> None:
    assert whole(text) == found
    assert capfd.readouterr() == ("", "")


def test_two_molecules_have_a_canonical_smiles() -> None:
    assert canonical("O.CC") == "CC.O"


@pytest.mark.parametrize(
    "smiles", [ASPIRIN, "C[C@H](N)C(=O)[O-]", "c1cc[nH]c1Br", "C%12CC%12", "[Si]"]
)
def test_our_tokens_spell_every_molecule(smiles: str) -> None:
    tokenizer = tokens.own(SPECIALS, labels=12)
    ids = tokenizer.encode(smiles)
    assert tokenizer.decode(ids) == smiles
    assert tokenizer.unknown not in ids
    assert len(tokenizer.encode("[nH]Cl<12>Br")) == 4
    assert tokenizer.encode("§") == [tokenizer.unknown]


def vocabulary(folder: Path) -> Path:
    """A vocab.json as that of yairschiff/qm9-tokenizer."""
    words = ["C", "N", "O", "F", "(", ")", "=", "#", "1", "2", "c", "n", "o", "[nH]", "[NH3+]"]
    extra = [f"%{i}" for i in range(10, 30)]
    folder.mkdir(exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({w: i for i, w in enumerate(words + extra)}))
    return folder


def test_the_published_tokens_of_qm9(tmp_path: Path) -> None:
    """Ids as its own code gives them: five specials, then the words of the file."""
    made = tokens.published(str(vocabulary(tmp_path / "t")), ("pad", "mask", "bos", "eos"), "")
    assert made.encode("C[NH3+]") == [5, 5 + 14]
    assert made.encode("c1cc[nH]c1") == [15, 13, 15, 15, 18, 15, 13]
    assert made.vocabulary.specials == {"eos": 1, "pad": 3, "mask": 2, "bos": 0}
    assert made.encode("CS") == [5, made.unknown] == [5, 4]
    assert made.decode([5, 9, 11, 7, 10]) == "C(=O)"


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("vocab.json", "[1, 2]", "it is no JSON object"),
        ("vocab.json", "{", "it is no JSON"),
        ("tokenizer.json", "{}", "it has no version"),
        ("other.json", "{}", "neither tokenizer.json nor vocab.json"),
    ],
)
def test_files_that_are_no_tokenizer(file: str, text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / file).write_text(text)
    with pytest.raises(UsageError, match=message):
        tokens.published(str(tmp_path), SPECIALS, "")


# ---------------------------------------------------------------- metrics


def test_counts_of_a_case_made_by_hand() -> None:
    found = measures(["CCO", "CCO", ASPIRIN, None, "c1ccccc1", None, None, "CCO"])
    assert found["validity"] == 5 / 8
    assert found["validity_error"] == pytest.approx(math.sqrt(5 / 8 * 3 / 8 / 7))
    assert found["uniqueness"] == 3 / 5
    assert (found["uniqueness_count"], found["diversity_count"]) == (5, 3)
    assert found["qed_count"] == 5
    assert found["qed"] == pytest.approx((3 * qed("CCO") + qed(ASPIRIN) + qed("c1ccccc1")) / 5)
    assert found["quality"] == 0


def test_quality_counts_each_good_molecule_once_among_all_texts() -> None:
    good = "Cc1ccc(NC(=O)c2ccncc2)cc1"
    assert qed(good) >= 0.6
    assert sa(good) <= 4
    assert qed(ASPIRIN) < 0.6
    assert measures([good, good, None, ASPIRIN])["quality"] == 1 / 4


def test_known_values_of_aspirin() -> None:
    """0.55 by QED and 1.58 by SA, as they are quoted for it."""
    assert qed(ASPIRIN) == pytest.approx(0.5501, abs=1e-3)
    assert sa(ASPIRIN) == pytest.approx(1.58, abs=1e-2)
    morphine = "CN1CCC23C4OC5=C(O)C=CC(=C25)CC1C3C=CC4O"
    assert sa("c1ccccc1") < sa(ASPIRIN) < 4 < sa(morphine)


def test_qed_by_its_formula() -> None:
    """The weighted geometric mean of the desirabilities of eight properties."""
    mol = Chem.MolFromSmiles(ASPIRIN)
    properties = QED.properties(mol)
    assert pytest.approx(Descriptors.MolWt(mol)) == properties.MW
    desired = [QED.ads(x, QED.adsParameters[name]) for name, x in properties._asdict().items()]
    logs = sum(w * math.log(d) for w, d in zip(QED.WEIGHT_MEAN, desired, strict=True))
    assert qed(ASPIRIN) == pytest.approx(math.exp(logs / sum(QED.WEIGHT_MEAN)))


def test_diversity_by_counting_bits() -> None:
    smiles = ["CCO", "CCN", ASPIRIN, "c1ccccc1O", "CC(=O)NC1CC1"]
    bits = [set(fingerprint(one).GetOnBits()) for one in smiles]
    pairs = [(a, b) for i, a in enumerate(bits) for b in bits[:i]]
    alike = [len(a & b) / len(a | b) for a, b in pairs]
    assert diversity(smiles) == pytest.approx(1 - np.mean(alike))
    assert fingerprint("CCO").GetNumBits() == 1024
    assert diversity(["CCO", "CCO"]) == 0
    assert math.isnan(diversity(["CCO"]))


def test_nothing_valid_is_nan_and_not_zero() -> None:
    found = measures([None, None])
    assert found["validity"] == found["quality"] == 0
    assert all(math.isnan(found[name]) for name in ("uniqueness", "diversity", "qed", "sa"))


def _answers(*texts: str) -> Iterator[Answer]:
    tokenizer = tokens.own(SPECIALS)
    return (Answer(tokenizer.encode(text), Example(0, ()), tokenizer) for text in texts)


def test_novelty_is_of_distinct_molecules_however_they_are_spelt() -> None:
    metric = Molecules(whole, lambda: ["CCO", "CCN"], prefix="a_")
    for answer in _answers("OCC", "CCO", "CCC", "CCF", "C("):
        metric.update(answer)
    found = {name: float(value) for name, value in metric.compute().items()}
    assert found["a_novelty"] == pytest.approx(2 / 3)
    assert found["a_novelty_count"] == 3
    assert found["a_validity"] == 4 / 5
    metric.reset()
    metric.update(next(_answers("C(")))
    assert float(metric.compute()["a_validity"]) == 0


# ---------------------------------------------------------------- FCD


@pytest.fixture(scope="module")
def two_sets() -> list[list[str]]:
    return [[grow(np.random.default_rng([s, i]), 3, 9) for i in range(20)] for s in (1, 2)]


def test_the_distance_of_distributions_by_its_formula(two_sets: list[list[str]]) -> None:
    """The trace of a root is the sum of the roots of the eigenvalues."""
    one, other = (fcd.activations(part).astype(np.float64) for part in two_sets)
    assert one.shape == (20, 512)
    means = float(((one.mean(0) - other.mean(0)) ** 2).sum())
    a, b = np.cov(one.T), np.cov(other.T)
    roots = np.sqrt(np.linalg.eigvals(a @ b).astype(complex)).real.sum()
    expected = means + np.trace(a) + np.trace(b) - 2 * roots
    assert fcd.distance(*two_sets) == pytest.approx(expected, rel=1e-3)
    assert expected > 1
    assert fcd.distance(two_sets[0], two_sets[0]) == pytest.approx(0, abs=1e-3)


def test_fcd_is_asked_for_where_texts_are_molecules(
    made: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcd, "REFERENCES", 30)
    metrics = extended(tasks.get("qm9").metrics(made), ["fcd"], made)
    for text in ("CCO", "CCN", "C("):
        metrics["fcd"].update(next(_answers(text)))
    found = metrics["fcd"].compute()
    assert (float(found["fcd_count"]), float(found["fcd_references_count"])) == (2, 30)
    assert float(found["fcd"]) > 0
    with pytest.raises(UsageError, match="the texts of this task are no molecules"):
        extended(collection(), ["fcd"], replace(made, facts={}))


def test_too_few_molecules_for_fcd_are_said(made: Prepared) -> None:
    metrics = extended(collection(), ["fcd"], made)
    metrics.update(next(_answers("C(")))
    with pytest.raises(RunError, match="there are 0 valid ones of 1 and"):
        metrics.compute()


def test_without_fcd_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcd", None)
    with pytest.raises(UsageError, match=r"--metric fcd needs fcd.*pip install 'xlmc\[fcd\]'"):
        check(["fcd"])


# ---------------------------------------------------------------- qm9


prepare = partial(prepared.prepare, "qm9")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(qm9, "DRAWS", 600)
        return prepare(tmp_path_factory.mktemp("cache"))


def test_quick_makes_each_molecule_once_and_shares_none(made: Prepared) -> None:
    every = [smiles for name in ("train", "validation", "test") for smiles in texts(made, name)]
    assert len(every) == len(set(every)) == sum(made.facts["sizes"].values())
    assert all(canonical(smiles) == smiles for smiles in every)
    assert made.facts["cut"] == {"train": 0, "validation": 0, "test": 0}
    assert made.facts["unknown"] == {"tokens": 0}
    assert made.body == 32


def test_training_molecules_are_not_novel_and_those_for_testing_are(made: Prepared) -> None:
    for name, novelty in (("train", 0), ("test", 1)):
        metrics = tasks.get("qm9").metrics(made)
        split = getattr(made, name)
        for i in range(min(10, len(split))):
            metrics.update(Answer(split[i].body, Example(0, ()), made.tokenizer))
        found = metrics.compute()
        assert float(found["validity"]) == float(found["uniqueness"]) == 1
        assert float(found["novelty"]) == novelty


def published(folder: Path, column: str = "canonical_smiles") -> list[str | None]:
    rows: list[str | None] = [grow(np.random.default_rng(i), 3, 8) for i in range(400)]
    rows[3] = None
    (folder / "data").mkdir(parents=True)
    table = pa.table({"inchi": ["x"] * 400, column: rows})
    pq.write_table(table, folder / "data" / "train-00000-of-00001.parquet")
    return rows


def test_the_published_molecules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    rows = published(tmp_path / "hub")
    monkeypatch.setattr(qm9, "REPO", str(tmp_path / "hub"))
    monkeypatch.setattr(qm9, "TOKENIZER", str(vocabulary(tmp_path / "tokens")))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    made = prepare(tmp_path, "paper", tokenizer=str(tmp_path / "tokens"))
    parts = datasets.Dataset.from_dict({"s": rows}).train_test_split(test_size=0.05, seed=42)
    assert texts(made, "test") == [smiles for smiles in parts["test"]["s"] if smiles]
    kept = texts(made, "train") + texts(made, "validation")
    assert sorted(kept) == sorted(smiles for smiles in parts["train"]["s"] if smiles)
    assert sum(found["rows"] for found in made.facts["dropped"].values()) == 1
    assert made.tokenizer.vocabulary.specials["mask"] == 2


def test_a_data_set_that_has_changed_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets

    published(tmp_path / "hub", "smiles")
    monkeypatch.setattr(qm9, "REPO", str(tmp_path / "hub"))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    with pytest.raises(
        RunError, match=r"no column 'canonical_smiles', its columns are inchi, smiles"
    ):
        prepare(tmp_path, "paper", tokenizer="smiles")


def test_rows_of_the_user_s_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("smiles,x\n" + "".join(f"{'C' * i}O,1\n" for i in range(1, 300)))
    made = prepare(tmp_path, data=file, columns={"text": "smiles"}, block=20)
    cut = dict(made.facts["cut"])
    assert cut.pop("first") == [21, 22, 23, 24, 25]
    assert sum(cut.values()) == 280


def test_rows_that_are_no_molecule_are_dropped_and_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.smi.txt"
    lines = [f"{'C' * i}O" for i in range(1, 203)]
    lines[4], lines[201] = "CC.O", "notamolecule"
    file.write_text("\n".join(lines))
    made = prepare(tmp_path, data=file)
    reason = "not one molecule that RDKit can read"
    assert made.facts["dropped"] == {reason: {"rows": 2, "first": [5, 202]}}


def test_without_rdkit_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rdkit", None)
    with pytest.raises(UsageError, match=r"task qm9 needs rdkit.*pip install 'xlmc\[molecules\]'"):
        prepare(tmp_path)
