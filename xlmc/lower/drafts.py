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
    number,
    param,
    variable,
)
from xlmc.lower import ir
from xlmc.lower.canvas import timely
from xlmc.lower.params import mentioned
from xlmc.syntax import ast, query
from xlmc.words import slots
from xlmc.words.decoding import environment
from xlmc.words.drafts.base import Law


def law(family: ast.Family) -> Law | None:
    """Return the law of the draft, if that has tokens."""
    found = slots.law_of_draft(family)
    return found if found is not None and found.token else None


def size(family: ast.Family, owner: str = "") -> Code | None:
    """Return the number of tokens of a draft, of the clock of an owner (``self.``)."""
    expr = query.size_of_draft(family)
    if isinstance(expr, ast.Name):
        return built(f"{{}}.{expr.id}", param(CLOCK, "Scale", owner).code)
    return number(expr, whole=True) if expr is not None else None


def drawn(family: ast.Family) -> ir.Draft | None:
    """Return how the tokens of a draft are drawn; None where there are none."""
    word, length = law(family), size(family)
    if word is None or length is None:
        return None
    taken = ir.TAKEN if CLOCK in length.reads.params else ""
    said = f"`{length}`" if taken else str(length)
    return ir.Draft(length, said, word.token.format(size=length), word.what, taken)


def taken(family: ast.Family) -> str:
    """Return the clock among the arguments of the noise, which its size is; "" for a number."""
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


def editing(
    step: ast.Step, section: ast.Section, family: ast.Family, scope: Names, draw: ir.Sampler
) -> ir.Editing:
    """Return the edits of a step; ``draw``: how the tokens that it substitutes are drawn."""
    amounts = rates(step)
    found = {verb: _rate(value, family, scope) for verb, value in amounts.items()}
    env, (arrow,) = environment(section, family), query.arrows(family)
    length = size(family, "self.")
    assert length is not None
    policy = query.first(section.entries, ast.Overflow)
    given = [param(CLOCK, "Scale", "self.").code] if taken(family) else []
    draft = f"draft(canvas.open, noise, canvas.network.vocab{', {}' * len(given)})"
    return ir.Editing(
        draft=built(draft, *given),
        size=length,
        missing=found["insert"],
        surplus=found["delete"],
        wrong=found["substitute"],
        right=substitution(step, family).head.id,
        draw=draw,
        overflow=policy.policy.id if policy is not None else "",
        timely=all(
            timely(value, found[verb].head, env, arrow.survival) for verb, value in amounts.items()
        ),
    )


def _rate(value: ast.Expr, family: ast.Family, scope: Names) -> ir.Rate:
    (head,) = mentioned([value]) & {*query.heads(family)}
    rate = {head: variable(head, Rank.TOKEN, Kind.SINGLE)}
    return ir.Rate(head, Printer.code(value, evolve(scope, names={**scope.names, **rate})))
