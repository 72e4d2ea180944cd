"""Molecules of given fragments: how they are cut, asked for, and judged."""

import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from prepared import SPECIALS, prepare

from xlm_runtime import tasks
from xlm_runtime.data import hub
from xlm_runtime.metrics import Answer, collection
from xlm_runtime.metrics.fragments import Fragments
from xlm_runtime.metrics.molecules import fingerprint
from xlm_runtime.model import generate
from xlm_runtime.model.model import Model
from xlm_runtime.plug import Example, Vocabulary
from xlm_runtime.run.jobs import evaluation
from xlm_runtime.system import atomic
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.tasks import fragments
from xlm_runtime.tasks import safe as safe_task
from xlm_runtime.tokenizers.molecules import pieces, safe, tokens
from xlm_runtime.tokenizers.molecules.grow import grow
from xlm_runtime.tokenizers.molecules.smiles import canonical

TOKENS = tokens.own(SPECIALS, 20)
# the first row of GenMol's table
BARICITINIB = "CCS(=O)(=O)N1CC(CC#N)(n2cc(-c3ncnc4[nH]ccc34)cn2)C1"
ROW = {
    "linker_design": "[11*]C1(CC#N)CN(S(=O)(=O)CC)C1.[13*]c1ncnc2[nH]ccc12",
    "motif_extension": "[11*]C1(CC#N)CN(S(=O)(=O)CC)C1",
    "scaffold_decoration": "[1*]N1CC([2*])(n2cc(-c3ncnc4[nH]ccc34)cn2)C1",
    "superstructure_generation": "c1nc(-c2cnn(C3CNC3)c2)c2cc[nH]c2n1",
}
KINDS = ("linker", "motif", "scaffold", "superstructure")


@pytest.mark.parametrize(("column", "ends"), list(zip(ROW, (2, 1, 2, 2), strict=True)))
def test_a_published_row(column: str, ends: int) -> None:
    found = pieces.offered(BARICITINIB, ROW[column])
    assert not isinstance(found, str)
    given, rest = found
    assert given.count(".") == (2 if column == "linker_design" else 1)
    assert given.endswith(".")
    assert len(set(safe._LABEL.findall(given))) == ends
    assert safe.strict(given + rest) == canonical(BARICITINIB)
    assert pieces.contains(BARICITINIB, given)
    assert not pieces.contains("CCN1CCOCC1", given)


def test_a_linker_of_one_atom() -> None:
    assert pieces.offered("CCOCC", "[1*]CC.[2*]CC") == ("CC<1>.C<2>C.", "O<1><2>")


@pytest.mark.parametrize(
    ("whole", "given"),
    [
        (BARICITINIB, "[1*]CCl"),
        (BARICITINIB, BARICITINIB),  # nothing is left
        ("CCCO", "[1*]C(C)[2*]"),  # the bonds that leave it leave other atoms
        ("CCO", "C("),
    ],
)
def test_what_is_no_part_of_a_molecule(whole: str, given: str) -> None:
    assert isinstance(pieces.offered(whole, given), str)
    assert pieces.offered("CCCO", "[1*]CC[2*]") == ("C<1>C<2>.", "C<1>.O<2>")


def test_fragments_stand_at_places_of_their_own() -> None:
    assert pieces.contains("CCOCC", "CC<1>.C<2>C.")
    assert not pieces.contains("CCO", "CC<1>.C<2>C.")
    assert pieces.contains("NCC[C@H](F)O", "[C@@H]<1>(F)O.")  # whatever its stereochemistry
    assert not pieces.contains("C1CCCCC1", "c1<1>ccccc1.")


@pytest.mark.many
@pytest.mark.parametrize("kind", KINDS)
def test_made_questions_are_of_their_kind(kind: str) -> None:
    found = 0
    for i in range(80):
        whole = grow(np.random.default_rng([4, i]), 8, 20)
        asked = pieces.chosen(whole, kind, np.random.default_rng(i))
        if asked is None:
            continue
        given, rest = asked
        found += 1
        assert safe.strict(given + rest) == whole
        assert pieces.contains(whole, given)
        ends = [len(safe._LABEL.findall(part)) for part in given.split(".")[:-1]]
        assert ends == [1, 1] if kind == "linker" else len(ends) == 1
        assert kind != "motif" or ends == [1]
        assert kind != "scaffold" or ends[0] > 1
    assert found > 20
    assert pieces.chosen("CCC", kind, np.random.default_rng(0)) is None


# ---------------------------------------------------------------- how it is asked


