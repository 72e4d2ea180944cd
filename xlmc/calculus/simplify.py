"""Shorter ways of writing a formula, all cheap: no search over rewritings, no factorisation."""

from collections.abc import Iterator

import sympy
from sympy import Add, Expr, Mul, Pow

from xlmc.calculus.to_sympy import expanded

_MAX_OPERATIONS = 50


def variants(expr: Expr) -> Iterator[Expr]:
    """Yield other forms of an expression, and itself; only itself if it is long."""
    if expr.count_ops() > _MAX_OPERATIONS:
        yield expr
        return
    if is_rational(expr):
        reduced = sympy.cancel(expr)
        yield sympy.factor_terms(reduced)
        yield reduced
    joined = merge_logs(sympy.factor_terms(expr))
    yield joined
    yield sympy.together(joined)
    yield powers_of_constants(joined)
    yield expr
    yield expanded(expr)


def joined(expr: Expr) -> Expr:
    """Join powers of one base, or of one exponent: no 0 / 0 is left where the base is 0."""
    return sympy.powsimp(expr, force=True)


def is_rational(expr: Expr) -> bool:
    """Return whether this is a quotient of polynomials of a degree low enough to divide them."""
    degree = 1
    for node in sympy.preorder_traversal(expr):
        if isinstance(node, Pow):
            if not (node.exp.is_Integer and abs(node.exp) <= 16):
                return False
            degree *= abs(int(node.exp))
        elif not (isinstance(node, Add | Mul) or node.is_Rational or node.is_Symbol):
            return False
    return degree <= 256


def merge_logs(expr: Expr) -> Expr:
    """Merge sums of logarithms of constants, such as log(20) + log(10000), into one logarithm."""

    def change(add: Expr) -> Expr:
        logs = [term for term in add.args if isinstance(term, sympy.log) and term.is_number]
        if len(logs) < 2:
            return add
        product = Mul(*(term.args[0] for term in logs))
        if not product.is_Rational or max(product.p, product.q) > 10**9:
            return add
        return Add(sympy.log(product), *(term for term in add.args if term not in logs))

    return expr.replace(lambda e: isinstance(e, Add), change)


def powers_of_constants(expr: Expr) -> Expr:
    """Rewrite exp(log(2) * x) as 2**x."""

    def change(e: Expr) -> Expr:
        constant, rest = e.args[0].as_independent(*e.free_symbols, as_Add=False)
        coefficient, log = constant.as_coeff_Mul()
        if isinstance(log, sympy.log) and log.args[0].is_Rational:
            return log.args[0] ** (coefficient * rest)
        return e

    return expr.replace(lambda e: isinstance(e, sympy.exp) and bool(e.free_symbols), change)
