"""Expressions, and the base of all nodes."""

from fractions import Fraction

from attrs import field, frozen

from xlmc.diagnostics.source import Span


@frozen(kw_only=True)
class Node:
    """Any part of a spec. Spans do not count when trees are compared."""

    span: Span = field(eq=False, repr=False)


@frozen
class Number(Node):
    """An unsigned literal, exact; ``text`` is how it was written."""

    value: Fraction
    text: str = field(eq=False)


@frozen
class String(Node):
    """A quoted text."""

    value: str


@frozen
class Name(Node):
    """A name for a value: ``bound``, ``t``, ``top_p``."""

    id: str


@frozen
class Keyword(Node):
    """``name = value`` among arguments; ``with top_p`` is short for ``with top_p = top_p``."""

    name: str
    value: "Expr"


@frozen
class Call(Node):
    """``alpha(t)``, ``alpha'(t)`` (``primes`` counts the dashes), ``uniform(0, 1)``."""

    function: str
    arguments: tuple["Expr", ...] = ()
    keywords: tuple[Keyword, ...] = ()
    primes: int = 0


@frozen
class Negative(Node):
    """``-x``."""

    operand: "Expr"


@frozen
class Binary(Node):
    """``left op right`` with op one of ``+ - * / **``."""

    op: str
    left: "Expr"
    right: "Expr"


Expr = Number | String | Name | Call | Negative | Binary
