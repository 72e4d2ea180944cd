"""English that is always there: the documentation that ships with Python, sentence by sentence."""

import ast
import platform
import re
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from xlm_runtime.system.cache import cached
from xlm_runtime.system.errors import RunError
from xlm_runtime.system.progress import Watch

_VERSION = 1
_APART = {  # folders of the standard library without prose of its own
    "site-packages", "dist-packages", "__pycache__", "test", "tests", "encodings", "idlelib",
    "lib2to3", "pydoc_data", "turtledemo",
}  # fmt: skip
_CODE = re.compile(r"^\s*(>>>|\.\.\.|\.\. |:\w+)", re.MULTILINE)
_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"'(])")
_LEAST = 1000


def english(cache: Path) -> Path:
    """Return a file with one sentence per line, each once; it is built on the first call.

    It depends on the version of Python. Raises RunError if the installation has no documentation.
    """
    key = {"english": _VERSION, "python": [sys.version, *platform.python_build()]}
    return cached(cache, "english", key, _gather).folder / "english.txt"


def _gather(folder: Path) -> dict[str, int]:
    found = dict.fromkeys(s for text in _documents() for s in sentences(text))
    if len(found) < _LEAST:
        raise RunError(
            "this installation of Python comes without the documentation that --preset quick "
            "trains on; give a text of your own with --data FILE"
        )
    (folder / "english.txt").write_text("".join(f"{s}\n" for s in found), encoding="utf-8")
    return {"sentences": len(found)}


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences in the prose of a document, without code, tables and field lists."""
    for paragraph in re.split(r"\n\s*\n", text):
        if not _CODE.search(paragraph):
            yield from filter(_is_prose, _END.split(" ".join(paragraph.split())))


def _is_prose(sentence: str) -> bool:
    if not sentence or not sentence[0].isupper() or sentence[-1] not in ".!?":
        return False
    letters = sum(c.isalpha() or c == " " for c in sentence)
    return 4 <= len(sentence.split()) <= 60 and letters / len(sentence) > 0.85


def _documents() -> Iterator[str]:
    from pydoc_data.topics import topics

    yield from topics.values()
    library = Path(sysconfig.get_path("stdlib"))
    every = sorted(library.rglob("*.py"))
    files = [path for path in every if not _APART & set(path.relative_to(library).parts)]
    with Watch("reading Python's documentation", len(files)) as watch:
        for done, path in enumerate(files, 1):
            yield from _docstrings(ast.parse(path.read_bytes()))
            watch.at(done)


def _docstrings(node: ast.AST) -> Iterator[str]:
    """Yield docstrings of a module and of its classes and functions outside statements."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        doc = ast.get_docstring(node)
        if doc:
            yield doc
        for child in node.body:
            yield from _docstrings(child)