def blanks(example: Example, lengths: list[int], oracle: bool = False, body: int = 12) -> Example:
    layout = SimpleNamespace(fills=False)
    vocabulary, family = Vocabulary(9, {"pad": 8}), SimpleNamespace(draft=None)
    model = SimpleNamespace(vocabulary=vocabulary, family=family, layout=layout, body=body)
    (found,) = generate.blank(cast(Model, model), [example], lengths, 1, oracle)
    return found


OPEN = Example(3, [1, 2, 3, 4], given=[True, True, False, False], gaps=[False] * 2 + [True] * 3)


def test_an_open_end_has_a_length_of_the_training_texts() -> None:
    found = blanks(OPEN, [2, 1, 7])
    assert list(found.body) == [1, 2, 8, 8, 8, 8, 8]
    assert list(found.given) == [True] * 2 + [False] * 5
    assert list(found.gaps) == [False] * 2 + [True] * 6


def test_an_open_end_with_the_length_of_the_answer_or_the_most_there_is() -> None:
    assert list(blanks(OPEN, [7], oracle=True).body) == [1, 2, 8, 8]
    assert list(blanks(OPEN, [30], body=5).body) == [1, 2, 8, 8, 8]
    assert blanks(OPEN, [30], body=5).cut  # it has no end there
    assert not blanks(OPEN, [5], body=5).cut
    assert list(blanks(OPEN, [1, 2], body=6).body) == [1, 2, 8, 8, 8, 8]  # no text is that long
    assert not blanks(OPEN, [1, 2], body=6).cut


@pytest.mark.parametrize(
    "example",
    [
        Example(0, [1, 2, 3], given=[True, True, False]),  # of no stated gaps: three tokens
        Example(0, [1, 2, 3], given=[True, False, True], gaps=[False, True, True, False]),
    ],
)
def test_other_given_tokens_keep_their_places(example: Example) -> None:
    found = blanks(example, [7])
    assert [t == 8 for t in found.body] == [not kept for kept in example.given]
    assert found.gaps == example.gaps


# ---------------------------------------------------------------- metrics


def question(given: str, rest: str, index: int = 0) -> Example:
    return fragments._example(index, (TOKENS.encode(given), TOKENS.encode(rest)))


def judged(answers: list[tuple[Example, str]], read: Any = safe.strict) -> dict[str, float]:
    metric = Fragments(read)
    for example, text in answers:
        metric.update(Answer(TOKENS.encode(text), example, TOKENS))
    return {name: float(value) for name, value in metric.compute().items()}


def test_values_are_means_over_groups() -> None:
    one, two = question("CC<1>.", "N<1>"), question("c1<1>ccccc1.", "O<1>C")
    found = judged(
        [
            (one, "CC<1>.N<1>"),
            (one, "CC<1>.N<1>"),
            (one, "CC<1>.OC<1>"),
            (one, "CC<1>.O"),
            (two, "c1<1>ccccc1.O<1>C"),
            (two, "C1<1>CCCCC1.O<1>C"),  # another fragment
        ]
    )
    assert found["validity"] == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert found["validity_count"] == 2
    assert found["validity_error"] == pytest.approx(1 / 8)
    assert found["uniqueness"] == pytest.approx((2 / 3 + 1) / 2)
    assert found["kept"] == 4 / 5

    def distance(a: str, b: str) -> float:
        bits = [set(fingerprint(x).GetOnBits()) for x in (a, b)]
        return 1 - len(bits[0] & bits[1]) / len(bits[0] | bits[1])

    assert found["diversity"] == pytest.approx((distance("CCN", "CCCO") + 0) / 2)
    assert found["distance"] == pytest.approx((distance("CCN", "CCCO") / 2 + 0) / 2)
    assert found["quality"] == 0


def test_the_values_of_each_group_are_kept() -> None:
    one, two = question("CC<1>.", "N<1>"), question("CO<1>.", "N<1>")
    metrics = collection(Fragments(safe.strict))
    for example, text in ((one, "CC<1>.N<1>"), (one, "C("), (two, "CO<1>.")):
        metrics.update(Answer(TOKENS.encode(text), example, TOKENS))
    found = evaluation.judged(metrics)
    first, second = found["groups"]["fragments"]
    assert (first["given"], first["original"], first["answers"]) == ("CC<1>.", "CC<1>.N<1>", 2)
    assert (first["validity"], first["uniqueness"], first["distance"]) == (0.5, 1, 0)
    assert (second["given"], second["answers"], second["validity"]) == ("CO<1>.", 1, 0)
    assert found["answers"]["validity"] == 0.25
    json.dumps(atomic.plain(found), allow_nan=False)


