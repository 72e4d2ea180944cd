"""The loss."""

from collections.abc import Iterator
from functools import partial

from xlmc.calculus.code import (
    CLOCK,
    Code,
    Kind,
    Names,
    Printer,
    Rank,
    built,
    number,
    param,
    variable,
)
from xlmc.calculus.functions import PRODUCT
from xlmc.calculus.print_math import latex_expr, plain_expr
from xlmc.lower import carrying, ir
from xlmc.lower.clamps import clamped
from xlmc.lower.clock import Clock
from xlmc.lower.documents import returning
from xlmc.lower.params import mentioned, params
from xlmc.syntax import ast, query
from xlmc.syntax.expression import exact, inline
from xlmc.theory.claims import by_rates, proportional
from xlmc.theory.objective import Objective, Part, inlined
from xlmc.theory.process import Process
from xlmc.words import terms as words
from xlmc.words.divergences.base import Divergence, Use

_WIDEST = 86  # columns of a formula
SHORT = {"length": "L", "count": "n"}  # names in formulas
AMOUNTS = {"t": Kind.DOUBLE, "count": Kind.LONG, "length": Kind.LONG}  # of each row
OWN = {  # what a mean within each row divides by
    "tokens": variable("length", Rank.ROW, Kind.LONG, wide="length"),
    "corrupted": variable("count", Rank.ROW, Kind.LONG, wide="count"),
    **{
        name: variable(name, Rank.ROW, Kind.LONG, f"{code}.sum(1)", f"{code}.sum(1, keepdim=True)")
        for name, code in (
            ("masked", "noised.masked"),
            ("gone", "noised.missing"),
            ("struck", "noised.struck"),
        )
    },
}
OVER = {  # what a sum over the batch is divided by, and whether that may be 0
    "rows": ("len(batch.x0)", False),
    "block": ("len(batch.x0) * batch.room", False),
    "tokens": ("batch.free.sum()", True),
    "corrupted": ("noised.count.sum()", True),
    "masked": ("noised.masked.sum()", True),
    "gone": ("noised.missing.sum()", True),
    "struck": ("noised.struck.sum()", True),
}
ONE = Code("1", kind=Kind.INT, only=1.0)
UNITS = {
    "tokens": ("the free tokens of the batch", "free token"),
    "corrupted": ("the corrupted tokens of the batch", "corrupted token"),
    "masked": ("the masks of the batch", "mask"),
    "gone": ("the gone tokens of the batch", "gone token"),
    "struck": ("the tokens of the batch that were struck", "token that was struck"),
    "block": ("the positions that the rows of the batch have room for", "position"),
    "rows": ("the rows of the batch", "row"),
}
EACH = {
    "tokens": "Each row divided by its own number of free tokens",
    "corrupted": "Each row divided by its own number of corrupted tokens",
    "masked": "Each row divided by its own number of masks",
    "gone": "Each row divided by its own number of gone tokens",
    "struck": "Each row divided by its own number of tokens that were struck",
}


def loss(objective: Objective, clock: Clock, condition: Code | None) -> ir.Loss:
    """Build `loss.py`."""
    mean = query.the(objective.entries, ast.Mean)
    over = _over(mean.over.id, objective)
    own = over if mean.per is not None else ""
    terms = tuple(_term(part, objective, clock, own) for part in objective.parts)
    codes = [*(term.weight for term in terms), condition]
    used = {name for code in codes if code is not None for name in code.reads.functions}
    used |= {"corrupted"} if any(term.given for term in terms) else set()
    ordered = objective.process.ordered
    row = "batch" if objective.process.holds_places else "noised"
    divisor = "rows" if own else over
    divided, empty = OVER[divisor]
    rolled = carrying.rollout(objective, clock)
    divided = divided if rolled is None else carrying.several(divisor, divided, rolled.calls)
    streams: tuple[str, ...] = ("noised.rank",) if objective.process.permuted else ()
    streams = ("noised.block", "batch.x0") if objective.process.blocked else streams
    trunk = ("batch.x0" if ordered else "noised.xt", f"{row}.attend", *streams)
    noised = () if ordered else ("noised: Noised",)
    clocked = ("clock: Clock",) if clock.moves(used) else ()
    return ir.Loss(
        title=f"Return the objective of a {'' if ordered else 'noised '}batch (spec: loss).",
        signature=(
            "network: Network",
            *noised,
            "batch: Batch",
            *clocked,
            *_defaults(objective, rolled),
        ),
        trunk=trunk if condition is None else (*trunk, str(condition)),
        imports=_imports(objective, terms, clock.imports(used), rolled),
        terms=terms,
        total=" + ".join(term.head for term in terms),
        parts="{" + ", ".join(f'"{term.head}": {term.head}' for term in terms) + "}",
        over=built(divided),
        divisor=built("over.clamp(min=1)" if empty else "over"),
        latex=_formula(objective),
        units=_units(objective, divisor, rolled) + (f" {EACH[own]}." if own else ""),
        rollout=rolled,
        twin=objective.process.learned,
        scaled=objective.process.scaled,
    )


