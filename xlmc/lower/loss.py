"""The loss."""

from functools import partial

from xlmc.calculus.code import Code, Kind, Names, Printer, Rank, built, number, param, variable
from xlmc.calculus.functions import PRODUCT
from xlmc.calculus.print_math import latex_expr, plain_expr
from xlmc.check.loss import exact, inlined
from xlmc.lower import ir
from xlmc.lower.claims import proportional
from xlmc.lower.clamps import clamped
from xlmc.lower.clock import Clock
from xlmc.lower.params import mentioned, params
from xlmc.syntax import ast, query
from xlmc.syntax.expression import inline

SUMMARIES = {
    "following": "Cross-entropy of the free tokens, each read at the one before it, summed.",
    "cross_entropy": "Cross-entropy of the masked tokens, summed.",
    "joint_cross_entropy": (
        "Mean cross-entropy of a row's dropped tokens and their gaps, summed over rows."
    ),
    "binary_cross_entropy": "Cross-entropy of whether nothing is missing, summed over rows.",
    "poisson": "The cost of the number expected in each gap: n^ - n + n log(n / n^), summed.",
    "gap_count": "Cross-entropy of the number that is missing in each gap, summed.",
    "row_count": "Cross-entropy of the number that a row misses, summed over rows.",
}
LATEX = {
    "following": r"\sum_{i\,\mathrm{free}} -\log p(x_0^i \mid x_0^{<i})",
    "cross_entropy": r"\sum_{i : x_t^i = m} -\log p(x_0^i \mid x_t)",
    "joint_cross_entropy": r"\frac{1}{n} \sum_{i\,\mathrm{gone}} "
    r"-\log p(\mathrm{gap}_i, x_0^i \mid x_t)",
    "binary_cross_entropy": r"-\log p(\mathbb{1}[n = 0] \mid x_t)",
    "poisson": r"\sum_g \left(\hat n_g - n_g + n_g \log \frac{n_g}{\hat n_g}\right)",
    "gap_count": r"\sum_g -\log p(n_g \mid x_t)",
    "row_count": r"-\log p(n \mid x_t)",
}
_WIDEST = 86  # columns of a formula
SHORT = {"length": "L", "count": "n"}  # names in formulas
AMOUNTS = {"t": Kind.DOUBLE, "count": Kind.LONG, "length": Kind.LONG}  # of each row
OWN = {"tokens": "length", "corrupted": "count"}  # what a mean within each row divides by
ONE = Code("1", kind=Kind.INT, only=1.0)
UNITS = {
    "tokens": ("the free tokens of the batch", "free token"),
    "corrupted": ("the corrupted tokens of the batch", "corrupted token"),
    "block": ("the positions that the rows of the batch have room for", "position"),
    "rows": ("the rows of the batch", "row"),
}
EACH = {
    "tokens": "Each row divided by its own number of free tokens",
    "corrupted": "Each row divided by its own number of corrupted tokens",
}


def loss(family: ast.Family, clock: Clock, condition: Code | None) -> ir.Loss:
    """`loss.py`."""
    mean = query.the(query.entries(family, "loss"), ast.Mean)
    over = {"masked": "corrupted", "gone": "corrupted", "sequences": "rows"}.get(
        mean.over.id, mean.over.id
    )
    own = over if mean.per is not None else ""
    terms = tuple(_term(term, family, clock, own) for term in query.terms(family))
    codes = [*(term.weight for term in terms), condition]
    used = {name for code in codes if code is not None for name in code.reads.functions}
    return ir.Loss(
        chain=query.chain(family),
        terms=terms,
        params=tuple(dict.fromkeys(p for term in terms for p in term.params)),
        over="rows" if own else over,
        schedule=tuple(sorted(used)),
        around=("geometric", "visible") if any(term.per_token for term in terms) else (),
        condition=condition,
        latex=_formula(family),
        units=_units(family, "rows" if own else over) + (f" {EACH[own]}." if own else ""),
    )


def _formula(family: ast.Family) -> tuple[str, ...]:
    """The whole loss, a term a line; below it what differs from token to token."""
    head = r"\mathcal{L} = \frac{1}{N} \sum_r"
    terms = [_latex(term, family) for term in query.terms(family)]
    around = [rf"\quad w_i = {latex_expr(weight)}" for weight in _around(family)]
    if len(terms) == 1 and len(whole := f"{head} {terms[0]}") <= _WIDEST:
        return (whole + "," * bool(around), *around)
    if len(terms) == 1 and not around:
        return (head, rf"\quad {terms[0]}")
    lines = [line for n, term in enumerate(terms) for line in _lines("+ " * (n > 0) + term)]
    return (rf"{head} \Big[", *lines, rf"\Big]{',' * bool(around)}", *around)


def _lines(term: str) -> list[str]:
    """A term on one line, or its weight on a line of its own."""
    weight, sign, rest = term.partition(r" \sum")
    return [term] if len(term) <= _WIDEST or not sign else [weight, rf"\quad \sum{rest}"]


def _units(family: ast.Family, over: str) -> str:
    """What the letters of the formula stand for, and the unit."""
    weights = [found for term in query.terms(family) if (found := inlined(term, family))]
    names = mentioned(weights)
    what, unit = UNITS[over]
    said = [f"N: {what}", "r: each of them" if over == "rows" else "r: its rows"]
    said += ["L: the free tokens of one"] if "length" in names else []
    inside = any(_kind(term, family) == "joint_cross_entropy" for term in query.terms(family))
    said += ["n: the corrupted ones of a row"] if "count" in names or inside else []
    if any(call.function == "hazard" for weight in weights for call in query.calls(weight)):
        said.append("h: the hazard of a clock")
    if any(term.divergence.options for term in query.terms(family)):
        said.append("b_n: what a row counts, complete or not")
    return f"{'; '.join(said)}. In nats per {unit}."


