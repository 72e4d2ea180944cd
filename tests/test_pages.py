"""The generated pages of the documentation are current and complete."""

from pathlib import Path

import pytest
from attrs import fields

from xlm_runtime.config import config
from xlm_runtime.config.described import described, meanings
from xlmc.commands.cli import execute

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
SPECS = [str(path) for path in sorted((ROOT / "spec").glob("*.xlm"))]


def test_the_page_of_settings_is_current() -> None:
    assert (
        execute(["doc", "--page", "settings", "--into", str(DOCS / "settings.md"), "--check"]) == 0
    )


def test_a_page_that_differs_is_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = (DOCS / "settings.md").read_text(encoding="utf-8")
    page = tmp_path / "settings.md"
    page.write_text(old.replace("| `64` |", "| `65` |"), encoding="utf-8")
    assert execute(["doc", "--page", "settings", "--into", str(page), "--check"]) == 3
    assert "mend it by: xlmc doc --page settings --into" in capsys.readouterr().err


def test_every_setting_is_described() -> None:
    paths = [one.path for one in described()]
    assert len(paths) == len(set(paths)) == sum(len(fields(c)) for c in config.SECTIONS.values())
    assert all(len(one.meaning) > 10 for one in described())
    for cls in config.SECTIONS.values():
        assert set(meanings(cls)) == {field.name for field in fields(cls)}


def test_a_setting_without_a_description_is_noticed() -> None:
    with pytest.raises(KeyError):
        meanings(type("Bare", (), {"__doc__": "Numbers.\n\na: the first."}))["b"]


@pytest.mark.parametrize(
    "arguments", [["--page", "settings", SPECS[0]], ["--page", "families"], []]
)
def test_specs_are_for_pages_about_specs(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["doc", *arguments]) == 2
    assert "SPEC" in capsys.readouterr().err


def test_a_family_of_ones_own_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = tmp_path / "mine.xlm"
    spec.write_text(
        'family mine "Mine" extends mdlm { noise { amount t ~ fixed(0.5) }; '
        "loss { token : cross_entropy(x0) on mask } }\n",
        encoding="utf-8",
    )
    assert execute(["doc", "--page", "families", str(spec)]) == 0
    page = capsys.readouterr().out
    assert "## mine\n\nMine." in page
    assert "Training draws `amount t ~ fixed(0.5)`" in page
    assert "bos a b c d eos\n```" in page
    for part in ("**Noise.**", "**Loss.**", "**A sample**", "**Length.**", "**Likelihood.**"):
        assert part in page
