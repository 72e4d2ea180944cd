"""Counters for `tests/counts.py`: numbers that a text has, of Python or of a template."""

import ast
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from statistics import median

from jinja2 import Environment, nodes

NOISES = frozenset({"mask", "gone", "both", "none"})
CHAIN = "chain"
RUN = 3  # lines


# The kind of noise


def asks_chain(text: str) -> int:
    """Sites of Python that decide by `chain`: comparisons, look-ups and cases."""
    return sum(_asks_chain(node) for node in ast.walk(ast.parse(text)))


def _asks_chain(node: ast.AST) -> int:
    match node:
        case ast.Compare():
            return any(_is_chain(one) for one in (node.left, *node.comparators))
        case ast.Subscript():
            return _is_chain(node.slice)
        case ast.Call(func=ast.Attribute(attr="get")):
            return any(_is_chain(one) for one in node.args[:1])
        case ast.Match():
            return len(node.cases) if _is_chain(node.subject) else 0
    return 0


def _is_chain(node: ast.AST) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name == CHAIN
        case ast.Call():
            return _is_chain(node.func)
    return False


def names_noise(text: str) -> int:
    """Sites of Python that compare with `mask`, `gone`, `both` or `none`, or look up by them."""
    return sum(_names_noise(node) for node in ast.walk(ast.parse(text)))


def _names_noise(node: ast.AST) -> bool:
    match node:
        case ast.Compare():
            return any(_is_noise(one) for one in (node.left, *node.comparators))
        case ast.MatchValue():
            return _is_noise(node.value)
        case ast.Dict():
            return sum(key is not None and _is_noise(key) for key in node.keys) > 1
    return False


def _is_noise(node: ast.AST) -> bool:
    match node:
        case ast.Constant(value=str(value)):
            return value in NOISES
        case ast.Tuple() | ast.List() | ast.Set():
            return any(_is_noise(one) for one in node.elts)
    return False


# Templates


def controls(text: str) -> int:
    """Lines of a template with a tag that decides, repeats or defines."""
    return len({line for line, kind, _ in Environment().lex(text) if kind == "block_begin"})


def inline(text: str) -> int:
    """Lines of a template with a condition beside text that they put out."""
    made = Environment().parse(text)
    within = {one.lineno for one in made.find_all(nodes.CondExpr)}
    decides = re.compile(r"\{%-?\s*(if|elif|else)\b")
    alone = re.compile(r"\s*\{%((?!%\}).)*%\}\s*")
    for number, line in enumerate(text.splitlines(), 1):
        if decides.search(line) and not alone.fullmatch(line):
            within.add(number)
    return len(within)


def glue(text: str) -> int:
    """Places of a template that put texts together by `~`, or change them by `replace`."""
    made = Environment().parse(text)
    joined = [len(one.nodes) - 1 for one in made.find_all(nodes.Concat)]
    filters = [one for one in made.find_all(nodes.Filter) if one.name == "replace"]
    methods = [one for one in made.find_all(nodes.Getattr) if one.attr == "replace"]
    return sum(joined) + len(filters) + len(methods)


def template_asks(text: str, names: bool) -> int:
    """Comparisons of a template with `chain`, or (names) with a kind of noise by its name."""
    found = 0
    for one in Environment().parse(text).find_all(nodes.Compare):
        operands = [one.expr, *(operand.expr for operand in one.ops)]
        found += any(_template_noise(x) if names else _template_chain(x) for x in operands)
    return found


def _template_chain(node: nodes.Node) -> bool:
    match node:
        case nodes.Name():
            return bool(node.name == CHAIN)
        case nodes.Getattr():
            return bool(node.attr == CHAIN)
    return False


def _template_noise(node: nodes.Node) -> bool:
    match node:
        case nodes.Const():
            return node.value in NOISES
        case nodes.Tuple() | nodes.List():
            return any(_template_noise(one) for one in node.items)
    return False


# Fields


def text_fields(text: str) -> tuple[int, int, int]:
    """Fields of the classes of a module; those typed as text; and those of them that hold code.

    A field holds code if the comment behind it begins with `code`.
    """
    lines = text.splitlines()
    fields = [
        (ast.unparse(entry.annotation), lines[entry.lineno - 1].partition("#")[2].strip())
        for one in ast.walk(ast.parse(text))
        if isinstance(one, ast.ClassDef)
        for entry in one.body
        if isinstance(entry, ast.AnnAssign)
    ]
    texts = [(kind, comment) for kind, comment in fields if re.search(r"\bstr\b", kind)]
    return len(fields), len(texts), sum(comment.startswith("code") for _, comment in texts)


# Lengths


def functions(text: str) -> list[int]:
    """The lines that each function of a module has."""
    return [
        (one.end_lineno or one.lineno) - one.lineno + 1
        for one in ast.walk(ast.parse(text))
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def middle(numbers: Sequence[int]) -> str:
    """The median and the 90th percentile."""
    if not numbers:
        return "-"
    return f"{median(numbers):g}, {sorted(numbers)[int(0.9 * (len(numbers) - 1))]}"


# Decoders


def repeated(text: str) -> tuple[int, int]:
    """Lines of the decoder classes of a module that an earlier one has; and those in runs."""
    seen: set[str] = set()
    again, runs = 0, 0
    for body in _decoders(text):
        known = [line in seen for line in body]
        again += sum(known)
        runs += sum(n for yes, n in _lengths(known) if yes and n >= RUN)
        seen |= set(body)
    return again, runs


def _lengths(known: Sequence[bool]) -> Iterator[tuple[bool, int]]:
    for value, group in groupby(known):
        yield value, len(list(group))


def _decoders(text: str) -> Iterator[list[str]]:
    """The code of each decoder class, line by line, without documentation and lone signs."""
    for one in ast.parse(text).body:
        if isinstance(one, ast.ClassDef) and one.name.endswith("Decoder"):
            for inner in ast.walk(one):
                if isinstance(inner, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(inner):
                    inner.body = inner.body[1:] or [ast.Pass()]
            yield [line.strip() for line in ast.unparse(one).splitlines()[1:] if line.strip()]


def loose(text: str) -> int:
    """Types that say nothing: `Callable[..., ...]` and `tuple[object, ...]`."""
    return len(re.findall(r"Callable\[\s*\.\.\.|tuple\[object, \.\.\.\]", text))


def words(text: str) -> set[str]:
    """The names in a module: of variables, arguments, attributes and definitions."""
    return {
        value.partition(".")[0]
        for node in ast.walk(ast.parse(text))
        for kind in ("id", "arg", "attr", "name", "asname")
        if isinstance(value := getattr(node, kind, None), str)
    }