def _around(family: ast.Family) -> list[ast.Expr]:
    """The weights that differ from token to token."""
    weights = (inlined(term, family) for term in query.terms(family))
    return [weight for weight in weights if weight is not None and query.around(weight)]


def _kind(term: ast.Term, family: ast.Family) -> str:
    """The divergence of a term; that of what follows and those of numbers have their own names."""
    kind, target = term.divergence.kind, term.divergence.target
    if query.chain(family) == "none":
        return "following"
    if kind == "cross_entropy" and isinstance(target, ast.Name) and target.id == "gone":
        return "gap_count" if place(term, family) == "gaps" else "row_count"
    return kind


def _latex(term: ast.Term, family: ast.Family) -> str:
    divergence = LATEX[_kind(term, family)]
    if term.divergence.options:
        divergence = rf"b_n \, {_bracketed(divergence)}"
    if term.weight is None:
        return divergence
    if query.around(inlined(term, family)):
        where, cost = divergence.split(r" -\log")
        return rf"{where} -w_i \log{cost}"
    found = inlined(term, family)
    assert found is not None
    short = inline(found, {name: ast.Name(s, span=found.span) for name, s in SHORT.items()})
    weight = latex_expr(short)
    if isinstance(short, ast.Binary) and short.op in "+-":
        weight = rf"\left({weight}\right)"
    gap = " " if divergence.startswith("\\") else r" \, "
    return f"{weight}{gap}{_bracketed(divergence)}"


def _bracketed(formula: str) -> str:
    """A factor: what begins with a minus in parentheses."""
    return rf"\big({formula}\big)" if formula.startswith("-") else formula


def _term(term: ast.Term, family: ast.Family, clock: Clock, own: str) -> ir.Term:
    entries = query.entries(family, "loss")
    weight = inlined(term, family)
    options = [option.value for option in term.divergence.options]
    spoken = mentioned([*options, *([] if weight is None else [weight])])
    found = params(entries, spoken)
    names = {name: variable(name, Rank.ROW, kind, wide=name) for name, kind in AMOUNTS.items()}
    names |= {p.name: param(p.name, p.kind, owner="") for p in found}
    code = None
    if weight is not None:
        code = _weight(weight, Names(names, partial(_call, family, clock)))
    if own:
        inner = built("({})", code) if code else ONE
        code = built("{} / {}.clamp(min=1)", inner, names[OWN[own]].code)
    return ir.Term(
        head=term.head.id,
        kind=_kind(term, family),
        at=place(term, family),
        size=query.size(query.heads(family)[term.head.id]),
        weight=code,
        reads=tuple(sorted(code.reads.variables)) if code else (),
        per_row=code is not None and code.rank >= Rank.ROW,
        per_token=code is not None and code.rank == Rank.TOKEN,
        shifted=query.heads(family)[term.head.id].shifted,
        cast=code is not None and code.kind == Kind.DOUBLE,
        balance=_balance(term),
        params=found,
        summary=SUMMARIES[_kind(term, family)],
        detail=_detail(term, family, weight),
    )


def _weight(expr: ast.Expr, scope: Names) -> Code:
    """The code of a weight: a variable of each row or token, or a factor before a sum."""
    code = Printer.code(expr, scope)
    return code if code.rank else Printer.code(expr, scope, PRODUCT)


def _call(family: ast.Family, clock: Clock, call: ast.Call, printer: Printer) -> Code | None:
    """``visible(geometric(p))``, or what a clock answers."""
    if call.function != "visible":
        return clock.call(call, printer)
    (kernel,) = call.arguments
    assert isinstance(kernel, ast.Call)
    inner = [printer.show(argument) for argument in kernel.arguments]
    row = "noised" if query.chain(family) == "both" else "batch"
    form = f"visible({kernel.function}({{}}), noised.masked, {row}.attend)"
    return built(form, *inner, kind=Kind.SINGLE, rank=Rank.TOKEN)


def _balance(term: ast.Term) -> Code | None:
    """What rows in which nothing is missing count."""
    for option in term.divergence.options:
        if isinstance(option.value, ast.Name):
            return param(option.value.id, "Chance", owner="").code
        return number(option.value, whole=False)
    return None


def place(term: ast.Term, family: ast.Family) -> str:
    """Where the head of a term stands."""
    at = query.heads(family)[term.head.id].at
    assert at is not None
    return at.id


def _detail(term: ast.Term, family: ast.Family, weight: ast.Expr | None) -> str:
    text = ""
    if share := _balance(term):
        text = f"Rows in which nothing is missing count {share}, the others 1 - {share}. "
    if weight is None:
        return text.strip()
    text += f"Weight: {plain_expr(weight)}"
    said = f", that of the likelihood bound{_up_to(term)}" if proportional(term, family) else "."
    if mostly := clamped(term, family):
        said = f", which is {mostly}."
    return text + said + _width(term, family)


def _width(term: ast.Term, family: ast.Family) -> str:
    """Where the factor of a bound on a part of the time comes from."""
    amount = query.first(query.entries(family, "noise"), ast.Amount)
    if "bound" not in mentioned([term.weight] if term.weight else []) or amount is None:
        return ""
    ends = amount.law.arguments if amount.variable.id == "t" else ()
    width = exact(ends[1]) - exact(ends[0]) if len(ends) == 2 else 1
    return "" if width == 1 else f" {float(width):g}: the width of the range of t."


def _up_to(term: ast.Term) -> str:
    exact = isinstance(term.weight, ast.Name) and term.weight.id == "bound"
    return "." if exact else ", up to a constant."
