"""Copied modules hold what a package uses, and imports that nothing uses are gone."""

import ast

import pytest
from families.compiled import ROOT

from xlmc.emit.package import python
from xlmc.emit.shake import prune, shake

MODULE = '''"""About this module."""

import math
from functools import cache, wraps

import torch
from torch import nn

WIDTH = 4
HALF = WIDTH / 2


@cache
def outer(x: int) -> float:
    """Calls another one."""
    return inner(x) * HALF  # half


def inner(x: int) -> float:
    return math.sqrt(x)


def loop(x: int) -> int:
    return loop(x - 1) if x else 0


class Net(nn.Module):
    """Uses a name in an annotation."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x
'''
LIBRARY = sorted((ROOT / "templates" / "library").glob("*.py"))


def names(source: str) -> list[str]:
    """What a module defines."""
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.append(node.name)
        elif isinstance(node, ast.Assign):
            found += [target.id for target in node.targets if isinstance(target, ast.Name)]
    return found


def imports(source: str) -> set[str]:
    """What a module imports."""
    nodes = [n for n in ast.parse(source).body if isinstance(n, ast.Import | ast.ImportFrom)]
    return {alias.asname or alias.name for node in nodes for alias in node.names}


def test_what_is_wanted_comes_with_what_it_needs() -> None:
    cut = shake(MODULE, ["outer"])
    assert names(cut) == ["WIDTH", "HALF", "outer", "inner"]
    assert imports(cut) == {"math", "cache"}
    assert "@cache\ndef outer" in cut
    assert "HALF  # half" in cut
    assert cut.startswith('"""About this module."""\n')


def test_a_class_keeps_its_bases_and_annotations() -> None:
    cut = shake(MODULE, ["Net"])
    assert names(cut) == ["Net"]
    assert imports(cut) == {"torch", "nn"}


def test_recursion_ends() -> None:
    assert names(shake(MODULE, ["loop"])) == ["loop"]


def test_order_is_that_of_the_module() -> None:
    assert shake(MODULE, ["loop", "inner"]) == shake(MODULE, ["inner", "loop"])
    assert names(shake(MODULE, ["loop", "inner"])) == ["inner", "loop"]


def test_a_name_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError, match="nobody"):
        shake(MODULE, ["nobody"])


def test_what_is_left_is_laid_out_as_black_lays_it_out() -> None:
    """Else black reads each copy twice, which takes a fifth of a build."""
    cut = shake((ROOT / "templates/library/sampling.py").read_text("utf-8"), ["drawn", "gumbel"])
    assert python(cut) == cut


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.stem)
def test_every_name_of_the_library_can_be_had_alone(path) -> None:
    source = path.read_text("utf-8")
    for name in names(source):
        cut = shake(source, [name])
        assert name in names(cut)
        for other in names(cut):
            mentioned = cut.replace(f"def {other}", "").replace(f"class {other}", "")
            assert other == name or other in mentioned, f"{name} does not need {other}"
        assert ast.dump(ast.parse(shake(cut, [name]))) == ast.dump(ast.parse(cut))
    assert set(names(shake(source, names(source)))) == set(names(source))


def test_prune_takes_out_imports_alone() -> None:
    source = "import math\nimport torch\n\nfrom a import b, c\n\nx = torch.ones(b)  # math\n"
    assert imports(prune(source)) == {"torch", "b"}
    assert prune(source).endswith("x = torch.ones(b)  # math\n")
    assert prune(prune(source)) == prune(source)


def test_prune_keeps_what_all_lists() -> None:
    source = 'from .family import FAMILY\n\n__all__ = ["FAMILY"]\n'
    assert prune(source) == source


def test_constants_stay_beside_each_other() -> None:
    source = '"""Doc."""\n\nimport math\n\nA = 1\nB = 2\nC = math.pi\n\nD = A + B + C\n'
    assert shake(source, ["D"]) == source
    assert shake(source, ["A", "C"]) == '"""Doc."""\n\nimport math\n\nA = 1\nC = math.pi\n'
