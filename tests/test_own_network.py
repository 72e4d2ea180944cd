"""A network of the author's own: it is copied into the package, and its interface is checked."""

from pathlib import Path

import pytest

from xlmc.compiler import compile_spec
from xlmc.diagnostics.diagnostic import SpecErrors

ROOT = Path(__file__).parent.parent
SPEC = 'family mine extends {parent} {{ network {{ backbone python "{name}" }} }}\n'
GOOD = '''"""Mine."""
from torch import nn


class Net(nn.Module):
    def __init__(self, vocab, size, more=1):
        super().__init__()

    def forward(self, xt, attend):
        return xt
'''


def build(folder: Path, code: str, name: str = "net:Net", parent: str = "mlm") -> dict[str, bytes]:
    """The files of a family on a network in a file beside its spec."""
    file = folder.joinpath(*name.partition(":")[0].split(".")).with_suffix(".py")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(code)
    spec = folder / "mine.xlm"
    spec.write_text(SPEC.format(parent=parent, name=name))
    return dict(compile_spec(spec).package.files)


@pytest.mark.parametrize("name", ["net:Net", "nets.first:Net"])
def test_a_package_keeps_a_copy(name: str, tmp_path: Path) -> None:
    files = build(tmp_path, GOOD, name)
    copy = files["own_network.py"].decode()
    assert copy.startswith(f"# Copied by xlmc from {name.partition(':')[0].split('.')[-1]}.py.")
    assert "def forward(self, xt, attend):" in copy
    assert b"from .own_network import Net as Backbone" in files["network.py"]
    assert b"own_network.py" in files["__init__.py"]
    assert build(tmp_path, GOOD + "\n# changed\n", name) != files


def test_a_file_in_the_working_directory_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "net.py").write_text(GOOD)
    spec = tmp_path / "specs/mine.xlm"
    spec.write_text(SPEC.format(parent="mlm", name="net:Net"))
    assert "own_network.py" not in compile_spec(spec).package.files  # installed somewhere
    monkeypatch.chdir(tmp_path)
    made = compile_spec(spec)
    assert "own_network.py" in made.package.files
    assert Path("net.py") in made.read


@pytest.mark.parametrize(
    ("code", "parent", "told"),
    [
        ("x = (", "mlm", "is no Python"),
        (GOOD.replace("Net", "Other"), "mlm", "defines no class `Net`"),
        (GOOD.replace("attend)", "attend, t)"), "mlm", "other arguments than `(xt, attend)`"),
        (GOOD.replace("attend)", "*, attend)"), "mlm", "other arguments than `(xt, attend)`"),
        (GOOD.replace("vocab, size,", "vocab, size, heads,"), "mlm", "than `(vocab, size)`"),
        ("import other\n" + GOOD, "mlm", "imports `other` beside it"),
        ("from .x import y\n" + GOOD, "mlm", "imports `.x` beside it"),
    ],
)
def test_what_cannot_be_a_network(code: str, parent: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text("")
    with pytest.raises(SpecErrors) as caught:
        build(tmp_path, code, parent=parent)
    (found,) = caught.value.diagnostics
    assert told in found.label.format(why=found.why)  # type: ignore[attr-defined]


def test_the_example_is_built() -> None:
    files = compile_spec(ROOT / "examples/own/averaged.xlm").package.files
    assert b"class Averages(nn.Module)" in files["own_network.py"]
