"""What the compiler reads beside its modules is found, in a checkout and in a wheel."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ASK = (
    "from xlmc import resources as r; "
    "print(r.folder('grammar'), r.folder('spec'), r.compiler_digest())"
)


def ask(root: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=root.parent,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


@pytest.fixture
def wheel_target() -> dict[str, dict[str, str]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return project["tool"]["hatch"]["build"]["targets"]["wheel"]


@pytest.fixture
def checkout(tmp_path, wheel_target) -> Path:
    for name in wheel_target["only-include"]:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tmp_path / "checkout" / name, ignore=ignored)
    return tmp_path / "checkout"


def test_checkout_and_wheel_find_the_same(tmp_path, checkout, wheel_target) -> None:
    grammar, spec, digest = ask(checkout)
    assert (grammar, spec) == (f"{checkout}/grammar", f"{checkout}/spec")
    wheel = tmp_path / "wheel"
    for name in wheel_target["only-include"]:
        shutil.copytree(checkout / name, wheel / wheel_target["sources"].get(name, name))
    data = wheel / "xlmc" / "data"
    assert ask(wheel) == [f"{data}/grammar", f"{data}/spec", digest]


@pytest.mark.parametrize(
    "name", ["xlmc/syntax/query/family.py", "grammar/xlm.lark", "templates/library/gaps.py"]
)
def test_every_part_of_the_compiler_counts_in_its_hash(checkout, name) -> None:
    before = ask(checkout)[-1]
    with (checkout / name).open("a") as file:
        file.write("\n")
    assert ask(checkout)[-1] != before
