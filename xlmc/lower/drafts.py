"""Drafts in code: their law, and the edits that make a text of one."""

from attrs import evolve

from xlmc.calculus.code import (
    CLOCK,
    Code,
    Kind,
    Names,
    Printer,
    Rank,
    built,
    param,
    variable,
)
from xlmc.calculus.code import number as literal
from xlmc.lower import ir
from xlmc.lower.amounts import Amounts
from xlmc.lower.canvas import timely
from xlmc.lower.params import mentioned
from xlmc.syntax import ast, query
from xlmc.syntax.expression import inline
from xlmc.words import slots
from xlmc.words.decoding import environment
from xlmc.words.drafts.base import Law


def law(family: ast.Family) -> Law | None:
    """Return the law of the draft, if that has tokens."""
    found = slots.law_of_draft(family)
    return found if found is not None and found.partial else None


def number(family: ast.Family, owner: str = "") -> Code | None:
    """Return the number of the law of a draft, of the clock of an owner (``self.``)."""
    expr, word = query.number_of_draft(family), law(family)
    if isinstance(expr, ast.Name):
        return built(f"{{}}.{expr.id}", param(CLOCK, "Scale", owner).code)
    whole = word is not None and word.number == "size"
    return literal(expr, whole=whole) if expr is not None else None


def drawn(family: ast.Family) -> ir.Draft | None:
    """Return how the tokens of a draft are drawn; None where there are none."""
    word, own = law(family), number(family)
    if word is None or own is None:
        return None
    taken = ir.TAKEN if CLOCK in own.reads.params else ""
    return ir.Draft(
        partial=word.partial,
        number=own,
        said=f"`{own}`" if taken else str(own),
        token=word.token.format(size=own),
        what=word.what,
        taken=taken,
        of="batch" if word.brought else "batch.open & ~batch.free",
    )


def taken(family: ast.Family) -> str:
    """Return the clock among the arguments of the noise, of which its number is; else ""."""
    found = drawn(family)
    return found.taken if found is not None else ""


def rates(step: ast.Step) -> dict[str, ast.Expr]:
    """Return the rates of the edits of a step, by their verbs."""
    edits = [one for one in step.actions if isinstance(one, ast.Act | ast.Insert)]
    return {query.verb(one): one.much.value for one in edits if one.much.value is not None}


def insertion(step: ast.Step, family: ast.Family) -> ast.Draw:
    """Return the draw of the tokens that a step inserts, or of all that it draws."""
    draws = query.those(step.actions, ast.Draw)
    return next((one for one in draws if _at(one, family) == "gaps"), draws[0])


def substitution(step: ast.Step, family: ast.Family) -> ast.Draw:
    """Return the draw of the tokens that a step substitutes."""
    draws = query.those(step.actions, ast.Draw)
    return next(one for one in draws if _at(one, family) == "tokens")


def _at(draw: ast.Draw, family: ast.Family) -> str:
    at = query.heads(family)[draw.head.id].at
    return at.id if at is not None else ""


def editing(step: ast.Step, amounts: Amounts, draw: ir.Sampler) -> ir.Editing:
    """Return the edits of a step; ``draw``: how the tokens that it substitutes are drawn."""
    section, family = amounts.section, amounts.family
    values = {verb: inline(value, amounts.late) for verb, value in rates(step).items()}
    found = {verb: _rate(value, family, amounts.scope) for verb, value in values.items()}
    env, (arrow,) = environment(section, family), query.arrows(family)
    draft, room = _begun(family)
    policy = query.first(section.entries, ast.Overflow)
    return ir.Editing(
        draft=draft,
        room=room,
        missing=found["insert"],
        surplus=found["delete"],
        wrong=found["substitute"],
        right=substitution(step, family).head.id,
        draw=draw,
        overflow=policy.policy.id if policy is not None else "",
        timely=all(
            timely(value, found[verb].head, env, arrow.survival) for verb, value in values.items()
        ),
    )


def _begun(family: ast.Family) -> tuple[Code | None, Code]:
    """Return the draft of a canvas, None where rows bring theirs, and the room for its tokens."""
    word, own = law(family), number(family, "self.")
    assert word is not None
    assert own is not None
    if word.brought:
        return None, built("canvas.room")
    given = [param(CLOCK, "Scale", "self.").code] if taken(family) else []
    draft = f"draft(canvas.open, noise, canvas.network.vocab{', {}' * len(given)})"
    return built(draft, *given), own


def _rate(value: ast.Expr, family: ast.Family, scope: Names) -> ir.Rate:
    (head,) = mentioned([value]) & {*query.heads(family)}
    rate = {head: variable(head, Rank.TOKEN, Kind.SINGLE)}
    return ir.Rate(head, Printer.code(value, evolve(scope, names={**scope.names, **rate})))
