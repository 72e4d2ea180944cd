"""Families that make texts of drafts: where drafts come from, and what is said about them."""

import json
from pathlib import Path

import pytest
from attrs import evolve
from fresh import untrained

from xlm_runtime.model import drafts, generate, pair
from xlm_runtime.plug import Example
from xlm_runtime.run.main import run
from xlm_runtime.system.errors import UsageError
from xlm_runtime.use.loaded import Loaded
from xlm_runtime.use.main import generate as command
from xlm_runtime.use.options import Options
from xlmc.compiler import compile_spec

SPEC = Path(__file__).parents[2] / "examples/own/repair.xlm"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of ``examples/own/repair.xlm``."""
    folder = tmp_path_factory.mktemp("built") / "repair"
    folder.mkdir()
    for name, content in compile_spec(SPEC).package.files.items():
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


@pytest.fixture(scope="module")
def loaded(package: Path) -> Loaded:
    """A model that nobody trained."""
    return untrained("repair", folder=package.parent)


def test_decoding_begins_with_the_draft_behind_the_prompt(loaded: Loaded) -> None:
    states = loaded.history("a b", draft="c d e", steps=3)[0]
    assert states[0] == "<bos> a b c d e"
    assert all(state.startswith("<bos> a b") for state in states)
    assert loaded.history(draft="h g", steps=3)[0][0] == "<bos> h g"
    longer = " ".join("abcdefgh" * 2)
    assert loaded.history(draft=longer, steps=3)[0][0] == f"<bos> {longer}"
    assert all(len(text.split()) <= 8 for text in loaded.generate(draft=[longer] * 4, steps=3))


def test_a_text_does_not_depend_on_other_drafts(loaded: Loaded) -> None:
    some = ["c d e", "h", "a a a a a a"]
    found = loaded.generate(draft=some, steps=3, seed=5)
    assert loaded.generate(["", "", ""], draft=some, steps=3, seed=5, batch=2) == found
    assert loaded.generate(draft=some[0], steps=3, seed=5) == found[:1]


@pytest.mark.parametrize(
    ("how", "wanted"),
    [
        ({}, "repair makes a text of a draft: give the text that it begins with, by --draft TEXT"),
        ({"prompts": "a [GAP]", "draft": "b"}, "a prompt beside a draft has no holes"),
        ({"draft": " ".join("a" * 17)}, "the draft has 17 tokens, and there is room for 16"),
        (
            {"prompts": ["a", "b"], "draft": ["c"]},
            "draft: 1 for 2 texts: give one, or one for each",
        ),
        ({"draft": 3}, "draft: 3 is neither a string nor a list of strings"),
        ({"draft": "a", "length": 3}, "length: repair decides itself"),
    ],
)
def test_drafts_that_cannot_be(loaded: Loaded, how: dict[str, object], wanted: str) -> None:
    with pytest.raises(UsageError, match=wanted):
        loaded.generate(**how)  # type: ignore[arg-type]


def test_a_family_that_makes_no_texts_of_drafts_refuses_them() -> None:
    for refused in (
        lambda one: one.generate(draft="a"),
        lambda one: one.log_likelihood("a b", draft="a"),
        lambda one: pair.check_drafts(one.model.family, {"draft": "source"}),
    ):
        with pytest.raises(UsageError, match=r"draft.* ilm does not make its texts of drafts"):
            refused(untrained("ilm"))


def test_a_likelihood_is_that_of_a_text_given_its_draft(loaded: Loaded) -> None:
    near, far = loaded.log_likelihood(["a b c", "a b c"], draft=["a b c", "h h h h h h"])
    assert near.given == far.given == "given a draft"
    assert near.value > far.value
    alone = loaded.log_likelihood("a b c", draft="a b c")[0]
    assert alone.value == pytest.approx(near.value, rel=1e-5)
    begun = loaded.log_likelihood("a b c", ["a"], draft="b")[0]
    assert (begun.tokens, begun.given) == (2, "given some tokens and a draft")
    with pytest.raises(UsageError, match="repair makes a text of a draft"):
        loaded.log_likelihood("a b c")


def test_copies_are_of_the_example_alone_and_keep_what_is_given(loaded: Loaded) -> None:
    layout = loaded.model.family.layouts["infill"](loaded.model.vocabulary, 8)
    model = evolve(loaded.model, layout=layout)
    ids = loaded.tokenizer.encode("a b c d e f")
    given = [False, True, False, False, True, False]
    some = [Example(i, ids, given=given) for i in range(300)]
    found = list(drafts.drafted(model, some))
    assert list(drafts.drafted(model, some[7:8])) == found[7:8]
    for one in found:
        pairs = zip(one.draft or (), one.kept, strict=True)
        assert [token for token, kept in pairs if kept] == [ids[1], ids[4]]
    whole = sum(list(one.draft or ()) == ids for one in found) / len(found)
    assert whole == pytest.approx(0.8**4, abs=0.12)
    own = [Example(0, ids, given=given, draft=[ids[1], ids[4]], kept=[True, True])]
    assert list(drafts.drafted(model, own)) == own
    (blank,) = generate.blank(model, own, [8], 1)
    assert (list(blank.body), list(blank.given)) == ([ids[1], ids[4]], [True, True])


ROWS = [{"prompt": f"x {i}", "target": f"{i} a b", "broken": f"{i} b"} for i in range(10, 99)]


@pytest.mark.parametrize(
    "columns", [pytest.param("text=target,draft=broken", marks=pytest.mark.slow), "draft=broken"]
)
def test_drafts_of_the_data(
    package: Path,
    columns: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    sets = ("train.steps=2", "model.size=tiny", "decoder.steps=2", "eval.draws=2")
    how = {"data": Path("rows.jsonl"), "tokenizer": "bpe:300"}
    assert run(package, "jsonl", columns=columns, sets=sets, **how) == 0  # type: ignore[arg-type]
    (file,) = Path("runs/repair/jsonl").glob("*/metrics.json")
    found = json.loads(file.read_text())
    assert found["protocol"].endswith("drafts: those of the data")
    assert "a draft" in found["likelihood"]["given"]
    assert found["answers"]["needs_no_repair"] == 0
    assert {"repaired", "unspoiled", "exact_match"} <= found["answers"].keys()
    for line in (file.parent / "predictions.jsonl").read_text().splitlines():
        row = json.loads(line)
        assert row["draft"] == row["target"].replace(" a b", " b")
    capsys.readouterr()
    asked = {"what": str(file.parent), "sets": ("decoder.steps=2",), "out": Path("-")}
    prompts = ("x 12",) if columns == "draft=broken" else ()
    assert command(Options(**asked, prompts=prompts, drafts=("12 b",), likelihood=True)) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["draft"] == "12 b"
    assert "a draft" in shown["given"]
    Path("drafts.jsonl").write_text('{"prompt": "x 12", "draft": "12 b"}\n')
    if prompts:
        assert command(Options(**asked, file=Path("drafts.jsonl"))) == 0
        assert json.loads(capsys.readouterr().out)["prediction"] == shown["prediction"]
    assert command(Options(**asked, prompts=("x 12",))) == 2
    assert "give the text that it begins with" in capsys.readouterr().err


def test_without_drafts_an_evaluation_copies_targets_and_says_so(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sets = ("train.steps=2", "model.size=tiny", "decoder.steps=2", "noise.rate=0.4")
    assert run(package, "star_easy", sets=sets, limit=20) == 0
    (file,) = Path("runs/repair/star_easy").glob("*/metrics.json")
    found = json.loads(file.read_text())
    wanted = "drafts: copies of the targets by the noise of the family (noise.rate 0.4), seed 24301"
    assert found["protocol"].endswith(wanted)
    assert 0 <= found["answers"]["needs_no_repair"] < 0.5


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"drafts": ("a", "b"), "prompts": ("c",)}, "--draft: 2 for 1 prompts: give one for each"),
        ({"drafts": ("a",), "infills": ("[GAP]",)}, "leave --infill out"),
        ({"drafts": ("a",), "file": Path("x.jsonl")}, "leave --draft out"),
    ],
)
def test_mistakes_in_options(
    how: dict[str, object], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(Options(what="runs", **how)) == 2  # type: ignore[arg-type]
    assert why in capsys.readouterr().err
