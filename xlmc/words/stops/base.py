"""The base of the conditions that end a row."""

from collections.abc import Iterator
from typing import ClassVar

from attrs import frozen

from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.syntax import ast, query
from xlmc.theory.process import Process
from xlmc.words.base import Word


@frozen
class Number:
    """A number in a condition: its type, and what it is in words."""

    value: ast.Expr
    kind: str
    noun: str


class Stop(Word):
    """A condition that ends a row.

    ``kind`` is its name in lowered decoders, ``code`` its form over the chance that a head gives,
    if it reads one, and its numbers. ``limits``: it keeps the number of tokens finite. ``once``: a
    second such condition is redundant. ``of_missing``: nothing is missing any more; the masks of
    the row, if it has any, are still filled. Each of its needs has a reason.
    """

    slot = "a condition that ends a row"
    kind: ClassVar[str]
    code: ClassVar[str] = ""
    limits: ClassVar[bool] = False
    once: ClassVar[bool] = False
    of_missing: ClassVar[bool] = False

    def holds(self, one: ast.Condition, family: ast.Family) -> bool:
        """Return whether a condition is one of this word, well written or not."""
        raise NotImplementedError

    def closes(self, process: Process) -> bool:
        """Return whether only insertion ends, in rows that may hold masks."""
        return self.of_missing and process.inserts_masks

    def chance(self, one: ast.Condition) -> ast.Expr | None:
        """Return the chance that a condition reads: ``done``, ``tempered(done, 2)``."""
        del one
        return None

    def token(self, one: ast.Condition) -> str:
        """Return the special token that a condition looks at; "" if it looks at none."""
        del one
        return ""

    def numbers(self, one: ast.Condition) -> Iterator[Number]:
        """Yield the numbers of a condition, those of its chance apart."""
        del one
        yield from ()

    def check(
        self, one: ast.Condition, section: ast.Section, family: ast.Family
    ) -> Iterator[Diagnostic]:
        """Complain about a condition whose needs the noise meets, in a decoder."""
        del one, section, family
        yield from ()


def compares(one: ast.Condition, left: str, right: str) -> bool:
    """Return whether a condition compares a name with another: ``length = limit``."""
    match one:
        case ast.Compare(op="=", left=ast.Name(id=first), right=ast.Name(id=second)):
            return (first, second) == (left, right)
    return False


def kinds(family: ast.Family) -> dict[str, str]:
    """Return the kinds of the heads by their names."""
    return {name: head.kind.id for name, head in query.heads(family).items()}


def of_chance(chance: ast.Expr, family: ast.Family) -> bool:
    """Return whether an expression is a chance of a head: ``done``, or ``zero(missing)``."""
    zero = isinstance(chance, ast.Call) and chance.function == "zero"
    head = query.heads(family).get(query.asked(chance))
    if head is None or not zero:
        return head is not None and head.kind.id == "chance"
    return head.kind.id == "distribution" and query.read_at(head) != "gaps"


def temperature(chance: ast.Expr) -> Iterator[Number]:
    """Yield the number that log-odds are divided by: T of ``tempered(done, T)``."""
    if isinstance(chance, ast.Call) and chance.function == "tempered":
        yield Number(chance.arguments[1], "Scale", "temperature")
