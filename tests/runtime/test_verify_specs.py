"""Specs beyond the shipped ones, each a small change of one: correct packages are not refuted.

Clocks, weights and heads at which data is rare or varies much, and a decoder that remasks by
confidence: all within the default limit of processor time.
"""

import json
from pathlib import Path

import pytest

from xlmc.commands.cli import execute

SPEC = Path(__file__).parents[2] / "spec"
CLOCKS = "noise {{ clean -> mask survival alpha(t) = {0}; mask -> gone survival beta(t) = {0} }}"
SPECS = {
    "square_cosine": ("flexmdm", CLOCKS.format("cos(pi * t / 2) ** 2")),
    "cubic": ("flexmdm", CLOCKS.format("1 - t ** 3")),
    "tenth": (
        "flexmdm",
        "loss { drop cap; token : cross_entropy(x0) on mask weight 0.1 / t; "
        "gap : poisson(gone) weight 0.1 / t }",
    ),
    "numbers": (
        "flexmdm",
        "network { head gap : distribution(16) at gaps } loss { gap : cross_entropy(gone) }",
    ),
    "sine": (
        "remdm",
        "noise { clean -> mask survival alpha(t) = 1 - sin(pi * t / 2); amount t ~ uniform(0, 1) } "
        "decoder { step { remask quota eta * masked by confidence; unmask chance reveal(alpha) } }",
    ),
    "by_blocks": ("bd3lm", "network { backbone rotary }"),
}
LEAST = {"square_cosine": 4, "cubic": 4, "tenth": 3, "numbers": 0, "sine": 4, "by_blocks": 4}
LITTLE = ("--draws", "256", "--points", "8", "--steps", "1,4")
OWN = SPEC.parent / "examples" / "own"
LIMIT = 75  # s: what has begun is finished


@pytest.mark.slow
@pytest.mark.parametrize("name", SPECS)
def test_a_child_of_a_shipped_spec_is_what_it_claims(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    parent, pieces = SPECS[name]
    for spec in SPEC.glob("*.xlm"):
        (tmp_path / spec.name).write_bytes(spec.read_bytes())
    (tmp_path / f"{name}.xlm").write_text(
        f'family {name} "A child" extends {parent} {{ {pieces} }}\n'
    )
    assert execute(["build", f"{name}.xlm", "--out", "out"]) == 0
    capsys.readouterr()
    code = execute(["verify", f"out/{name}", "--json"])
    document = json.loads(capsys.readouterr().out)
    found = [v for toy in document["toys"] for v in toy["verdicts"]]
    assert [v["found"] for v in found if v["outcome"] == "refuted"] == []
    assert code == 0
    sure = [v["claim"] for v in found if v["outcome"] == "confirmed"]
    assert sum(claim in ("likelihood.bound", "likelihood.tight") for claim in sure) >= LEAST[name]
    assert sure.count("samples") >= 8
    assert document["seconds"] < LIMIT


@pytest.mark.slow
def test_insertions_on_a_clock_are_what_they_claim(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With few draws: the likelihood of every toy, and the rules of noise, loss and decoder."""
    assert execute(["build", str(OWN / "spread.xlm"), "--out", str(tmp_path)]) == 0
    capsys.readouterr()
    code = execute(["verify", str(tmp_path / "spread"), "--json", *LITTLE])
    document = json.loads(capsys.readouterr().out)
    found = [v for toy in document["toys"] for v in toy["verdicts"]]
    assert [v["found"] for v in found if v["outcome"] == "refuted"] == []
    assert code == 0
    sure = [v["claim"] for v in found if v["outcome"] == "confirmed"]
    assert {"noise.fixed", "loss.additive", "likelihood.bound", "decoder.keeps"} <= {*sure}
    assert sure.count("likelihood.valid") >= 6  # of 3 toys, with heads that are fitted or random
