"""Generated code with its type: text, and the facts that decisions about it read.

Nothing outside this module makes a `Code`. `Printer` makes one of a formula, from its tree and a
`Names`, which defines its names; rank and kind are inferred from the leaves up. The other
functions combine codes and keep the facts of their parts.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import IntEnum
from functools import reduce
from typing import Any

import attrs
from attrs import evolve, frozen

from xlmc.calculus.functions import ATOM, BY_NAME, POWER, PRODUCT, SEVERAL, SIGN
from xlmc.calculus.print_math import LEVEL, plain_expr
from xlmc.calculus.print_math import literal as digits
from xlmc.syntax import ast

CLOCK = "clock"  # the params of the noise, in code


class Rank(IntEnum):
    """The range over which a value is the same: all rows, a row, a block of it, or a token."""

    SCALAR = 0
    ROW = 1
    BLOCK = 2
    TOKEN = 3


class Kind(IntEnum):
    """A number of Python, or a tensor and the type of its numbers, in the order of promotion."""

    INT = 0
    FLOAT = 1
    BOOL = 2
    LONG = 3
    SINGLE = 4
    DOUBLE = 5

    @property
    def tensor(self) -> bool:
        """True if it is a tensor."""
        return self >= Kind.BOOL


@frozen
class Reads:
    """The names that some code uses: functions of the schedule, params, variables, modules."""

    functions: frozenset[str] = frozenset()
    params: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset()

    def __or__(self, other: "Reads") -> "Reads":
        return Reads(
            *(
                getattr(self, field.name) | getattr(other, field.name)
                for field in attrs.fields(Reads)
            )
        )


@frozen
class Code:
    """An expression of Python; `str` is its text, for the templates.

    ``only`` is the param or the variable that it is, or the number, where it is nothing else.
    """

    text: str
    rank: Rank = Rank.SCALAR
    kind: Kind = Kind.FLOAT
    reads: Reads = Reads()
    only: str | float | None = None

    def __str__(self) -> str:
        return self.text

    def printed(self) -> str:
        """Return the text, which represents the code in JSON."""
        return self.text

    @property
    def param(self) -> str:
        """The param that it is; "" where it is anything else."""
        return self.only if isinstance(self.only, str) and self.only in self.reads.params else ""

    @property
    def variable(self) -> str:
        """The variable that it is; "" where it is anything else."""
        known = self.reads.variables
        return self.only if isinstance(self.only, str) and self.only in known else ""

    @property
    def value(self) -> float | None:
        """The number that it is; None where it is anything else."""
        return self.only if isinstance(self.only, float) else None


@frozen
class Leaf:
    """The meaning of a name: its code, and the code in which a value for each row meets tokens."""

    code: Code
    wide: str

    def at(self, rank: Rank) -> Code:
        """Return its code in an expression of a rank."""
        return evolve(self.code, text=self.wide) if rank > self.code.rank == Rank.ROW else self.code


def param(name: str, kind: str, owner: str = "self.") -> Leaf:
    """Return a param of a decoder (``self.eta``) or, without owner, of a function."""
    number = Kind.INT if kind in ("Count", "Size") else Kind.FLOAT
    text = f"{owner}{name}"
    return Leaf(Code(text, Rank.SCALAR, number, Reads(params=frozenset({name})), name), text)


def variable(name: str, rank: Rank, kind: Kind, text: str = "", wide: str = "") -> Leaf:
    """Return a variable of the function around the code, or an attribute of one."""
    text = text or name
    made = Code(text, rank, kind, Reads(variables=frozenset({name})), name)
    return Leaf(made, wide or f"{text}[:, None]")


def number(expr: ast.Expr, *, whole: bool) -> Code:
    """Return a signed literal."""
    inner = expr.operand if isinstance(expr, ast.Negative) else expr
    assert isinstance(inner, ast.Number)
    value = inner.value if inner is expr else -inner.value
    if whole:
        return Code(repr(int(value)), Rank.SCALAR, Kind.INT, only=float(int(value)))
    return Code(repr(float(value)), Rank.SCALAR, Kind.FLOAT, only=float(value))


def literal(text: str) -> Code:
    """Return a text as Python writes it."""
    return Code(repr(text))


def constant(value: float) -> Code:
    """Return a number as Python writes it, a whole one without a point."""
    whole = int(value) == value
    text = repr(int(value)) if whole else repr(float(value))
    return Code(text, Rank.SCALAR, Kind.INT if whole else Kind.FLOAT, only=float(value))


def built(form: str, *parts: Code, kind: Kind | None = None, rank: Rank | None = None) -> Code:
    """Fill a form with codes: of the highest rank and kind among them, unless given."""
    reads = reduce(Reads.__or__, (part.reads for part in parts), Reads())
    return Code(
        form.format(*parts),
        max((part.rank for part in parts), default=Rank.SCALAR) if rank is None else rank,
        max((part.kind for part in parts), default=Kind.FLOAT) if kind is None else kind,
        reads,
    )


def per_row(code: Code, places: str) -> Code:
    """Round to an integer for each row of places, down except for rounding errors."""
    if not code.kind.tensor:
        whole = code if code.kind == Kind.INT else built("int({} + 1e-9)", code)
        form = f"{places}.new_full((len({places}),), {{}}, dtype=torch.long)"
        return built(form, whole, kind=Kind.LONG, rank=Rank.ROW)
    form = "floored({})" + f".expand(len({places}))" * (code.rank < Rank.ROW)
    return built(form, code, kind=Kind.LONG, rank=Rank.ROW)


def beside_tokens(code: Code) -> Code:
    """Add an axis of tokens to a value for each row."""
    return built("({})[:, None]", code) if code.rank == Rank.ROW else code


def poisson(mean: Code, uniform: str) -> Code:
    """Return code that draws Poisson numbers from uniform ones."""
    tensor = mean if mean.kind.tensor else built("torch.tensor({})", mean, kind=Kind.SINGLE)
    return built(f"poisson({{}}, {uniform})", tensor, kind=Kind.LONG)


def named(function: str, clock: Code | None = None) -> Code:
    """Return a function of `schedule.py`, to be passed as an argument, with its clock."""
    reads = Reads(functions=frozenset({function}))
    if clock is None:
        return Code(function, reads=reads)
    return built(f"partial({{}}, {CLOCK}={{}})", Code(function, reads=reads), clock)


def inside(value: Any) -> Iterator[Code]:
    """Yield every code that an object of the IR contains."""
    if isinstance(value, Code):
        yield value
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            yield from inside(getattr(value, field.name))
    elif isinstance(value, tuple):
        for one in value:
            yield from inside(one)


Called = Callable[[ast.Call, "Printer"], Code | None]


@frozen
class Names:
    """The meanings of the names of an expression, and of its calls of clocks."""

    names: Mapping[str, Leaf]
    call: Called


@frozen
class Printer:
    """Prints an expression as code over numbers and tensors; ``rank`` is that of the whole."""

    scope: Names
    rank: Rank = Rank.SCALAR

    @classmethod
    def code(cls, expr: ast.Expr, scope: Names, level: int = 0) -> Code:
        """Return the code of an expression. Raises KeyError for an unknown name or function."""
        rank = cls(scope).show(expr).rank
        return cls(scope, rank).show(expr, level)

    def show(self, expr: ast.Expr, level: int = 0) -> Code:
        """Return the code of a part, in parentheses if its neighbour binds more tightly."""
        match expr:
            case ast.Binary(op=op):
                made, own = self._binary(expr), LEVEL[op]
            case ast.Negative(operand=operand):
                inner = self.show(operand, PRODUCT)
                only = -inner.value if inner.value is not None else None
                made, own = evolve(built("-{}", inner), only=only), SIGN
            case ast.Number():
                whole = expr.value.denominator == 1 and digits(expr).replace("_", "").isdigit()
                kind = Kind.INT if whole else Kind.FLOAT
                return Code(digits(expr), Rank.SCALAR, kind, only=float(expr.value))
            case ast.Name(id="pi") if "pi" not in self.scope.names:
                return Code("math.pi", reads=Reads(modules=frozenset({"math"})))
            case ast.Name(id=name):
                return self.scope.names[name].at(self.rank)
            case ast.Call():
                return self.scope.call(expr, self) or self._call(expr)
            case _:
                raise TypeError(f"{type(expr).__name__} is not part of a formula")
        return evolve(made, text=f"({made})") if own < level else made

    def _binary(self, expr: ast.Binary) -> Code:
        own = LEVEL[expr.op]
        first, second = (ATOM, POWER) if expr.op == "**" else (own, own + 1)
        left, right = self.show(expr.left, first), self.show(expr.right, second)
        if expr.op != "**" and isinstance(expr.right, ast.Negative):
            right = evolve(right, text=f"({right})")
        return built(f"{{}} {expr.op} {{}}", left, right, kind=promoted(expr.op, left, right))

    def _call(self, call: ast.Call) -> Code:
        if call.function in SEVERAL and not call.primes:
            return self._extreme(call)
        name = call.function + call.primes * "'"
        if name not in BY_NAME:
            raise KeyError(name)
        inner = [self.show(argument) for argument in call.arguments]
        tensor = any(one.kind.tensor for one in inner)
        module = "torch" if tensor else "math"
        kind = max((one.kind for one in inner), default=Kind.FLOAT)
        kind = Kind.FLOAT if not tensor else Kind.SINGLE if kind < Kind.SINGLE else kind
        return _using(built(f"{module}.{name}({_holes(inner)})", *inner, kind=kind), module)

    def _extreme(self, call: ast.Call) -> Code:
        """Return ``min`` or ``max``: elementwise on tensors, clamped by the numbers among them."""
        inner = [self.show(argument) for argument in call.arguments]
        tensors = [one for one in inner if one.kind.tensor]
        plain = [one for one in inner if not one.kind.tensor]
        number = plain[0] if len(plain) == 1 else built(f"{call.function}({_holes(plain)})", *plain)
        if not tensors:
            return number

        def two(a: Code, b: Code) -> Code:
            form = f"torch.{call.function}imum({{}}, {{}})"
            return _using(built(form, a, b, kind=promoted("+", a, b)), "torch")

        found = reduce(two, tensors)
        if not plain:
            return found
        bound = "max" if call.function == "min" else "min"
        form = f"torch.clamp({{}}, {bound}={{}})"
        return _using(built(form, found, number, kind=promoted("+", found, number)), "torch")


def promoted(op: str, left: Code, right: Code) -> Kind:
    """Return the kind of a result; a tensor of one number yields to one of many of its sort."""
    low, high = sorted((left, right), key=lambda one: one.kind)
    if not high.kind.tensor:
        return Kind.FLOAT if op in ("/", "**") else high.kind
    if high.kind < Kind.SINGLE:
        return Kind.SINGLE if op == "/" or low.kind == Kind.FLOAT else Kind.LONG
    if high.kind == Kind.DOUBLE and low.kind == Kind.SINGLE and low.rank > high.rank == Rank.SCALAR:
        return Kind.SINGLE
    return high.kind


def _holes(parts: list[Code]) -> str:
    return ", ".join(["{}"] * len(parts))


def _using(code: Code, module: str) -> Code:
    return evolve(code, reads=code.reads | Reads(modules=frozenset({module})))


def called(name: str, *arguments: Code, kind: Kind = Kind.DOUBLE) -> Code:
    """Return a call of a function of `schedule.py`."""
    made = built(f"{name}({_holes(list(arguments))})", *arguments, kind=kind)
    return evolve(made, reads=made.reads | Reads(functions=frozenset({name})))


def torch_expr(tree: ast.Expr, names: Mapping[str, str], tensors: Any = ()) -> str:
    """Return the text of a tree over names and functions, those in ``tensors`` being tensors."""
    return Printer.code(tree, plain_scope(names, tensors)).text


def plain_scope(names: Mapping[str, str], tensors: Any = ()) -> Names:
    """Return a scope of scalars: ``eta``, functions ``alpha'``, calls ``reveal(alpha)``."""

    def kind(key: str) -> Kind:
        return Kind.DOUBLE if key in tensors else Kind.FLOAT

    def call(node: ast.Call, printer: Printer) -> Code | None:
        whole, function = plain_expr(node), node.function + node.primes * "'"
        if whole in names:
            return Code(names[whole], Rank.SCALAR, kind(whole))
        if function not in names:
            return None
        inner = [printer.show(argument) for argument in node.arguments]
        top = max((kind(function), *(one.kind for one in inner)))
        return called(names[function], *inner, kind=top)

    leaves = {key: variable(key, Rank.SCALAR, kind(key), text) for key, text in names.items()}
    return Names(leaves, call)
