"""Queries on a family, its sections and its recipes."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from fractions import Fraction

from attrs import evolve

from xlmc.syntax import ast
from xlmc.syntax.expression import TooHard, inline
from xlmc.syntax.query.actions import act, amounts, expressions, names
from xlmc.syntax.query.nodes import called, first, those

SPECIALS = ("pad", "mask", "bos", "eos", "cls")


def entries(family: ast.Family, kind: str, name: str | None = None) -> tuple[ast.Node, ...]:
    """Return the entries of a section; of the default decoder if ``name`` is None."""
    return tuple(
        entry
        for section in family.sections
        if section.kind == kind and section.name == name
        for entry in section.entries
    )


def written(arrow: ast.Arrow) -> ast.Expr:
    """Return the formula of an arrow as the author wrote it."""
    return arrow.value if arrow.events is None else arrow.events


def arrows(family: ast.Family) -> tuple[ast.Arrow, ...]:
    """Return the arrows of the noise, in the order of a token's life, without their lets.

    Of these only `constants` are left, and those of an arrow that is too long without them.
    """
    known = entries(family, "noise")
    kept = {one.name for one in constants(family)}
    lets = written_out(one for one in those(known, ast.Let) if one.name not in kept)
    return tuple(_without(arrow, lets) for arrow in those(known, ast.Arrow))


def _without(arrow: ast.Arrow, lets: Mapping[str, ast.Expr]) -> ast.Arrow:
    """Return an arrow with values in the place of the names of lets."""
    if not lets:
        return arrow
    try:
        return with_formulas(arrow, lambda one: inline(one, lets))
    except TooHard:
        return arrow


def written_out(lets: Iterable[ast.Let]) -> dict[str, ast.Expr]:
    """Return the values of lets by their names, in which no name of one is left.

    Those that are too long are left out.
    """
    found: dict[str, ast.Expr] = {}
    for one in lets:
        with suppress(TooHard):
            found[one.name] = inline(one.value, found)
    return found


def constants(family: ast.Family) -> tuple[ast.Let, ...]:
    """Return the lets of the noise that depend on its params, and not on the time."""
    known = entries(family, "noise")
    lets, params = those(known, ast.Let), {param.name for param in those(known, ast.Param)}
    reads = {one.name: spoken([one.value], lets) for one in lets}
    return tuple(one for one in lets if "t" not in reads[one.name] and reads[one.name] & params)


def clocks(family: ast.Family) -> ast.Section | None:
    """Return the second network, whose heads set the clocks of tokens; None without one."""
    named = [one for one in family.sections if one.kind == "network" and one.name is not None]
    return next(iter(named), None)


def learned(family: ast.Family) -> tuple[ast.Param, ...]:
    """Return the heads of the second network as params of a type of their own."""
    section = clocks(family)
    heads = those(section.entries, ast.Head) if section is not None else ()
    return tuple(
        ast.Param(
            head.name, "Learned", ast.Number(Fraction(1), "1", span=head.span), span=head.span
        )
        for head in heads
    )


def scales(arrow: ast.Arrow, family: ast.Family) -> list[ast.Head]:
    """Return the heads of the second network that the survival of an arrow reads."""
    section, read = clocks(family), spoken(formulas(arrow), constants(family))
    heads = those(section.entries, ast.Head) if section is not None else ()
    return [head for head in heads if head.name in read]


def given(family: ast.Family) -> tuple[ast.Param, ...]:
    """Return all that the formulas of the noise may read: its params, and what is learned."""
    return (*those(entries(family, "noise"), ast.Param), *learned(family))


def with_formulas(arrow: ast.Arrow, change: Callable[[ast.Expr], ast.Expr]) -> ast.Arrow:
    """Return an arrow with each of its formulas changed."""
    others = (arrow.share, arrow.kept, arrow.events)
    share, kept, events = (None if one is None else change(one) for one in others)
    return evolve(arrow, value=change(arrow.value), share=share, kept=kept, events=events)


def formulas(arrow: ast.Arrow) -> tuple[ast.Expr, ...]:
    """Return the formulas of an arrow: its clock, and the shares of other states."""
    shares = (arrow.share, arrow.kept)
    return (written(arrow), *(share for share in shares if share is not None))


def amount(family: ast.Family) -> ast.Amount | None:
    """Return the amount of noise of an example."""
    return first(entries(family, "noise"), ast.Amount)


def permuted(family: ast.Family) -> bool:
    """Return whether the order in which tokens are predicted is drawn."""
    found = first(entries(family, "noise"), ast.Sequence)
    return found is not None and found.kind.id != "left"


def extent(amount: ast.Amount) -> tuple[ast.Expr, ast.Expr]:
    """Return the least and the largest amount of noise: equal if it is fixed."""
    return amount.law.arguments[0], amount.law.arguments[-1]


def heads(family: ast.Family) -> dict[str, ast.Head]:
    """Return the heads by their names."""
    return {head.name: head for head in those(entries(family, "network"), ast.Head)}


def carry(family: ast.Family) -> ast.Carry | None:
    """Return the state that training carries from call to call; None where it makes one call."""
    found = first(entries(family, "network"), ast.Carry)
    return found if found is not None and calls_of(found) > 1 else None


def calls_of(carry: ast.Carry) -> int:
    """Return how many calls a carried state is trained through; 0 for what is no number."""
    return int(carry.over.value) if isinstance(carry.over, ast.Number) else 0


def size(head: ast.Head) -> int:
    """Return the largest number in a head's range: ``distribution(32)``; 0 for other heads."""
    return int(head.size.value) if isinstance(head.size, ast.Number) else 0


