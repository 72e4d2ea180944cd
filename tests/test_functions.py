"""One more function of formulas is one more entry of their table, whose numbers come out right."""

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import mpmath
import pytest
import torch
from families.compiled import ROOT, imported
from families.texts import MASK, changed
from formulas import schedule

from xlmc.calculus.arithmetic import DUAL, FLOAT, TENSOR, Dual, precise
from xlmc.calculus.functions import BY_NAME, TABLE
from xlmc.calculus.schedule import derive
from xlmc.syntax.expression import TooHard

PAGE = (ROOT / "docs" / "adding-a-word.md").read_text(encoding="utf-8")
ENTRY = PAGE.split("# Adding a function of formulas")[1].split("```")[1].removeprefix("python\n")
SPEC = changed(
    MASK,
    ("alpha(t) = 1 - t", "alpha(t) = 1 - tanh(3*t)/tanh(3)"),
    ("amount count ~ uniform(1, length)", "amount t ~ uniform(0, 1)"),
    ("backbone  dit", "backbone  dit(condition = t)"),
    ("    reuse while unchanged\n", "    grid events\n"),
    ("    grid uniform(steps)\n", ""),
    ("unmask chance reveal(alpha)", "unmask one by random"),
)
SCRIPT = """
import json, sys
from pathlib import Path
from typing import Any
from xlmc.calculus.functions import BY_NAME
from xlmc.calculus.schedule import derive
from xlmc.calculus.arithmetic import TENSOR
from xlmc.calculus.evaluate import Scope, value_of
from xlmc.check.words import FUNCTIONS
from xlmc.commands.pages.vocabulary import vocabulary
from xlmc.compiler import checked, compile_spec
from xlmc.syntax import query

path = Path(sys.argv[1])
family, _ = checked(path)
found = derive(query.arrows(family)[0])
names = ("alpha", "corrupted", "hazard", "sigma", "dsigma", "inverse")
points = [0.001, 0.01, 0.1, 0.37, 0.6, 0.9, 0.999]
values = {
    name: [value_of(getattr(found, name).tree, Scope({"t": x, "p": x}), TENSOR) for x in points]
    for name in names
}
package = compile_spec(path).package
texts = {name: data.decode() for name, data in package.files.items() if name.endswith(".py")}
print(json.dumps({
    "points": points,
    "values": values,
    "latex": found.alpha.latex,
    "language": list(FUNCTIONS),
    "page": next(one.values for one in vocabulary().words if "tanh" in one.names),
    "files": texts,
}))
"""


@pytest.mark.parametrize("name", BY_NAME)
def test_what_an_entry_says_agrees_with_its_function(name: str) -> None:
    entry = BY_NAME[name]
    for x in (0.001, 0.3, 0.8):
        exact = getattr(mpmath, name)(x)
        assert FLOAT.functions[name](x) == pytest.approx(float(exact), rel=1e-14)
        assert precise().functions[name](mpmath.mpf(x)) == exact
        if entry.slope is not None:
            slope = mpmath.diff(getattr(mpmath, name), x)
            assert DUAL.functions[name](Dual(x, 1.0)).slope == pytest.approx(float(slope))
        assert not entry.odd or entry.value(-x) == -entry.value(x)
    if entry.pole is not None:
        assert TENSOR.functions[name](entry.pole) == -float("inf")


def test_the_forms_of_an_entry_are_true() -> None:
    from xlmc.calculus.to_sympy import ALGEBRA

    for entry in TABLE:
        f = entry.value
        x, y = 0.3, 0.8
        if entry.fall is not None and (form := entry.fall(ALGEBRA, *map(_exact, (x, y, y - x)))):
            assert _number(form) == pytest.approx(f(y) - f(x)), entry.name
        if entry.fall_square is not None:
            form = entry.fall_square(ALGEBRA, _exact(x), _exact(y))
            assert _number(form) == pytest.approx(f(y) ** 2 - f(x) ** 2), entry.name
        if entry.rate is not None:
            slope = float(mpmath.diff(getattr(mpmath, entry.name), x))
            rate = _number(entry.rate(ALGEBRA, _exact(x)))
            assert rate == pytest.approx(slope / f(x)), entry.name
        if entry.grounded is not None:
            grounded = _number(entry.grounded(ALGEBRA, _exact(x)))
            assert grounded == pytest.approx(f(mpmath.pi / 2 - x)), entry.name
        if entry.undone is not None:
            assert _number(entry.undone(ALGEBRA, _exact(f(x)))[0]) == pytest.approx(x), entry.name


def test_functions_that_only_algebra_knows_are_refused_not_lost() -> None:
    """SymPy writes the quotient of cosine and sine as a cotangent, which formulas do not have."""
    with pytest.raises(TooHard, match="too long to take apart"):
        _ = derive(schedule("tan(pi / 4 * (1 - t))")).hazard


def _exact(x: float) -> Any:
    import sympy

    return sympy.Float(x, 30)


def _number(form: object) -> float:
    from xlmc.calculus.stable_forms import unfold

    return float(unfold(form))


@pytest.mark.slow
def test_tanh_is_one_entry(tmp_path: Path) -> None:
    for part in ("xlmc", "grammar", "templates", "spec"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    table = tmp_path / "xlmc" / "calculus" / "functions.py"
    text = table.read_text("utf-8")
    assert text.count("TABLE = (\n") == 1
    table.write_text(text.replace("TABLE = (\n", f"TABLE = (\n{ENTRY}"), encoding="utf-8")
    spec = tmp_path / "covered.xlm"
    spec.write_text(SPEC, encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), str(ROOT / "runtime")])
    made = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(spec)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    found = json.loads(made.stdout)
    assert "tanh" in found["language"]
    assert found["page"]["tanh(x)"] == "the hyperbolic tangent of a number"
    assert found["latex"] == r"1 - \frac{\tanh\left(3 \, t\right)}{\tanh\left(3\right)}"
    assert "torch.tanh(" in found["files"]["schedule.py"]
    mpmath.mp.dps = 60

    def alpha(t: Any) -> Any:
        return 1 - mpmath.tanh(3 * t) / mpmath.tanh(3)

    exact = {
        "alpha": alpha,
        "corrupted": lambda t: 1 - alpha(t),
        "hazard": lambda t: -mpmath.diff(alpha, t) / (1 - alpha(t)),
        "sigma": lambda t: -mpmath.log(alpha(t)),
        "dsigma": lambda t: -mpmath.diff(alpha, t) / alpha(t),
        "inverse": lambda p: mpmath.atanh((1 - p) * mpmath.tanh(3)) / 3,
    }
    for name, values in found["values"].items():
        wanted = [float(exact[name](mpmath.mpf(x))) for x in found["points"]]
        for x, value, true in zip(found["points"], values, wanted, strict=True):
            assert value == pytest.approx(true, rel=1e-12 if x <= 0.9 else 1e-9), (name, x)
    with imported(found["files"], tmp_path, "tanhs") as package:
        t = torch.tensor(found["points"], dtype=torch.float64)
        for name in ("corrupted", "hazard", "inverse"):
            made = getattr(importlib.import_module("tanhs.schedule"), name)(t)
            assert made.tolist() == pytest.approx(found["values"][name], rel=1e-12), name
        assert package.FAMILY.claim.value == "tight"