def _over(word: str, objective: Objective) -> str:
    """Return what a mean runs over: the corrupted tokens are of one kind or of several."""
    process = objective.process
    if (process.blocked or process.spoiled) and word in process.corrupted:
        return word
    if objective.process.one_clock and word in objective.process.corrupted:
        return "corrupted"
    return "rows" if word == "sequences" else word


def _defaults(objective: Objective, rolled: ir.Rollout | None) -> list[str]:
    """Return the params with types and defaults, in the order in which terms read them."""
    found = dict.fromkeys(p for part in objective.parts for p in _params(part, objective))
    found |= dict.fromkeys(rolled.params if rolled is not None else ())
    return [f"{p.name}: {p.python} = {p.default}" for p in found]


def loss_params(objective: Objective) -> tuple[ir.Param, ...]:
    """Return the params that some term reads, in the order of the spec, and those of a rollout."""
    read = {p.name for part in objective.parts for p in _params(part, objective)}
    return (*params(objective.entries, read), *carrying.read_between(objective.family))


def _params(part: Part, objective: Objective) -> tuple[ir.Param, ...]:
    """Return the params that a term reads."""
    weight = inlined(part, objective)
    options = [option.value for option in part.term.divergence.options]
    read = mentioned([*options, *([] if weight is None else [weight])])
    return params(objective.entries, read)


