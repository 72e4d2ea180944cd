"""The distribution that a step draws from: the head's own, or the one of the next time."""

from collections.abc import Iterator

from attrs import frozen

from xlmc.check.words import one_of
from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import WrongDraw, WrongRule
from xlmc.syntax import ast, query
from xlmc.theory.process import Process
from xlmc.words.slots import head_words, rule_words

LAWS = ("posterior", "euler")


def law(draw: ast.Draw, block: ast.Step | ast.Finish, family: ast.Family) -> Iterator[Diagnostic]:
    """Report a draw from another distribution than an action has."""
    found = _Drawn(draw, block, Process.of(family), _of_ratios(draw, family))
    if draw.law is not None:
        yield from one_of(draw.law, LAWS, "a distribution to draw from")
        yield from found.masks() if found.process.masks and found.ratios else ()
    why, hint = found.refusal()
    if why:
        yield WrongDraw(span=(draw.law or draw).span, why=why, hint=hint)


def _of_ratios(draw: ast.Draw, family: ast.Family) -> bool:
    """Return whether the head of a draw gives ratios."""
    head = query.heads(family).get(draw.head.id)
    word = head_words().get(head.kind.id) if head is not None else None
    return word is not None and word.ratios


@frozen
class _Drawn:
    """A draw of a step; ``ratios``: its head gives ratios."""

    draw: ast.Draw
    block: ast.Step | ast.Finish
    process: Process
    ratios: bool

    def refusal(self) -> tuple[str, str]:
        """Return why there is no distribution to draw from, and what to write; else twice ""."""
        draw, name = self.draw, self.draw.law.id if self.draw.law is not None else ""
        here = query.anew(self.block.actions)
        if self.ratios and self.process.replaces and not name:
            why = f"`{draw.head.id}` gives ratios, which lead to the next time: no distribution"
            return why, f"write `draw {draw.head.id} from posterior`"
        if self.ratios and name and (draw.options or draw.greedy):
            why = "ratios are no distribution to cut: some of the chance is to change nothing"
            return why, f"write `draw {draw.head.id} from {name}`"
        if name == "euler" and not self.ratios:
            why = f"`{draw.head.id}` predicts the clean token: the exact step to s is known"
            return why, "write `from posterior`" if here else "drop `from euler`"
        if self.ratios and query.acts(self.block.actions, "keep"):
            why = f"`{draw.head.id}` gives ratios, and this needs a distribution of tokens"
            return why, f"write `unmask all; draw {draw.head.id} from posterior`"
        held = self.process.replaces or self.process.drafts
        if name and not held and not here and not self.ratios:
            why = "only `substitute` draws the token at s: it has one at t to go on from"
            return why, f"drop `from {name}`"
        return "", ""

    def masks(self) -> Iterator[Diagnostic]:
        """Report a rule that takes only some masks, where the draw itself leaves some."""
        for action in query.acts(self.block.actions, "unmask"):
            if action.much.rest is not None or not rule_words()[action.much.rule].whole:
                why = f"`from {self.draw.law.id if self.draw.law else ''}` says which masks stay"
                span, rule = action.much.span, action.much.rule
                yield WrongRule(span=span, rule=rule, why=why, hint="write `unmask all`")
