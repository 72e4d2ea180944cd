"""Every mistake in ``errors/`` gets exactly its message, in the words that a user reads."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import frozen

from xlmc import messages
from xlmc.errors import (
    Diagnostic,
    Fix,
    Related,
    SpecErrors,
    in_order,
    nearest,
    render,
    suggest,
)
from xlmc.extend import flatten
from xlmc.parse import parse, read_source
from xlmc.source import Source, Span

CASES = sorted((Path(__file__).parent / "errors").glob("*.xlm"))
SHIPPED = Path(__file__).parent.parent / "spec"


def look(path: Path) -> None:
    """Raise what is wrong with a spec."""
    flatten(parse(read_source(path.name, path.read_bytes())), lambda name: find(path.parent, name))


def find(beside: Path, name: str) -> Source | None:
    for folder in (beside, SHIPPED):
        if (path := folder / f"{name}.xlm").is_file():
            return read_source(path.name, path.read_bytes())
    return None


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_mistake_has_its_message(case: Path, golden: Callable[[Path, str], None]) -> None:
    with pytest.raises(SpecErrors) as caught:
        look(case)
    golden(case.with_suffix(".err"), render(caught.value.diagnostics))


def test_corpus_has_no_message_without_a_spec() -> None:
    texts = {path.stem for path in CASES[0].parent.glob("*.err")}
    assert texts <= {path.stem for path in CASES}
