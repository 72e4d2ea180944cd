"""A finish that is repeated: it corrects the tokens of a text, as long as that changes one."""

from collections.abc import Iterator

from xlmc.check import edits
from xlmc.check.actions import VERBS, drawing, twice
from xlmc.check.rules import STEPS, at_least_one, known
from xlmc.check.words import one_of
from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import WrongAction, WrongDraw, WrongStep
from xlmc.syntax import ast, query
from xlmc.theory.environment import Environment
from xlmc.theory.process import Process
from xlmc.words import slots

EXAMPLE = "substitute one by confidence of sampled"


def check(
    finish: ast.Finish, section: ast.Section, family: ast.Family, env: Environment
) -> Iterator[Diagnostic]:
    """Check that tokens can be corrected, how often at most, and by which actions."""
    process = Process.of(family)
    if process.known and not process.replaces:
        yield _idle(finish, process)
        return
    if finish.over is not None:
        hint = "write `param corrections : Count = 32` and `finish over corrections { ... }`"
        what, wrong = "number of corrections", [*known(finish.over, env)]
        yield from wrong or at_least_one(finish.over, env, what=what, hint=hint, most=STEPS)
    yield from _actions(finish, section, family, env)


def _idle(finish: ast.Finish, process: Process) -> Diagnostic:
    """Report corrections where the network learns nothing of wrong tokens, or steps mend them."""
    why = "the network learns nothing about tokens that show, and cannot tell which are wrong"
    hint = "drop the finish, or let tokens become `random`, too"
    if process.spoiled:
        why = "a step replaces tokens itself"
        hint = f"drop the finish, and write `step {{ unmask ...; {EXAMPLE} }}`"
    return WrongAction(span=finish.span, action="finish over", why=why, hint=hint)


def _actions(
    finish: ast.Finish, section: ast.Section, family: ast.Family, env: Environment
) -> Iterator[Diagnostic]:
    """Check that a correction replaces tokens, once, and does nothing else."""
    yield from twice(finish, "finish", Process.of(family))
    for action in finish.actions:
        words = [word for _, word in slots.edits((action,)) if word.revises]
        match action:
            case ast.Draw():
                yield from _draw(action, family, env)
            case ast.Act() if words:
                yield from edits.answer(action, words[0], finish, section, family)
                yield from edits.revised(action, words[0], section, family, env)
            case _:
                yield from _other(action)
    if all(isinstance(action, ast.Draw) for action in finish.actions):
        problem, why = "this finish replaces no token", "it is repeated to correct a text"
        yield WrongStep(span=finish.span, problem=problem, why=why, hint=f"add `{EXAMPLE}`")


def _other(action: ast.Action) -> Iterator[Diagnostic]:
    """Report an action that corrects nothing."""
    if isinstance(action, ast.Act) and not slots.ways(action):
        yield from one_of(action.verb, VERBS, "an action of a finish")
        return
    why, hint = "a correction replaces tokens, and does nothing else", f"write `{EXAMPLE}`"
    if query.anew((action,)) is not None:
        why = "`all` draws every token anew, and corrections end when one changes nothing"
    yield WrongAction(span=action.span, action=query.verb(action), why=why, hint=hint)


def _draw(draw: ast.Draw, family: ast.Family, env: Environment) -> Iterator[Diagnostic]:
    """Check the draw of the tokens that replace others."""
    yield from drawing(draw, family, env, Process.of(family))
    if draw.law is not None:
        why = "no noise is left: tokens are those of the network's answer"
        hint = f"write `draw {draw.head.id}`"
        yield WrongDraw(span=draw.law.span, why=why, hint=hint)
