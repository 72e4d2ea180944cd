"""Lark's trees of expressions become ours."""

from decimal import Decimal, InvalidOperation
from fractions import Fraction

from lark import Token

from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.source import Source, Span
from xlmc.diagnostics.syntax_errors import NumberTooExtreme, NumberTooLong
from xlmc.syntax import ast

_LONGEST_NUMBER = 100  # characters
_LARGEST, _SMALLEST = Decimal("1e30"), Decimal("1e-30")  # float32 holds products of a few


class Expressions:
    """The builder of expressions; it collects what is wrong with their numbers."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Diagnostic] = []

    def binary(self, span: Span, left: ast.Expr, op: Token, right: ast.Expr) -> ast.Binary:
        """Build two operands and their operator."""
        return ast.Binary(span=span, op=str(op), left=left, right=right)

    def negative(self, span: Span, _: Token, operand: ast.Expr) -> ast.Negative:
        """Build a negative operand."""
        return ast.Negative(span=span, operand=operand)

    minus = negative

    def call(
        self, span: Span, function: Token, primes: Token | None, *given: ast.Expr | ast.Keyword
    ) -> ast.Call:
        """Build a call; keywords follow the other arguments."""
        return ast.Call(
            span=span,
            function=str(function),
            arguments=tuple(a for a in given if not isinstance(a, ast.Keyword)),
            keywords=tuple(a for a in given if isinstance(a, ast.Keyword)),
            primes=len(primes or ""),
        )

    def keyword(self, span: Span, name: Token, value: ast.Expr) -> ast.Keyword:
        """Build ``name = value``."""
        return ast.Keyword(span=span, name=str(name), value=value)

    def number(self, span: Span, token: Token) -> ast.Number:
        """Build a literal."""
        return ast.Number(span=span, value=self._exact(span, token), text=str(token))

    def name(self, span: Span, token: Token) -> ast.Name:
        """Build a name."""
        return ast.Name(span=span, id=str(token))

    def string(self, span: Span, token: Token) -> ast.String:
        """Build a quoted text, without its quotes."""
        return ast.String(span=span, value=str(token)[1:-1])

    def _exact(self, span: Span, text: str) -> Fraction:
        """Return the value of a literal; report one that is unreasonably large or small as 0.

        A Decimal holds any exponent at no cost; a Fraction of 1e999999999 would fill the memory.
        """
        if len(text) > _LONGEST_NUMBER:
            self.problems.append(NumberTooLong(span=span, limit=_LONGEST_NUMBER))
            return Fraction(0)
        try:
            value = Decimal(text.replace("_", ""))
        except InvalidOperation:  # the exponent has more than 18 digits
            value = _LARGEST * 10
        if value and not _SMALLEST <= value <= _LARGEST:
            self.problems.append(NumberTooExtreme(span=span, number=text))
            return Fraction(0)
        return Fraction(value)
