"""The candidates for each quantity of a schedule, and the choice among them.

Importing this module imports SymPy.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import chain
from typing import Any

import mpmath
import sympy
from attrs import evolve
from sympy import Expr, Symbol

from xlmc.calculus import stable_forms
from xlmc.calculus.accuracy import Point, Truth, choose, is_precise, operations, points, truths
from xlmc.calculus.arithmetic import TENSOR
from xlmc.calculus.evaluate import Scope, value_of
from xlmc.calculus.formula import Formula, formula
from xlmc.calculus.from_sympy import to_tree
from xlmc.calculus.inverse import inverses
from xlmc.calculus.simplify import joined, variants
from xlmc.calculus.survival import ALONE, Worlds
from xlmc.calculus.to_sympy import expm1, log1p, to_sympy
from xlmc.syntax import ast
from xlmc.syntax.expression import TooHard, rewrite

_MAX_OPERATIONS = 150
_FLOOR = 1e-40  # of alpha: below it sigma is infinite as far as float64 can tell


class Derivation:
    """Derives quantity after quantity from an expression in ``t`` that is finite on [0, 1].

    ``worlds`` are values of the params in it, of which algebra knows but the sign. ``share`` is
    the part of the corrupted tokens that are random ones, finite between 0 and 1.
    """

    def __init__(
        self, expr: ast.Expr, worlds: Worlds = ALONE, share: ast.Expr | None = None
    ) -> None:
        self.expr, self.worlds, self.share = expr, worlds, share
        # Without assumptions: to know that a sum is positive SymPy would look for all its roots.
        self.t, self.s, self.p = (Symbol(name) for name in "tsp")
        self.params = {name: _symbol(name, i, worlds) for i, name in enumerate(worlds[0])}
        self.names = {symbol.name: name for name, symbol in self.params.items()}
        self.alpha = to_sympy(expr, {"t": self.t, **self.params})
        facts = [truths(expr, "t", world=world) for world in worlds]
        if any(len(some) < 8 for some in facts):
            raise TooHard(expr, "has no derivative at most points")
        if any(all(x.dalpha == 0 for x in some) for some in facts):
            raise TooHard(expr, "does not change with t")
        self.truths = [one for some in facts for one in some]
        self.slope = stable_forms.derivative(self.alpha, self.t)
        self.alphas = [self.alpha, *stable_forms.end_forms(self.alpha, self.t)]
        forms = stable_forms.corrupted_forms(self.alpha, self.t)
        tree, self.complement = self._choose(forms, lambda x: 1 - x.alpha)
        self.corrupted = self._formula(tree)
        self.complements = list(dict.fromkeys([self.complement, forms[0]]))

    def dalpha(self) -> Formula:
        """Return the derivative alpha'."""
        forms = [self.slope, -stable_forms.derivative(self.complement, self.t)]
        return self._best(forms, lambda x: x.dalpha)

    def hazard(self) -> Formula:
        """Return -alpha' / (1 - alpha)."""
        forms = [stable_forms.log_derivative(form, self.t) for form in self.complements]
        forms += [-self.slope / form for form in self.complements]
        return self._best(forms, lambda x: -x.dalpha / (1 - x.alpha))

    def sigma(self) -> Formula:
        """Return -log alpha."""
        forms = [stable_forms.minus_log(form, self.t) for form in self.alphas]
        forms += [_minus_log1p(-form) for form in self.complements]
        forms += [-sympy.log(form) for form in self.alphas]
        return self._best(forms, lambda x: -mpmath.log(x.alpha) if x.alpha > _FLOOR else None)

    def dsigma(self) -> Formula:
        """Return -alpha' / alpha."""
        forms = [-stable_forms.log_derivative(form, self.t) for form in self.alphas]
        forms += [-self.slope / form for form in self.alphas]
        return self._best(forms, lambda x: -x.dalpha / x.alpha if x.alpha > _FLOOR else None)

    def reveal(self) -> Formula:
        """Return (alpha(s) - alpha(t)) / (1 - alpha(t)), exact at s = 0 and s = t."""
        forms = [stable_forms.fall(self.alpha, self.s, self.t) / self.complement]
        forms += [1 - form.subs(self.t, self.s) / form for form in self.complements]
        trees = list(self._trees(forms))
        exact = [tree for tree in trees if self.keeps_ends(tree)]
        return self._formula(choose(exact or self._some(trees), self._pairs()))

    def randomized(self) -> Formula:
        """Return (1 - alpha) times the share."""
        return self._formula(self._random[0])

    def drandomized(self) -> Formula:
        """Return the derivative of that."""
        forms = [stable_forms.derivative(self._random[1], self.t)]
        return self._formula(self._choose(forms, lambda x: x.dalpha, self._mixed)[0])

    @cached_property
    def _random(self) -> tuple[ast.Expr, Expr]:
        assert self.share is not None
        share = to_sympy(self.share, {"t": self.t, **self.params})
        forms = [form * share for form in self.complements]
        return self._choose(forms, lambda x: x.alpha, self._mixed)

    @cached_property
    def _mixed(self) -> list[Truth]:
        """The chance of a random token and its slope, in the place of alpha and its own."""
        assert self.share is not None
        one = ast.Number(Fraction(1), "1", span=self.expr.span)
        lost = ast.Binary("-", one, self.expr, span=self.expr.span)
        expr = ast.Binary("*", lost, self.share, span=self.expr.span)
        return [one for world in self.worlds for one in truths(expr, "t", world=world)]

    def inverse(self) -> Formula | None:
        """Return the t with alpha(t) = p, if a branch of the inverse has it; else None."""
        forms = inverses(self.alpha, self.t, self.p)
        fit = [tree for tree in self._trees(forms) if self._undoes(tree)]
        return self._formula(min(fit, key=operations)) if fit else None

    def _best(self, forms: Iterable[Expr], quantity: Callable[[Truth], Any]) -> Formula:
        return self._formula(self._choose(forms, quantity)[0])

    def _formula(self, tree: ast.Expr) -> Formula:
        return formula(tree, self.params)

    def _choose(
        self,
        forms: Iterable[Expr],
        quantity: Callable[[Truth], Any],
        facts: Sequence[Truth] | None = None,
    ) -> tuple[ast.Expr, Expr]:
        """Choose the best of the forms and their variants, as a tree and for SymPy."""
        forms, where = list(forms), points(self.truths if facts is None else facts, quantity)
        trees = self._trees(forms)
        best = choose(self._some(trees), where)
        if not is_precise(best, where):
            trees |= self._trees(g for form in forms for g in stable_forms.grounded(form, self.t))
            best = choose(trees, where)
        return best, trees[best]

    def _some(self, trees: Collection[ast.Expr]) -> Collection[ast.Expr]:
        if not trees:
            raise TooHard(self.expr, "is too long to take apart")
        return trees

    def _trees(self, found: Iterable[Expr]) -> dict[ast.Expr, Expr]:
        """Convert the forms and their variants to trees, without those too long to print."""
        forms = list(found)
        trees: dict[ast.Expr, Expr] = {}
        forms = [*forms, *map(joined, forms)] if self.params else forms
        for form in dict.fromkeys(chain.from_iterable(map(variants, forms))):
            if form.count_ops() > _MAX_OPERATIONS:
                continue
            tree = to_tree(form, self.expr.span)
            if tree is not None:
                trees.setdefault(rewrite(tree, self._named), form)
        return trees

    def _named(self, node: ast.Expr) -> ast.Expr:
        """Return a name with that of the author in the place of algebra's."""
        if isinstance(node, ast.Name) and node.id in self.names:
            return evolve(node, id=self.names[node.id])
        return node

    def _pairs(self) -> list[Point]:
        """Return pairs s < t. The quantity is a chance, so that its absolute error counts."""
        result = []
        for i, later in enumerate(self.truths):
            before = self.truths[max(0, i - 2) : i]
            for sooner in (one for one in before if one.world is later.world):

                def chance(x: Truth, start: Any = sooner.alpha) -> Any:
                    return (start - x.alpha) / (1 - x.alpha)

                for point in points([later], chance):
                    names = {**later.world, "s": sooner.t, "t": later.t}
                    result.append(Point(names, point.exact, absolute=True))
        return result

    def keeps_ends(self, tree: ast.Expr) -> bool:
        """Return whether reveal(t, t) is exactly 0, and reveal(0, t) exactly 1 if alpha(0) is 1."""
        return all(self._keeps_ends(tree, world) for world in self.worlds)

    def _keeps_ends(self, tree: ast.Expr, world: Mapping[str, float]) -> bool:
        at_zero = [0.0] if abs(_value(self.expr, t=0.0, **world) - 1.0) < 1e-15 else []
        for t in (1e-6, 1e-3, 0.1, 0.37, 0.5, 0.73, 0.9, 1.0):
            ends = (_value(tree, s=s, t=t, **world) for s in at_zero)
            if _value(tree, s=t, t=t, **world) != 0.0 or any(end != 1.0 for end in ends):
                return False
        return True

    def _undoes(self, tree: ast.Expr) -> bool:
        """Return whether a formula in p is the time in [0, 1] at which alpha is p."""
        for truth in self.truths:
            p = float(truth.alpha)
            t = _value(tree, p=p, **truth.world)
            back = _value(self.expr, t=t, **truth.world)
            if not -1e-9 <= t <= 1 + 1e-9 or not abs(back - p) < 1e-12:
                return False
        return True


def _minus_log1p(x: Expr) -> Expr:
    """Return ``-log(1 + x)``, which undoes an ``expm1``."""
    return -x.args[0] if x.func == expm1 else -log1p(x)


def _symbol(name: str, place: int, worlds: Worlds) -> Symbol:
    """Return a param for algebra: above 0, or from 0 on; its name decides no order of terms."""
    positive = all(world[name] > 0 for world in worlds)
    other = f"a{place}"
    return Symbol(other, positive=True) if positive else Symbol(other, nonnegative=True)


def _value(tree: ast.Expr, **names: float) -> float:
    return float(value_of(tree, Scope(names), TENSOR))
