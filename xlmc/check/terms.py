"""The fit of a term of the loss: its divergence, its head, its target, and the noise."""

from collections.abc import Iterator

from attrs import frozen

from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import NothingToSay, WrongTerm
from xlmc.syntax import ast, query
from xlmc.syntax.expression import literal
from xlmc.theory.needs import why_not
from xlmc.theory.objective import Objective
from xlmc.theory.process import Process
from xlmc.words import terms
from xlmc.words.divergences.base import Use
from xlmc.words.slots import of_tokens


def fits(term: ast.Term, head: ast.Head, process: Process) -> Iterator[Diagnostic]:
    """Report the need of a divergence that is not met, if there is one."""
    at = query.read_at(head)
    if not process.known or (of_tokens(head) and at not in ("tokens", "gaps")):
        return  # noise and network say what is wrong with them
    why, hint = _Fit(term, head, process).refusal()
    if why:
        kind = term.divergence.kind
        yield WrongTerm(span=term.divergence.span, divergence=kind, why=why, hint=hint)


@frozen
class _Fit:
    """A term, compared with the uses of divergences that its noise allows."""

    term: ast.Term
    head: ast.Head
    process: Process

    @property
    def word(self) -> str:
        return self.term.divergence.kind

    @property
    def uses(self) -> list[Use]:
        return terms.possible(self.process)

    @property
    def mine(self) -> list[Use]:
        """The uses of the term's own word."""
        return [use for use in self.uses if use.word == self.word]

    @property
    def best(self) -> Use | None:
        """The use that trains the head, of the term's own word if there is one."""
        here = (self.head.kind.id, terms.place(self.head))
        uses = [use for use in (*self.mine, *self.uses) if (use.head, use.place) == here]
        own = [use for use in uses if use.word == self.word] or uses
        target = terms.target_of(self.term)
        return min(own, key=lambda use: use.target != target, default=None)

    def refusal(self) -> tuple[str, str]:
        """Return why the term fits nothing, and what to write; two times "" if it fits."""
        if self.process.ordered and self.head.kind.id not in {use.head for use in self.uses}:
            why = "nothing is corrupted, so that this head has nothing to predict"
            return why, f"drop the head `{self.head.name}` and its term"
        if not self.mine:
            needs = [use.needs for use in terms.known()[self.word].uses]
            return why_not(self.process, *needs), self._instead()
        best = self.best
        if best is None or best.word != self.word:
            return self._other_head(), self._another_place() or self._instead()
        return self._other_target(best), self._instead()

    def _other_head(self) -> str:
        at = f" at {self.head.at.id}" if self.head.at is not None else ""
        fits = dict.fromkeys(f"`{use.head}`{self._where(use)}" for use in self.mine)
        own = f"`{self.head.name}` is a head of kind `{self.head.kind.id}`{at}"
        return f"{own}; `{self.word}` trains {' or '.join(fits)}"

    def _where(self, use: Use) -> str:
        """Return where the head of a use is read, in words; "" where there is one place alone."""
        if self.process.ordered:
            return ""
        return " at a special token" if use.place == "special" else f" at {use.place}"

    def _another_place(self) -> str:
        """Return what head of this kind the divergence trains; "" where there is none."""
        kind = self.head.kind.id
        places = [use.place for use in self.mine if use.head == kind and use.place != "special"]
        if not places:
            return ""
        there = "" if self.process.ordered else f" at {places[0]}"
        return f"write `head {self.head.name} : {kind}{there}` in the network"

    def _other_target(self, best: Use) -> str:
        found, on = terms.target_of(self.term), self.term.on.id if self.term.on is not None else ""
        if found != best.target:
            return best.wrong_target.format(target=best.target, found=found)
        return best.wrong_on if on != best.on else ""

    def _instead(self) -> str:
        """Return the term that trains the head."""
        best = self.best or (self.uses[0] if self.process.ordered else None)
        return f"write `{self.head.name} : {best.written}`" if best is not None else ""


def sees_both(term: ast.Term, objective: Objective) -> Iterator[Diagnostic]:
    """Report a head at an end that is never trained on a complete row."""
    amount, family = objective.process.amount, objective.family
    if amount is None or amount.variable.id != "count" or not amount.law.arguments:
        return
    low = amount.law.arguments[0]
    written = not any(section.span == amount.span for section in family.sections)
    if literal(low) == 1:
        why = "the number of dropped tokens is at least 1"
        why += "" if written else " by default"
        yield NothingToSay(
            span=low.span if written else term.span,
            head=term.head.id,
            state=objective.process.end,
            why=why,
        )
