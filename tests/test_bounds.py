"""Specs at their ends: numbers, names of files, odd characters, and decoders that leave masks."""

import json
from pathlib import Path

import pytest
from fresh import untrained

from xlmc.commands import cli
from xlmc.compiler import checked, compile_spec, lowered
from xlmc.diagnostics.diagnostic import SpecErrors
from xlmc.diagnostics.source import Source
from xlmc.emit.render import render
from xlmc.output.write import write

ROOT = Path(__file__).parents[1]
MDLM = (ROOT / "spec/mdlm.xlm").read_text(encoding="utf-8")


def spec(folder: Path, text: str, name: str = "mdlm.xlm") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def made(path: Path) -> dict[str, str]:
    """The files of a package, not laid out."""
    return render(lowered(path)[0])


def codes(path: Path) -> list[str]:
    with pytest.raises(SpecErrors) as caught:
        checked(path)
    return [one.code for one in caught.value.diagnostics]


@pytest.mark.parametrize("zero", ["-0", "-0.0", "0"])
def test_a_setting_may_be_minus_zero(zero: str, tmp_path: Path) -> None:
    path = spec(tmp_path, MDLM.replace("warmup 2500", f"warmup {zero}"))
    assert "'warmup': 0" in made(path)["family.py"]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("steps : Count = 128", "steps : Count = 10_000_000", "XLM051"),
        ("with temperature,", "with temperature = 1e-39,", "XLM006"),
        ("with temperature,", "with temperature = 1e-20,", "XLM051"),
        ("with temperature,", "with temperature = 1e20,", "XLM051"),
        ("param steps", "param cold : Scale = 1e39\n    param steps", "XLM006"),
        ("param steps", "param cold : Scale = 1e-20\n    param steps", "XLM051"),
        ("param steps", "param rare : Chance = 1e-20\n    param steps", "XLM051"),
        ("grid uniform(steps)", "grid uniform(1e12)", "XLM051"),
        ("weight bound", "weight 1e300", "XLM006"),
        ("batch 512", "batch 1e12", "XLM172"),
        ("steps 1_000_000;", f"steps {'9' * 30};", "XLM172"),
        ("learning_rate 3e-4", "learning_rate 1e-20", "XLM172"),
        ("dropout 0.1", "dropout 1", "XLM172"),
    ],
)
def test_a_number_out_of_bounds_is_refused(old: str, new: str, code: str, tmp_path: Path) -> None:
    assert old in MDLM
    assert code in codes(spec(tmp_path, MDLM.replace(old, new, 1)))


@pytest.mark.parametrize("character", ["\f", "\v", "\x1c", "\x1d", "\x1e", "\x85", "\u2029"])
@pytest.mark.parametrize("place", ["# Tokens", "# no time as input"])
def test_a_comment_has_no_hidden_ends_of_lines(character: str, place: str, tmp_path: Path) -> None:
    path = spec(tmp_path, MDLM.replace(place, f"{place}{character}", 1))
    assert codes(path) == ["XLM002"]
    for command in ("expand", "fmt", "build"):
        more = ["--out", str(tmp_path / "out")] if command == "build" else []
        assert cli.execute([command, str(path), *more]) == 1


def test_a_file_whose_name_is_not_utf8_is_built(tmp_path: Path) -> None:
    path = tmp_path / "a\udcff.xlm"
    path.write_text(MDLM, encoding="utf-8")
    for command in (["check"], ["expand"], ["build", "--out", str(tmp_path / "out")]):
        assert cli.execute([*command, str(path)]) == 0
    made = tmp_path / "out/mdlm"
    assert "from a?.xlm" in (made / "noise.py").read_text(encoding="utf-8")
    json.loads((made / "MANIFEST.json").read_text(encoding="utf-8"))
    assert Source("dir/a\udcff.xlm", "").name == "a?.xlm"


@pytest.mark.parametrize(
    ("rule", "finishes"),
    [
        ("quota reveal(alpha) by random", True),  # at most 1
        ("quota min(masked, 10) by random", True),
        ("quota masked * reveal(alpha) by random", False),
        ("quota (masked + steps_left - 1) / steps_left by random", False),
        ("chance min(8 * t, 1)", True),  # less than 1 where steps are short
        ("chance reveal(alpha)", False),
        ("chance 1 - s / t", False),
    ],
)
def test_a_decoder_whose_last_step_may_leave_masks_finishes(
    rule: str, finishes: bool, tmp_path: Path
) -> None:
    old = "unmask chance reveal(alpha); draw token with temperature, top_k, top_p"
    path = spec(tmp_path, MDLM.replace(old, f"unmask {rule}; draw token"))
    code = (
        compile_spec(path).package.files["decoder.py"].decode().partition("class FirstHitting")[0]
    )
    assert ("def finish" in code) == finishes


def test_llada_with_a_quota_that_is_a_chance_leaves_no_mask(tmp_path: Path) -> None:
    text = (ROOT / "spec/llada.xlm").read_text(encoding="utf-8")
    quota = "quota (masked + steps_left - 1) / steps_left by"
    assert quota in text
    path = spec(tmp_path, text.replace(quota, "quota reveal(alpha) by"), "llada.xlm")
    write(compile_spec(path).package, tmp_path / "out", force=False)
    model = untrained("llada", folder=tmp_path / "out")
    texts = model.generate([""] * 3, steps=4)
    assert [len(one.split()) for one in texts] == [8, 8, 8]


@pytest.mark.parametrize(
    "options",
    [
        ["--steps", "99999999999999999999"],
        ["--steps", ",".join(map(str, range(1, 100)))],
        ["--steps", "9" * 5000],
        ["--seed", "18446744073709551616"],
        ["--draws", "100000000"],
        ["--points", "100000"],
    ],
)
def test_options_of_verify_have_bounds(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.execute(["verify", "nothing", *options]) == 2
    assert len(capsys.readouterr().err) < 6000
