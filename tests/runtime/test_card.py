"""A card and the lines that are printed: texts of a spec stay texts in them."""

from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from xlm_runtime.config.settings import Setting, build
from xlm_runtime.packages import package
from xlm_runtime.plug import Param
from xlm_runtime.run.folder.runs import Run
from xlm_runtime.run.reports.card import card
from xlm_runtime.system.atomic import write_json
from xlm_runtime.system.progress import visible

FAMILY = Path(__file__).parent / "toy_family"
SPEC = "# ```\n# # A heading\n# ````\n# <script>alert(1)</script>\nfamily toy {\n}\n"
TITLE = "Toy](http://x) <b>bold</b> `code` *it* # ![x](y)"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    found = package.load(FAMILY)
    made = Run(tmp_path)
    (tmp_path / "checkpoints").mkdir()
    found.contents.write(made.package)
    (made.package / "toy.xlm").write_text(SPEC)
    write_json(tmp_path / "config.json", build(found.family, [], []).to_json())
    facts = {"family": "toy", "task": "toy", "preset": "quick", "data": None}
    write_json(tmp_path / "run.json", facts | {"package": found.digest})
    write_json(tmp_path / "data.json", {"layout": "text", "body": 4, "prompt": 0})
    claim = {"value": "tight", "why": "``` \n# why"}
    write_json(tmp_path / "metrics.json", {"checkpoint": "step-1", "examples": 3, "claim": claim})
    return made


def test_texts_of_a_spec_are_texts_on_a_card(run: Run) -> None:
    family = replace(package.load(FAMILY).family, title=TITLE)
    text = card("a/b", family, run, ["A note."]).split("---\n", 2)[2]
    tokens = MarkdownIt("commonmark").parse(text)
    heads = [t for t in tokens if t.type == "heading_open"]
    fences = [t.content for t in tokens if t.type == "fence"]
    assert len(heads) == 2
    assert any(SPEC.strip() in content for content in fences)
    inner = [t.type for token in tokens for t in token.children or ()]
    assert not {"html_inline", "link_open", "image", "em_open"} & {*inner}
    assert not [t for t in tokens if t.type == "html_block"]
    first = next(t for t in tokens if t.type == "inline")
    assert "".join(t.content for t in first.children or ()).startswith(TITLE)


def test_a_card_names_the_process_that_a_model_was_trained_under(run: Run) -> None:
    known = package.load(FAMILY).family
    family = replace(known, params={**known.params, "noise": (Param("power", "Scale", 2.0),)})
    for power, words in ((3.0, "another process than that of `power = 2`"), (2.0, "")):
        config = build(family, [], [Setting("noise.power", power, "a test")]).to_json()
        write_json(run.path / "config.json", config)
        text = card("a/b", family, run, [])
        assert f"under a noise of `power = {power:g}`" in text
        assert ("another process" in text) == bool(words)
        assert words in text


def test_what_is_printed_moves_no_cursor() -> None:
    assert visible("a\tb\nc é 漢") == "a\tb\nc é 漢"
    assert visible("\x1b[2J\r\x00\x9b\u202e") == "\\x1b[2J\\r\\x00\\x9b\\u202e"
