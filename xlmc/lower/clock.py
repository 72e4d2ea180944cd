"""The clock of the noise: which of its quantities the package uses, under which names."""

from collections.abc import Iterable

from xlmc import ast, ir, query
from xlmc.calculus import Calculus, Formula, derive
from xlmc.mathtext import torch_expr
from xlmc.survival import examine

SUMMARIES = {
    "survival": "The chance that a token is still clean at time t.",
    "slope": "The slope of the survival.",
    "corrupted": "The chance that a token has been corrupted by time t.",
    "hazard": "The rate at which a corrupted token comes back, running backwards from t = 1.",
    "sigma": "The total noise by time t.",
    "dsigma": "The rate of noise at time t.",
    "reveal": "The chance that a token corrupted at t is clean at s < t; 1 at s = 0.",
    "inverse": "The time at which the survival is p.",
}
LEFT = {
    "survival": r"\{name}(t)",
    "slope": r"\{name}'(t)",
    "corrupted": r"1 - \{name}(t)",
    "hazard": r"\frac{{-\{name}'(t)}}{{1 - \{name}(t)}}",
    "sigma": r"-\log \{name}(t)",
    "dsigma": r"\frac{{-\{name}'(t)}}{{\{name}(t)}}",
    "reveal": r"\frac{{\{name}(s) - \{name}(t)}}{{1 - \{name}(t)}}",
    "inverse": r"\{name}^{{-1}}(p)",
}
GREEK = frozenset({"alpha", "beta", "gamma", "kappa", "eta", "theta", "lambda", "mu", "rho"})
ORDER = tuple(SUMMARIES)
NOTHING = 1e-12  # a survival below it is 0 but for rounding


class Clock:
    """The clock of an arrow. `use` hands out the name of a function and remembers it.

    SymPy is asked only for a package that uses something.
    """

    def __init__(self, arrow: ast.Arrow) -> None:
        self.arrow = arrow
        self._calculus: Calculus | None = None
        self._used: set[str] = set()

    def use(self, quantity: str) -> str:
        """The name of a function of `schedule.py`, which the package will contain."""
        self._used.add(quantity)
        if quantity == "inverse" and self.calculus.inverse is None:
            self._used.add("survival")
        survival = self.arrow.survival
        return {"survival": survival, "slope": f"d{survival}"}.get(quantity, quantity)

    @property
    def calculus(self) -> Calculus:
        """Everything derived from the survival."""
        if self._calculus is None:
            self._calculus = derive(self.arrow)
        return self._calculus

    def code(
        self, expr: ast.Expr, names: dict[str, str], tensors: Iterable[str]
    ) -> tuple[str, set[str]]:
        """An expression as code, and the functions of the clock that it calls.

        ``names`` maps the names of the expression to code; ``tensors`` are those that are tensors.
        """
        survival = self.arrow.survival
        used: set[str] = set()
        full = dict(names)
        for call in query.calls(expr):
            if call.function == survival:
                name = self.use("slope" if call.primes else "survival")
                full[survival + "'" * call.primes] = name
                used.add(name)
            elif call.function in SUMMARIES:
                name = self.use(call.function)
                times = "s, t" if call.function == "reveal" else "t"
                full[f"{call.function}({survival})"] = f"{name}({times})"
                used.add(name)
        keys = set(full) - set(names)
        return torch_expr(expr, full, {*tensors, *keys}), used

    def view(self) -> ir.Schedule | None:
        """`schedule.py`, or None if the package uses nothing of the clock."""
        if not self._used:
            return None
        bisected = "inverse" in self._used and self.calculus.inverse is None
        functions = tuple(
            self._function(quantity)
            for quantity in ORDER
            if quantity in self._used and not (quantity == "inverse" and bisected)
        )
        survival = self.arrow.survival
        bisections = (ir.Bisection("inverse", survival, self.spec),) if bisected else ()
        return ir.Schedule(functions, bisections, any("math." in f.code for f in functions))

    @property
    def spec(self) -> str:
        """How docstrings refer to the arrow."""
        return f"noise.{self.arrow.survival}"

    def _function(self, quantity: str) -> ir.Function:
        name = self.arrow.survival
        shown = name if name in GREEK else rf"mathrm{{{name}}}"
        formula = self._formula(quantity)
        arguments = {"reveal": ("s", "t"), "inverse": ("p",)}.get(quantity, ("t",))
        return ir.Function(
            self.use(quantity),
            arguments,
            SUMMARIES[quantity],
            (f"{LEFT[quantity].format(name=shown)} = {formula.latex}",),
            formula.torch,
            self._least() if quantity == "inverse" else "",
            self.spec,
        )

    def _least(self) -> str:
        """The survival at t = 1, below which its inverse has no value."""
        end = examine(self.arrow).end or 0.0
        return repr(end) if end > NOTHING else "0"

    def _formula(self, quantity: str) -> Formula:
        field = {"survival": "alpha", "slope": "dalpha"}.get(quantity, quantity)
        formula = getattr(self.calculus, field)
        assert isinstance(formula, Formula)
        return formula
