"""Families that mix the words of several papers: each trains, decodes, and has a likelihood."""

from pathlib import Path

import pytest
from families.life import live

from xlmc.compiler import checked
from xlmc.resolve.defaults import explicit
from xlmc.syntax import printer

HERE = Path(__file__).parent
MIXED = [*sorted((HERE / "mixed").glob("*.xlm")), HERE.parent / "examples/own/forgetful.xlm"]


@pytest.mark.many
@pytest.mark.parametrize("spec", MIXED, ids=lambda path: path.stem)
def test_a_mixture_lives(spec: Path, tmp_path: Path) -> None:
    flat, _ = checked(spec)
    live(printer.text(explicit(flat)), tmp_path)
