"""The page and the notebook on the use from Python: all names are there, and the cells run."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import attrs
import nbformat
import pytest
from nbclient import NotebookClient
from pages import ROOT

import xlm_runtime
from xlm_runtime.model.scores import LogLikelihood
from xlm_runtime.use.loaded import Loaded
from xlm_runtime.use.texts import Perplexity

NOTEBOOK = ROOT / "docs" / "notebook.ipynb"


def public(kind: type) -> set[str]:
    """Return the names of a class that are no one's secret."""
    fields = {field.name for field in attrs.fields(kind)}
    return fields | {name for name in vars(kind) if not name.startswith("_")}


@pytest.mark.parametrize("kind", [Loaded, LogLikelihood, Perplexity])
def test_the_page_names_all_that_is_public(kind: type) -> None:
    page = (ROOT / "docs" / "python.md").read_text("utf-8")
    assert [name for name in public(kind) if f"`{name}" not in page] == []
    assert [name for name in xlm_runtime.__all__ if f"`{name}(" not in page] == []


@pytest.mark.slow
def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each cell runs, and shows what the stored one shows, numbers apart."""
    shutil.copytree(ROOT / "spec", tmp_path / "spec")
    path = f"{ROOT}:{ROOT / 'runtime'}:{os.environ.get('PYTHONPATH', '')}"
    monkeypatch.setenv("PYTHONPATH", path)
    notebook = nbformat.read(NOTEBOOK, 4)
    stored = [_shapes(cell) for cell in notebook.cells]
    where = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=where).execute()
    assert [_shapes(cell) for cell in notebook.cells] == stored
    assert "did you mean 'decoder.temperature'" in json.dumps(notebook.cells[-1].outputs)


def _shapes(cell: Any) -> list[str]:
    return [output.output_type for output in cell.get("outputs", [])]