def test_a_group_without_a_valid_answer() -> None:
    one, two = question("CC<1>.", "N<1>"), question("CO<1>.", "N<1>")
    found = judged([(one, "CC<1>.N<1>"), (two, "CO<1>.")])
    assert found["uniqueness"] == 0.5
    assert (found["diversity_count"], found["distance_count"]) == (1, 1)
    assert found["validity"] == 0.5
    assert math.isnan(judged([(two, "C(")])["distance"])


def test_what_genmol_mends_is_valid() -> None:
    one = question("CC<1>.", "N<1>")
    assert judged([(one, "CC<1>.N")])["validity"] == 0
    assert judged([(one, "CC<1>.N")], safe.lenient)["validity"] == 1


# ---------------------------------------------------------------- the tasks


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_task, "DRAWS", 600)


@pytest.mark.many
@pytest.mark.parametrize("kind", KINDS)
def test_quick_asks_of_molecules_that_were_not_trained_on(kind: str, cache: Path) -> None:
    made = prepare(f"safe_{kind}", cache)
    assert len(made.test) == made.facts["questions"] * 8 > 40
    decode = made.tokenizer.decode
    trained = {safe.strict(decode(made.train[i].body)) for i in range(len(made.train))}
    for i in range(0, len(made.test), 8):
        example = made.test[i]
        assert safe.strict(decode(example.body)) not in trained
        given = [t for t, kept in zip(example.body, example.given, strict=True) if kept]
        assert decode(given).endswith(".")
        assert len(example.gaps) == len(example.body) + 1
        assert made.test[i + 7].body == example.body
    assert [made.test[i].index for i in range(9)] == list(range(9))
    assert not made.train[0].given


def test_the_originals_are_right_answers(cache: Path) -> None:
    made = prepare("safe_motif", cache)
    metrics = tasks.get("safe_motif").metrics(made)
    for i in range(16):
        metrics.update(Answer(made.test[i].body, made.test[i], made.tokenizer))
    found = {name: float(value) for name, value in metrics.compute().items()}
    assert found["validity"] == found["kept"] == found["genmol_validity"] == 1
    assert found["distance"] == pytest.approx(0, abs=1e-12)
    assert found["uniqueness"] == 1 / 8


def table(folder: Path, *more: str) -> Path:
    file = folder / "fragments.csv"
    header = ",".join(["name", "smiles", *ROW])
    row = ",".join(["BARICITINIB", BARICITINIB, *ROW.values()])
    file.write_text("\n".join([header, row, *more]) + "\n")
    return file


@pytest.mark.parametrize("kind", KINDS)
def test_the_published_table(kind: str, cache: Path, tmp_path: Path) -> None:
    long = "x," + ",".join([f"{'C' * 80}OC", *["[1*]OC"] * 4])
    file = table(tmp_path, long, "y,CCO,Cl,Cl,Cl,Cl", "z,CCO,,,,")
    made = prepare(f"safe_{kind}", cache, data=file)
    assert (made.facts["questions"], len(made.test)) == (1, 8)
    whole = safe.strict(made.tokenizer.decode(made.test[0].body))
    assert whole == canonical(BARICITINIB)
    assert sum(found["rows"] for found in made.facts["dropped"].values()) == 3
    assert made.facts["dropped"]["a molecule of more than 64 tokens"]["first"] == [3]
    assert str(file) in made.facts["asked"]


def test_columns_may_have_other_names(cache: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(f"whole,part\n{BARICITINIB},{ROW['motif_extension']}\n")
    columns = {"smiles": "whole", "motif_extension": "part"}
    assert len(prepare("safe_motif", cache, data=file, columns=columns).test) == 8
    with pytest.raises(UsageError, match=r"no column 'smiles'.*its columns: whole, part"):
        prepare("safe_motif", cache, data=file)


def test_without_the_hub_it_is_said_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "_reachable", lambda: False)
    with pytest.raises(
        RunError, match="task safe provides the training data, and --data only the quest"
    ):
        prepare("safe_motif", tmp_path, "paper", data=table(tmp_path))


def test_a_table_without_a_question_is_said(cache: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("smiles,motif_extension\nCCO,[1*]Cl\n")
    with pytest.raises(
        RunError, match=r"no question is left \(dropped: a fragment that is no part"
    ):
        prepare("safe_motif", cache, data=file)


def test_the_published_questions_must_be_given(cache: Path) -> None:
    with pytest.raises(UsageError, match=r"GenMol's table of fragments: give it with --data"):
        prepare("safe_motif", cache, "paper")