def _imports(
    objective: Objective,
    terms: tuple[ir.Term, ...],
    schedule: tuple[str, ...],
    rolled: ir.Rollout | None,
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return what the terms import from the package: the names by their modules."""
    found = {("network", "Network"), ("places", "at_special"), ("places", "shifted")}
    found |= set() if objective.process.ordered else {("noise", "Noised")}
    if objective.process.learned:
        found |= {("clocks", "of_pair"), ("noise", "log_chance")}
        found |= {("fates", "Scales")} if objective.process.scaled else set()
    found |= {("schedule", name) for name in schedule}
    found |= {one for part in objective.parts for one in words.use(part, objective).imports}
    found |= carrying.imports() if rolled is not None else set()
    if any(term.per_token for term in terms):
        found |= {("around", "geometric"), ("around", "visible"), ("blocks", "of_block")}
    modules = sorted({module for module, _ in found})
    return tuple((m, tuple(sorted(name for home, name in found if home == m))) for m in modules)


def _formula(objective: Objective) -> tuple[str, ...]:
    """Format the whole loss, a term a line; below it the parts that differ between tokens."""
    rows = "b" if objective.process.blocked else "r"
    head = rf"\mathcal{{L}} = \frac{{1}}{{N}} \sum_{rows}"
    formulas = [_latex(part, objective) for part in objective.parts]
    terms = [_joined(*formula) for formula in formulas]
    around = [rf"\quad w_i = {latex_expr(weight)}" for weight in _around(objective)]
    if len(terms) == 1 and len(whole := f"{head} {terms[0]}") <= _WIDEST:
        return (whole + "," * bool(around), *around)
    if len(terms) == 1 and not around and len(terms[0]) <= _WIDEST:
        return (head, rf"\quad {terms[0]}")
    lines = [line for n, one in enumerate(formulas) for line in _lines("+ " * (n > 0), *one)]
    return (rf"{head} \Big[", *lines, rf"\Big]{',' * bool(around)}", *around)


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _lines(sign: str, weight: str, rest: str) -> list[str]:
    """Return a term on one line, or its weight on a line of its own."""
    if sign and not weight and rest.startswith("-"):
        sign, rest = "- ", rest[1:]
    term = sign + _joined(weight, rest)
    return [term] if len(term) <= _WIDEST or not weight else [sign + weight, rf"\quad {rest}"]


def _units(objective: Objective, over: str, rolled: ir.Rollout | None) -> str:
    """Describe the letters of the formula, and the unit."""
    weights = [found for part in objective.parts if (found := inlined(part, objective))]
    names = mentioned(weights)
    what, unit = UNITS[over]
    rows = "b: the blocks of its rows" if objective.process.blocked else "r: its rows"
    said = [f"N: {what}", "r: each of them" if over == "rows" and rows[0] == "r" else rows]
    sized = objective.training("length")
    said += ["L: the free tokens of one"] if "length" in names or sized else []
    inside = any(words.use(part, objective).names_row_count for part in objective.parts)
    one = "a block" if objective.process.blocked else "a row"
    said += [f"n: the corrupted ones of {one}"] if "count" in names or inside else []
    if any(call.function == "hazard" for weight in weights for call in query.calls(weight)):
        said.append("h: the hazard of a clock")
    if objective.process.scaled:
        said[-1] += " at scales of 1" * said[-1].startswith("h: ")
        said.append(
            "w, v: the scales of unmasking and insertion; v_g: their sum over what g misses"
        )
    elif objective.process.learned:
        said.append("p: the head's distribution at i; h: the hazard of the clock of a token")
    if objective.process.struck and by_rates(objective):
        said.append("where a row has lost all tokens, what is gone counts `noised.pace` each")
    letters = [one for p in objective.parts for one in words.use(p, objective).letters]
    letters += [_word(p).letter for p in objective.parts if p.term.divergence.options]
    said += dict.fromkeys(letter for letter in letters if letter)
    calls = f" The mean over {rolled.calls} calls of the network." if rolled is not None else ""
    return f"{'; '.join(said)}. In nats per {unit}.{calls}"


def _around(objective: Objective) -> list[ast.Expr]:
    """Return the weights that differ from token to token."""
    weights = (inlined(part, objective) for part in objective.parts)
    return [weight for weight in weights if weight is not None and query.around(weight)]


def _word(part: Part) -> Divergence:
    return words.known()[part.term.divergence.kind]


def _latex(part: Part, objective: Objective) -> tuple[str, str]:
    """Return the weight of a term, and the rest."""
    use, factor = words.use(part, objective), _word(part).factor
    sign, found = "-" * use.minus, inlined(part, objective)
    cost = _joined(use.sums, f"{sign}{use.latex}")
    bare = rf"\big({cost}\big)" if use.minus and not use.sums else cost
    times = rf"{factor} \, {bare}" if part.term.divergence.options and factor else ""
    if found is None:
        return "", times or cost
    if query.around(found):
        return "", _joined(use.sums, rf"{sign}w_i {use.latex}")
    short = inline(found, {name: ast.Name(s, span=found.span) for name, s in SHORT.items()})
    weight = latex_expr(short)
    if isinstance(short, ast.Binary) and short.op in "+-":
        weight = rf"\left({weight}\right)"
    if times or not use.sums:
        return "", rf"{weight} \, {times or bare}"
    return weight, cost


def _term(part: Part, objective: Objective, clock: Clock, own: str) -> ir.Term:
    term, use, weight = part.term, words.use(part, objective), inlined(part, objective)
    head = query.heads(objective.family)[term.head.id]
    found = _params(part, objective)
    rank = Rank.TOKEN if objective.process.blocked else Rank.ROW
    names = {name: variable(name, rank, kind, wide=name) for name, kind in AMOUNTS.items()}
    names |= {p.name: param(p.name, p.kind, owner="") for p in found}
    code = None
    if weight is not None:
        code = _weight(weight, Names(names, partial(_call, objective, clock)))
    if own:
        inner = built("({})", code) if code else ONE
        code = built("{} / {}.clamp(min=1)", inner, OWN[own].at(inner.rank))
    reads = tuple(sorted(code.reads.variables)) if code else ()
    given = _given(_reads_batch(use, reads, objective), objective)
    given |= {"scales": "Scales"} if use.reads_scales else {}
    timed = use.reads_clock and bool(clock.params)
    given |= {"clock": "Clock"} if timed or (code and CLOCK in code.reads.params) else {}
    given |= {p.name: p.python for p in found}
    return ir.Term(
        head=term.head.id,
        signature=tuple(f"{name}: {kind}" for name, kind in given.items()),
        arguments=tuple(given),
        partial=use.partial,
        at=place(part, objective),
        size=query.size(head),
        weight=code,
        amounts=tuple(_amounts(code, blocked=objective.process.blocked)) if code else (),
        row=built("batch.x0" if objective.process.holds_places else "noised.clean"),
        per_row=code is not None and code.rank >= Rank.ROW,
        per_token=code is not None and code.rank == Rank.TOKEN,
        factor=f"{code} * " if code is not None and code.rank < Rank.ROW else "",
        states=states(head, objective.process),
        cast=code is not None and code.kind == Kind.DOUBLE,
        options=_options(part),
        summary=returning(use.meaning),
        detail=_detail(part, objective, weight),
        given=f", {CLOCK}" if timed else "",
        places=use.at,
        paced=objective.process.struck and by_rates(objective),
        shape=" batch" if objective.process.learned else "",
    )


def states(head: ast.Head, process: Process) -> str:
    """Return the code of the hidden states of tokens, as a head reads them."""
    row = "batch" if process.holds_places else "noised"
    return f"shifted(hidden, {row}.attend)" if head.shifted else "hidden"


def _amounts(weight: Code, *, blocked: bool) -> Iterator[tuple[str, str]]:
    """Yield the amounts that a weight reads with their code: of blocks, of tokens or of rows."""
    wide = weight.rank == Rank.TOKEN and not blocked
    length = "of_block(batch.free, noised.block)" if blocked else "batch.free.sum(1)"
    known = {
        "count": "noised.count[:, None]" if wide else "noised.count",
        "length": "batch.free.sum(1, keepdim=True)" if wide else length,
        "t": "noised.t[:, None]" if wide else "noised.t",
    }
    yield from ((name, code) for name, code in known.items() if name in weight.reads.variables)


def _given(reads_batch: bool, objective: Objective) -> dict[str, str]:
    """Return what every term is given, with the types."""
    given = {"network": "Network", "hidden": 'Float[Tensor, "batch length width"]'}
    given |= {} if objective.process.ordered else {"noised": "Noised"}
    return given | ({"batch": "Batch"} if reads_batch else {})


def _reads_batch(use: Use, reads: tuple[str, ...], objective: Objective) -> bool:
    """Return whether the code of a term needs the clean batch as well as the noised one."""
    clean = use.reads_row and objective.process.holds_places
    return use.reads_batch or clean or "length" in reads


def _weight(expr: ast.Expr, scope: Names) -> Code:
    """Return the code of a weight: a variable of each row or token, or a factor before a sum."""
    code = Printer.code(expr, scope)
    return code if code.rank else Printer.code(expr, scope, PRODUCT)


def _call(objective: Objective, clock: Clock, call: ast.Call, printer: Printer) -> Code | None:
    """Lower ``visible(geometric(p))``, or a call of a clock."""
    if call.function != "visible":
        return clock.call(call, printer)
    (kernel,) = call.arguments
    assert isinstance(kernel, ast.Call)
    inner = [printer.show(argument) for argument in kernel.arguments]
    row = "batch" if objective.process.holds_places else "noised"
    form = f"visible({kernel.function}({{}}), noised.masked, {row}.attend)"
    return built(form, *inner, kind=Kind.SINGLE, rank=Rank.TOKEN)


def _options(part: Part) -> tuple[tuple[str, Code], ...]:
    """Return the options of a term as code."""
    kinds = {one.name: one.kind for one in _word(part).options}
    return tuple(
        (one.name, _option(one.value, kinds[one.name])) for one in part.term.divergence.options
    )


def _option(value: ast.Expr, kind: str) -> Code:
    if isinstance(value, ast.Name):
        return param(value.id, kind, owner="").code
    return number(value, whole=ir.PYTHON[kind] == "int")


def place(part: Part, objective: Objective) -> str:
    """Return the place of the head of a term."""
    at = query.heads(objective.family)[part.term.head.id].at
    assert at is not None
    return at.id


def _detail(part: Part, objective: Objective, weight: ast.Expr | None) -> str:
    text = _word(part).detail({name: str(code) for name, code in _options(part)})
    if weight is None:
        return text.strip()
    text += f"Weight: {plain_expr(weight)}"
    said = f", that of the likelihood bound{_up_to(part.term)}" * proportional(part, objective)
    if mostly := clamped(part, objective):
        said = f", which is {mostly}."
    return text + (said or ".") + _width(part, objective)


def _width(part: Part, objective: Objective) -> str:
    """Return the origin of the factor of a bound on a part of the time."""
    amount, weight = objective.process.amount, part.term.weight
    if "bound" not in mentioned([weight] if weight else []) or amount is None:
        return ""
    ends = amount.law.arguments if amount.variable.id == "t" else ()
    width = exact(ends[1]) - exact(ends[0]) if len(ends) == 2 else 1
    return "" if width == 1 else f" {float(width):g}: the width of the range of t."


def _up_to(term: ast.Term) -> str:
    exactly = isinstance(term.weight, ast.Name) and term.weight.id == "bound"
    return "." if exactly else ", up to a constant."