def terms(family: ast.Family) -> tuple[ast.Term, ...]:
    """Return the terms of the loss."""
    return those(entries(family, "loss"), ast.Term)


def decoders(family: ast.Family) -> tuple[ast.Section, ...]:
    """Return the decoders, the default one first."""
    found = [section for section in family.sections if section.kind == "decoder"]
    return tuple(sorted(found, key=lambda section: section.name is not None))


def read_by_step(section: ast.Section) -> set[str]:
    """Return the names that a decoder's choice of masks reads, also through its lets."""
    step = first(section.entries, ast.Step)
    unmask = act(step.actions, "unmask") if step is not None else None
    read = amounts(unmask) if unmask is not None else ()
    return spoken(read, those(section.entries, ast.Let))


def of_rollout(family: ast.Family) -> tuple[ast.Param, ...]:
    """Return the params of the default decoder that training reads, for steps between its calls."""
    if carry(family) is None or not (sections := decoders(family)):
        return ()
    read = read_by_step(sections[0])
    return tuple(one for one in those(sections[0].entries, ast.Param) if one.name in read)


def chosen(family: ast.Family, recipe: ast.Recipe) -> tuple[ast.Section, ...]:
    """Return the decoder that a recipe selects, or the default one."""
    named = [
        setting.value.id
        for setting in recipe.settings
        if setting.path == "decoder" and isinstance(setting.value, ast.Name)
    ]
    name = named[0] if named else "default"
    return tuple(section for section in decoders(family) if (section.name or "default") == name)


def idle(family: ast.Family, recipe: ast.Recipe) -> set[str]:
    """Return the params that the loss, or the decoder of a recipe, has and does not read."""
    losses = [section for section in family.sections if section.kind == "loss"]
    found = set()
    for section in (*losses, *chosen(family, recipe)):
        exprs = [
            expr
            for entry in section.entries
            if not isinstance(entry, ast.Let)
            for expr in (weighed(entry) if isinstance(entry, ast.Term) else expressions(entry))
        ]
        read = spoken(exprs, those(section.entries, ast.Let))
        params = [entry for entry in section.entries if isinstance(entry, ast.Param | ast.Choice)]
        found |= {f"{section.kind}.{param.name}" for param in params if param.name not in read}
    return found


def weighed(term: ast.Term) -> list[ast.Expr]:
    """Return the expressions of a term, which may read the params and lets of a loss."""
    weight = [term.weight] if term.weight is not None else []
    return [*weight, *(option.value for option in term.divergence.options)]


