"""Verdicts on the shipped packages, and on packages in which something was broken."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from xlmc.commands.cli import execute

EXAMPLES = Path(__file__).parents[2] / "examples"
QUICK = ("--draws", "4000", "--points", "32", "--steps", "1,4,32")
DONE: dict[str, tuple[int, dict]] = {}


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def verified(path, capsys, *more):
    """The exit code and the document."""
    code = execute(["verify", str(path), "--json", *QUICK, *more])
    out = capsys.readouterr().out
    return code, json.loads(out) if out else {}


def shipped(family, capsys):
    """The same of a shipped package, examined once."""
    if family not in DONE:
        DONE[family] = verified(EXAMPLES / family, capsys)
    return DONE[family]


def verdicts(document, outcome):
    return [v for toy in document["toys"] for v in toy["verdicts"] if v["outcome"] == outcome]


def broken(tmp_path, family, file, old, new):
    """A copy of a shipped package with one piece of text replaced."""
    copy = tmp_path / family
    shutil.copytree(EXAMPLES / family, copy, ignore=shutil.ignore_patterns("__pycache__"))
    text = (copy / file).read_text("utf-8")
    assert old in text
    (copy / file).write_text(text.replace(old, new), "utf-8")
    return copy


SHIPPED = sorted(path.parent.name for path in EXAMPLES.glob("*/MANIFEST.json"))
QUICKLY = ("mdlm",)  # the others take longer


@pytest.mark.parametrize(
    "family", [pytest.param(x, marks=() if x in QUICKLY else pytest.mark.slow) for x in SHIPPED]
)
def test_a_shipped_package_is_what_it_claims(family, capsys):
    code, document = shipped(family, capsys)
    assert [v["found"] for v in verdicts(document, "refuted")] == []
    assert code == 0
    assert document["ok"] is True
    claims = {v["claim"] for v in verdicts(document, "confirmed")}
    assert {"likelihood.valid", "loss.additive", "decoder.blind"} <= claims
    assert ("samples" in claims) == any(toy["curves"] for toy in document["toys"])
    assert ("loss.bound" in claims) == document["claim"]["trained"]
    assert {toy["name"] for toy in document["toys"]} == {"fixed", "mixed", "prompted", "given"}


@pytest.mark.slow
def test_samples_of_mixed_lengths_are_tilted_as_the_claim_says(capsys):
    """p / (L + 1): far from the data, near to what is foretold; and the likelihood pays for it."""
    _, document = shipped("ilm", capsys)
    mixed = next(toy for toy in document["toys"] if toy["name"] == "mixed")
    (curve,) = mixed["curves"]
    assert curve["distance"][-1] < 0.03 < 0.1 < curve["data"][-1]
    (bound,) = [v for v in mixed["verdicts"] if v["claim"] == "likelihood.bound"]
    assert bound["expected"] - bound["details"]["entropy"] == pytest.approx(0.0533, abs=1e-3)


def test_the_document_has_stable_keys(capsys):
    _, document = shipped("mdlm", capsys)
    assert list(document) == [
        "package", "family", "claim", "settings", "ok", "seconds", "toys",
    ]  # fmt: skip
    assert document["settings"] == {
        "seed": 1, "draws": 4000, "steps": [1, 4, 32], "points": 32, "seconds": 60,
    }  # fmt: skip
    toy = document["toys"][0]
    assert list(toy) == [
        "name", "what", "layout", "outcomes", "entropy", "fit", "curves", "verdicts", "seconds",
    ]  # fmt: skip
    assert list(toy["fit"]) == ["states", "examples", "loss", "error", "knots"]
    assert {"toy", "decoder", "steps", "distance", "null"} < set(toy["curves"][0])
    assert {"claim", "outcome", "found", "toy", "decoder", "measured"} < set(toy["verdicts"][0])


BUGS = [
    ("a dropped weight", "mdlm", "loss.py", "weight[row] * nll", "nll", "loss.bound"),
    ("a mean before the weight", "mdlm", "loss.py", "(weight[row] * nll).sum()",
     "weight[row].mean() * nll.sum()", "loss.bound"),
    ("a gap off by one", "ilm", "noise.py", "(~gone).cumsum(1) - 1", "(~gone).cumsum(1) - 2",
     "loss.additive"),
    ("a wrong reveal", "mdlm", "schedule.py", "(t - s) / t", "t - s", "samples"),
    ("a wrong stop", "ilm", "decoder.py", "noise.uniform(\"done\")[:, 0] < done",
     "noise.uniform(\"done\")[:, 0] > done", "samples"),
    ("a bound without its factor", "ilm", "likelihood.py", "(length + 1) * step", "length * step",
     "likelihood.bound"),
    ("samples that look at the answer", "mdlm", "decoder.py",
     "x = batch.x0.masked_fill(batch.free, network.vocab[\"mask\"])", "x = batch.x0",
     "decoder.blind"),
    ("a masked prompt", "mdlm", "noise.py", "subset(u, batch.free, count)",
     "subset(u, batch.free | ~batch.inside, count)", "noise.fixed"),
    ("attention to padding", "ilm", "backbone.py",
     "attn_mask=seen", "attn_mask=None",
     "network.padding"),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "file", "old", "new", "claim"), [bug[1:] for bug in BUGS], ids=[b[0] for b in BUGS]
)
def test_a_planted_bug_is_refuted(tmp_path, capsys, family, file, old, new, claim):
    code, document = verified(broken(tmp_path, family, file, old, new), capsys)
    assert code == 1
    assert document["ok"] is False
    assert claim in {v["claim"] for v in verdicts(document, "refuted")}


@pytest.mark.slow
def test_the_words_name_what_is_refuted(tmp_path, capsys):
    copy = broken(tmp_path, "mdlm", "loss.py", ", weight[row])", ")")
    assert execute(["verify", str(copy), *QUICK]) == 1
    out = capsys.readouterr().out
    assert "refuted: loss.bound (toy fixed): the loss weights its terms differently" in out
    assert " 1 refuted, " in out


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: p / "nothing", "there is no package at"),
        (lambda p: EXAMPLES / "mdlm" / "mdlm.xlm", "is a spec; build it first"),
        (lambda p: broken(p, "mdlm", "loss.py", "import", "inport"), "is broken (SyntaxError"),
        (lambda p: broken(p, "mdlm", "family.py", "FAMILY = Family(", "OTHER = Family("),
         "is broken (ImportError"),
    ],
)  # fmt: skip
def test_what_is_no_package(tmp_path, capsys, make, words):
    assert execute(["verify", str(make(tmp_path))]) == 4
    assert words in capsys.readouterr().err


def test_a_package_without_its_head(tmp_path, capsys):
    copy = broken(tmp_path, "mdlm", "network.py", "def token(", "def other(")
    code, document = verified(copy, capsys)
    assert code == 1
    assert any("has no attribute 'token'" in v["found"] for v in verdicts(document, "refuted"))


@pytest.mark.parametrize("steps", ["0", "a", "1,,2", "-3"])
def test_steps_are_numbers(steps, capsys):
    assert execute(["verify", str(EXAMPLES / "mdlm"), "--steps", steps]) == 2
    assert "is no list of up to 16 numbers" in capsys.readouterr().err
