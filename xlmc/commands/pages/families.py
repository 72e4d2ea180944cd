"""The page of families: what noise does to ``a b c d``, the loss, a sample step by step, claims."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from attrs import frozen

from xlmc.commands.pages.table import paper, table
from xlmc.lower import ir
from xlmc.lower.collate import collate
from xlmc.syntax import ast, printer, query
from xlmc.theory.claims import claim
from xlmc.theory.process import Process, step_of
from xlmc.words import slots, terms

HALF = 0.5
MEANING = {
    "tight": "an upper bound of -log p(x), equal to it for a perfect network",
    "bound": "an upper bound of -log p(x) that stays above it even for a perfect network",
    "none": "no number is known",
}
EDITS = ("extra", "changed", "revision")  # what heads of deletions and substitutions learn
EXACT = "-log p(x) of the network itself, whatever it has learned"
GIVEN = {
    "prompt": "the prompt",
    "tokens": "some of its tokens",
    "draft": "its draft",
    "length": "the length",
    "end": "whether the text was cut",
}


@frozen
class Shown:
    """A compiled family at work on the text ``a b c d``.

    rows: noised forms of the text. shares: how often a token is in each state there; empty where
    nothing is corrupted. states: a sample of the default decoder, the rows on the way with the
    numbers of their steps. steps: how many of them were set, if any. params: those of the loss and
    of each decoder, as a spec declares them. objective: the docstring of the loss. law: how the
    samples of the default decoder relate to the likelihood.
    """

    rows: Sequence[str]
    shares: Mapping[str, float]
    states: Sequence[tuple[int, str]]
    steps: int | None
    params: Mapping[str, Sequence[str]]
    objective: str
    law: str


def heads(family: ast.Family) -> dict[str, tuple[str, str, bool]]:
    """Return the kind of each head, or which edits it learns; its place; if its token is ahead."""
    ahead = Process.of(family).ordered
    learnt = {part.term.head.id: part.trains for part in terms.objective(family).parts}
    edits = {name: what for name, what in learnt.items() if what in EDITS}
    return {
        name: (
            edits.get(name, head.kind.id),
            head.at.id if head.at is not None else "tokens",
            head.shifted or ahead,
        )
        for name, head in query.heads(family).items()
    }


def counted(family: ast.Family) -> bool:
    """Return whether training draws a number of corrupted tokens, rather than a time."""
    amount = query.amount(family)
    return amount is not None and amount.variable.id == "count"


def page(families: Iterable[tuple[ast.Family, Shown]]) -> str:
    """Write a table of the families with links, and a section on each."""
    known = list(families)
    links = " | ".join(f"[{family.name.id}](#{family.name.id})" for family, _ in known)
    head = [table(family for family, _ in known), links, ""] if len(known) > 1 else []
    return "\n".join([*head, *(line for one in known for line in section(*one))])


def section(family: ast.Family, shown: Shown) -> Iterator[str]:
    """Write about one family."""
    title = f" {family.title.value}." if family.title is not None else ""
    papers = ", ".join(map(paper, family.papers))
    yield from (f"## {family.name.id}", "")
    yield from (" ".join(f"{title} {family.doc} {papers}".split()), "")
    yield from _noise(family, shown)
    yield from _loss(shown.objective)
    yield from _params(shown.params)
    yield from _sample(family, shown)
    yield from _length(family)
    yield from _likelihood(family)


def _noise(family: ast.Family, shown: Shown) -> Iterator[str]:
    amount = query.amount(family)
    if amount is None:
        order = ", in an order that is drawn" * Process.of(family).permuted
        yield from (f"**Noise.** None: every token is predicted from those before it{order}.", "")
        return
    clocks = ", ".join(
        f"{arrow.origin.id} to {' or '.join(step_of(arrow)[1:])} by "
        f"`{printer.clock(arrow)}`{_share(arrow)}"
        for arrow in query.arrows(family)
    )
    draft = query.draft(family)
    drafted = f" The draft is by `{printer.entry(draft)}`." if draft is not None else ""
    when = "with 2 of 4 tokens corrupted" if counted(family) else "at t = 0.5"
    if query.size_of_blocks(family) is not None:
        when = "and what follows it, with half of their only block masked"
    chances = ", ".join(f"{state} {share:.2f}" for state, share in shown.shares.items())
    clocks += _learned(family)
    yield f"**Noise.** {clocks}. Training draws `{printer.entry(amount)}`.{drafted}"
    yield f"Three draws of `a b c d` {when} (each token is {chances}):"
    yield from ("", "```", *shown.rows, "```", "")


def _learned(family: ast.Family) -> str:
    """Name the second network, and what it answers for each token."""
    if (second := query.clocks(family)) is None:
        return ""
    heads = ", ".join(f"`{one.name}`" for one in query.learned(family))
    return f", with {heads} of each token by the network `{second.name}`, which is trained as well"


def _share(arrow: ast.Arrow) -> str:
    """Write the share of the second state."""
    if arrow.share is None or arrow.other is None:
        return ""
    share = printer.expression(arrow.share)
    kept = f", and one of `{printer.expression(arrow.kept)}` stays as it is" if arrow.kept else ""
    return f"; of the corrupted tokens a share of `{share}` is {arrow.other.id}{kept}"


def _loss(doc: str) -> Iterator[str]:
    """Write the formula of a docstring, and the legend under it."""
    _, _, rest = doc.partition(".. math::")
    formula, _, legend = rest.strip("\n").partition("\n\n")
    lines = [line.strip() for line in formula.splitlines() if line.strip()]
    yield from ("**Loss.**", "", "```math", *lines, "```", "")
    yield from (re.sub(r"\s+", " ", legend).strip(), "")


def _params(params: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """List what `--set` may change, as a spec declares it."""
    lines = [
        f"- `{name if name in ('loss', 'noise') else f'decoder={name}'}`: "
        + ", ".join(f"`{one}`" for one in declared)
        for name, declared in params.items()
        if declared
    ]
    if lines:
        sections = (*(["noise"] if "noise" in params else []), "loss", "decoder")
        paths = ", ".join(f"`--set {section}.NAME=`" for section in sections)
        yield from (f"**Params** ({paths}):", *lines, "")


def _sample(family: ast.Family, shown: Shown) -> Iterator[str]:
    step = query.first(query.entries(family, "decoder"), ast.Step)
    stop = query.first(query.entries(family, "decoder"), ast.Stop)
    actions = "; ".join(map(printer.entry, step.actions)) if step is not None else ""
    steps = f", {shown.steps} steps" if shown.steps is not None else ""
    yield f"**A sample** of the default decoder, `{actions}`{steps}:"
    yield from ("", "```")
    yield from (f"{number:>4}  {row}" for number, row in shown.states)
    yield from ("```", "")
    ends = f" A row ends at `{printer.entry(stop)}`." if stop is not None else ""
    yield from (
        f"Rows that repeat the one before are left out.{ends} Its samples are {shown.law}.",
        "",
    )


def _length(family: ast.Family) -> Iterator[str]:
    sources: dict[str, list[str]] = {}
    for layout in collate(family).layouts:
        sources.setdefault(_source(layout, family), []).append(f"`{layout.name}`")
    yield "**Length.** " + " ".join(
        f"{', '.join(names)}: {source}." for source, names in sources.items()
    )
    yield ""


def _source(layout: ir.Layout, family: ast.Family) -> str:
    """Describe where the length of a text comes from."""
    process = Process.of(family)
    if (start := query.sized(family)) is not None and start.head is not None:
        return f"drawn from the head `{start.head.id}`, which sees the row without a token or mask"
    if process.drafts:
        return "the decoder inserts and deletes, up to the room (`data.block`)"
    if process.drops:
        grid = slots.grid(query.decoders(family)[0].entries)
        ends = ", its grid ends" if grid is not None and grid.timed else ""
        return f"the decoder inserts until it stops{ends} or the room (`data.block`) is full"
    if process.ordered and "eos" in layout.predicts:
        return "the network writes `eos`, or the room (`data.block`) is full"
    if layout.fills:
        return (
            "all the room is filled; the network writes `eos` behind the text, and `pad` after it"
        )
    if layout.keeps:
        return "each hole has the length that the prompt gives it (`[MASK*3]`)"
    return "given by `generate.length`, or drawn from the lengths of the training texts"


def _likelihood(family: ast.Family) -> Iterator[str]:
    value, why = claim(terms.objective(family))
    meaning = EXACT if Process.of(family).ordered else MEANING[value]
    yield f"**Likelihood.** `{value}`: {meaning}. {why[0].upper()}{why[1:]}."
    for layout in collate(family).layouts if value != "none" else ():
        given = " and ".join(GIVEN[one] for one in layout.given) or "nothing"
        yield f"- `{layout.name} : {layout.text}`: given {given}"
    yield ""
