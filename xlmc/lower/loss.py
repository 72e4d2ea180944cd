"""The loss."""

from xlmc import ast, ir, query
from xlmc.check.loss import exact, inlined
from xlmc.expression import inline
from xlmc.lower.claims import proportional
from xlmc.lower.clock import Clock
from xlmc.lower.params import mentioned, number, params
from xlmc.mathtext import latex_expr, plain_expr

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


def loss(family: ast.Family, clock: Clock, condition: str) -> ir.Loss:
    """`loss.py`."""
    mean = query.the(query.entries(family, "loss"), ast.Mean)
    over = {"masked": "corrupted", "gone": "corrupted", "sequences": "rows"}.get(
        mean.over.id, mean.over.id
    )
    own = over if mean.per is not None else ""
    used = {"sigma"} if "sigma" in condition else set[str]()
    terms = tuple(_term(term, family, clock, own, used) for term in query.terms(family))
    used |= {"sigma"} if "sigma" in condition else set()
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


def _term(term: ast.Term, family: ast.Family, clock: Clock, own: str, used: set[str]) -> ir.Term:
    entries = query.entries(family, "loss")
    weight = inlined(term, family)
    options = [option.value for option in term.divergence.options]
    spoken = mentioned([*options, *([] if weight is None else [weight])])
    found = params(entries, spoken)
    code, functions = "", set[str]()
    if weight is not None:
        names = {name: name for name in ("t", "count", "length")} | {p.name: p.name for p in found}
        tensors = {"t", "count", "length"}
        for call in query.calls(weight):
            if call.function == "visible":
                tensors.add(plain_expr(call))
                names[plain_expr(call)] = _visible(call, family)
        code, functions = clock.code(weight, names, tensors)
    reads = {"t"} if functions else set[str]()
    reads |= {"t", "count", "length"} & spoken
    if own:
        denominator = {"tokens": "length", "corrupted": "count"}[own]
        reads.add(denominator)
        code = f"{f'({code})' if code else '1'} / {denominator}.clamp(min=1)"
    elif not reads and isinstance(weight, ast.Binary) and weight.op in "+-":
        code = f"({code})"  # it stands before a product
    used |= functions
    return ir.Term(
        head=term.head.id,
        kind=_kind(term, family),
        at=place(term, family),
        size=query.size(query.heads(family)[term.head.id]),
        weight=code,
        reads=tuple(sorted(reads)),
        per_row=bool(reads),
        per_token=query.around(weight),
        shifted=query.heads(family)[term.head.id].shifted,
        cast=bool(functions) or "t" in reads,
        balance=_balance(term),
        params=found,
        summary=SUMMARIES[_kind(term, family)],
        detail=_detail(term, family, weight),
    )


def _visible(call: ast.Call, family: ast.Family) -> str:
    """The code of ``visible(geometric(p))``."""
    (kernel,) = call.arguments
    row = "noised" if query.chain(family) == "both" else "batch"
    return f"visible({plain_expr(kernel)}, noised.masked, {row}.attend)"


def _balance(term: ast.Term) -> str:
    """What rows in which nothing is missing count, as code."""
    for option in term.divergence.options:
        if isinstance(option.value, ast.Name):
            return option.value.id
        return number(option.value, whole=False)
    return ""


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
