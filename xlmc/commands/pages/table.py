"""Families in a table, a row each: the Markdown that documents a folder of specs."""

import re
from collections.abc import Iterable, Iterator

from xlmc.lower.clamps import clamped
from xlmc.lower.collate import collate
from xlmc.syntax import ast, printer, query
from xlmc.theory.claims import claim
from xlmc.theory.objective import Objective, Part
from xlmc.theory.process import step_of
from xlmc.words import terms

BEGIN, END = "<!-- xlmc doc -->", "<!-- end of xlmc doc -->"
COLUMNS = ("family", "noise", "network", "loss", "decoders", "likelihood")


def table(families: Iterable[ast.Family]) -> str:
    """Format checked families as a Markdown table."""
    rows = [COLUMNS, ("---",) * len(COLUMNS), *map(_row, families)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def inserted(text: str, made: str) -> str | None:
    """Insert the table between its two marks in a text; return None without one of each mark."""
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        return None
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{made}{END}{rest.partition(END)[2]}"


def _row(family: ast.Family) -> tuple[str, ...]:
    objective = terms.objective(family)
    title = [_text(family.title.value)] if family.title is not None else []
    return (
        "<br>".join([f"**{family.name.id}**", *title, *map(paper, family.papers)]),
        "<br>".join(_noise(family)),
        _network(family),
        "<br>".join(_term(part, objective) for part in objective.parts),
        ", ".join(section.name or "default" for section in query.decoders(family)),
        "<br>".join(_likelihood(objective)),
    )


def _term(part: Part, objective: Objective) -> str:
    """Format a term, and describe its weight if the formula does not show it."""
    mostly = clamped(part, objective)
    return _code(printer.entry(part.term)) + (f" ({mostly})" if mostly else "")


def _likelihood(objective: Objective) -> Iterator[str]:
    """Yield the claim, and the layouts whose numbers are given the length."""
    value = claim(objective)[0]
    yield value
    layouts = collate(objective.family).layouts if value != "none" else ()
    if names := [layout.name for layout in layouts if "length" in layout.given]:
        yield f"{', '.join(names)}: given the length"


def _noise(family: ast.Family) -> list[str]:
    lines = [
        f"{arrow.origin.id} → {' or '.join(step_of(arrow)[1:])} " + _code(printer.clock(arrow))
        for arrow in query.arrows(family)
    ]
    amount = query.amount(family)
    if amount is not None:
        return [*lines, _code(printer.entry(amount))]
    return lines or ["none, in a drawn order" if query.permuted(family) else "none"]


def _network(family: ast.Family) -> str:
    entries = query.entries(family, "network")
    backbone = query.the(entries, ast.Backbone)
    kind = query.the(entries, ast.Attention).kind.id
    found = f"{_code(printer.expression(backbone.value))}, {kind} attention"
    if (second := query.clocks(family)) is None:
        return found
    own = query.the(second.entries, ast.Backbone)
    return f"{found}<br>{second.name}: {_code(printer.expression(own.value))}"


def paper(paper: ast.Paper) -> str:
    """Return a paper as a link, in Markdown."""
    words = _text(paper.citation.value)
    if paper.arxiv is None:
        return words
    return f"[{words}](https://arxiv.org/abs/{re.sub(r'[^0-9A-Za-z./-]', '', paper.arxiv.value)})"


def _code(words: str) -> str:
    """Format code for a cell of a table; it contains no quoted text but a path."""
    return "`" + re.sub(" +", " ", words).replace("`", "'").replace("|", r"\|") + "`"


def _text(words: str) -> str:
    """Escape words so that Markdown leaves them as they are."""
    return re.sub(r"[\\*_{}\[\]<>|#~&!`]", lambda sign: f"\\{sign[0]}", words)
