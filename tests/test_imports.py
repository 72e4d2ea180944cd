"""Who may import whom, and what a command must not load."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = {"torch", "lightning", "datasets", "transformers", "numpy", "xlm_runtime"}
COMPILER = {"lark", "sympy", "black", "jinja2", "cattrs"}
LOADED = """
import sys
from xlmc.commands.cli import execute
code = execute(sys.argv[1:])
print("LOADED", code, *sorted({name.partition(".")[0] for name in sys.modules}))
"""


def environment(tmp_path: Path) -> dict[str, str]:
    path = f"{ROOT}{os.pathsep}{ROOT / 'runtime'}"
    return {**os.environ, "PYTHONPATH": path, "XDG_CACHE_HOME": str(tmp_path / "cache")}


def loaded(tmp_path: Path, *arguments: str) -> tuple[int, set[str]]:
    """The exit code of a command and the packages that it had imported in the end."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("LOADED "))
    _, code, *names = line.split()
    return int(code), set(names)


def spec(name: str) -> str:
    return str(ROOT / "spec" / f"{name}.xlm")


@pytest.mark.parametrize("arguments", [["--help"], ["build", "--help"], ["run", "--help"]])
def test_help_needs_next_to_nothing(tmp_path, arguments) -> None:
    code, names = loaded(tmp_path, *arguments)
    assert code == 0
    assert not names & (HEAVY | COMPILER | {"attrs", "json", "asyncio"})


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", spec("ilm"), spec("mdlm")],
        ["expand", spec("mdlm")],
        ["fmt", "--check", spec("ilm")],
        ["build", spec("mdlm"), "--print", "ir"],
        ["explain", "XLM003"],
    ],
    ids=" ".join,
)
def test_no_command_but_run_needs_torch_or_the_runtime(tmp_path, arguments) -> None:
    code, names = loaded(tmp_path, *arguments)
    assert code == 0
    assert not names & HEAVY


def test_the_layout_of_a_spec_needs_no_calculus(tmp_path) -> None:
    _, names = loaded(tmp_path, "fmt", "--check", spec("ilm"))
    assert not names & {"sympy", "black", "jinja2"}


def test_a_repeated_build_needs_no_compiler(tmp_path) -> None:
    code, names = loaded(tmp_path, "build", spec("mdlm"))
    assert code == 0
    assert not names & HEAVY
    code, names = loaded(tmp_path, "build", spec("mdlm"))
    assert code == 0
    assert not names & (HEAVY | COMPILER)


def test_the_layers_hold(tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        cwd=ROOT,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def imports(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, and the names that may be modules."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (getattr(node, "module", None) or "").split(".")
            yield from (part for alias in node.names for part in alias.name.split("."))


def test_no_test_file_imports_another_one() -> None:
    """Test files share modules by their subjects, which are no test files."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    tests = {path.stem for path in files}
    found = {path.name: tests & {*imports(path)} for path in files}
    assert files
    assert {name: names for name, names in found.items() if names} == {}