def spoken(exprs: Iterable[ast.Expr], lets: Iterable[ast.Let]) -> set[str]:
    """Return the names that expressions mention, those in the lets among them included."""
    values = {one.name: one.value for one in lets}
    found = {name.id for expr in exprs for name in names(expr)}
    while more := {n.id for one in found & set(values) for n in names(values[one])} - found:
        found |= more
    return found


def layouts(family: ast.Family) -> tuple[ast.Layout, ...]:
    """Return the layouts."""
    return those(entries(family, "collate"), ast.Layout)


def predicted(layout: ast.Layout) -> set[str]:
    """Return the specials inside the brackets of a layout."""
    return {slot.name for slot in layout.slots if slot.free} & {*SPECIALS}


def condition(family: ast.Family) -> ast.Keyword | None:
    """Return the backbone's input other than the tokens: ``condition = t``."""
    backbone = first(entries(family, "network"), ast.Backbone)
    if backbone is None or not isinstance(backbone.value, ast.Call):
        return None
    return next((k for k in backbone.value.keywords if k.name == "condition"), None)


def asked(chance: ast.Expr) -> str:
    """Return the head whose chance a condition reads: ``done``, ``tempered(done, 0.5)``; else "".

    ``zero(missing)`` is the chance of 0 under the distribution of a head.
    """
    match chance:
        case ast.Name(id=head):
            return head
        case ast.Call(function="zero", arguments=(ast.Name(id=head),), keywords=(), primes=0):
            return head
        case ast.Call(function="tempered", arguments=(ast.Name(id=head), _), keywords=(), primes=0):
            return head
    return ""


def backbone(family: ast.Family) -> str:
    """Return the name of the backbone; "" for one that is Python, or none."""
    found = first(entries(family, "network"), ast.Backbone)
    if found is None or found.python is not None:
        return ""
    return called(found.value)


def pretrained(family: ast.Family) -> str:
    """Return the repository of published weights that the backbone names; "" if it names none."""
    found = first(entries(family, "network"), ast.Backbone)
    if found is None or not isinstance(found.value, ast.Call):
        return ""
    values = [*found.value.arguments]
    values += [k.value for k in found.value.keywords if k.name == "pretrained"]
    return values[0].value if values and isinstance(values[0], ast.String) else ""


def shifted(family: ast.Family) -> bool:
    """Return whether logits of tokens are read one position to the left; all are, or none."""
    return any(head.shifted for head in heads(family).values())


def draft(family: ast.Family) -> ast.Draft | None:
    """Return the law of the row that noise makes of a text at last; None where there is no law."""
    return first(entries(family, "noise"), ast.Draft)


def law_of_draft(family: ast.Family) -> str:
    """Return the word for the law of the draft; "" where there is none."""
    found = draft(family)
    return called(found.law) if found is not None else ""


def number_of_draft(family: ast.Family) -> ast.Expr | None:
    """Return the number that the law of a draft has: a size or a rate."""
    found = draft(family)
    call = found.law if found is not None else None
    return call.arguments[0] if isinstance(call, ast.Call) and call.arguments else None


def size_of_blocks(family: ast.Family) -> ast.Expr | None:
    """Return the size of the blocks that have noise of their own; None where a row has one."""
    blocks = first(entries(family, "noise"), ast.Blocks)
    return blocks.size if blocks is not None else None


def param_beside(family: ast.Family) -> ast.Param | None:
    """Return the param of the noise that is no part of a clock: of blocks, or of a draft's law."""
    read = size_of_blocks(family) or number_of_draft(family)
    params = those(entries(family, "noise"), ast.Param)
    return next((p for p in params if isinstance(read, ast.Name) and p.name == read.id), None)


def sized(family: ast.Family) -> ast.Start | None:
    """Return the start of the default decoder, if a head gives its number of masks."""
    start = first(entries(family, "decoder"), ast.Start)
    return start if start is not None and start.head is not None else None


def camel(name: str) -> str:
    """Return the name of a class: ``FirstHitting`` for ``first_hitting``."""
    return "".join(part.capitalize() for part in name.split("_"))
