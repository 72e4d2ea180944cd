"""The pages of the documentation: their links, and the examples that they show."""

import re
import shutil
from pathlib import Path

import pytest
from pages import ROOT, blocks, run

from xlmc.compiler import compile_spec

PAGES = sorted((ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_ten_lines_become_the_loss_that_is_shown(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "packages.md").read_text(encoding="utf-8")
    spec, loss = re.findall(r"^```(?:python)?\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[:2]
    assert len(spec.splitlines()) == 10
    path = tmp_path / "mine.xlm"
    path.write_text(spec, encoding="utf-8")
    made = compile_spec(path).package.files["loss.py"].decode()
    total, term = loss.split("    # token_term\n")
    assert total.rstrip() in made
    assert term in made


def test_readme_shows_the_same_pair() -> None:
    readme, page = (ROOT / name for name in ("README.md", "docs/packages.md"))
    text = page.read_text(encoding="utf-8")
    pair = re.findall(r"^```(?:python)?\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[:2]
    assert all(block in readme.read_text(encoding="utf-8") for block in pair)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["families", "generate", "lm-eval", "packages", "seeds", "settings"]
)
def test_the_commands_of_a_page_run(name: str, tmp_path: Path) -> None:
    for folder in ("docs", "examples", "spec"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    commands = blocks(ROOT / "docs" / f"{name}.md")
    assert commands
    for block in commands:
        run(block, tmp_path)
