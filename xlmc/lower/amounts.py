"""The amounts of a decoder: the meanings of their names, and their code."""

from collections.abc import Callable
from functools import partial

from attrs import evolve, frozen

from xlmc.calculus.code import (
    CLOCK,
    Called,
    Code,
    Kind,
    Leaf,
    Names,
    Printer,
    Rank,
    built,
    number,
    param,
    variable,
)
from xlmc.calculus.functions import PRODUCT
from xlmc.lower import ir
from xlmc.lower.clock import Clock
from xlmc.lower.params import mentioned
from xlmc.syntax import ast, query
from xlmc.syntax.expression import inline
from xlmc.theory.process import Process
from xlmc.words import numbers, slots
from xlmc.words.rules.base import Actor, Rule
from xlmc.words.slots import answers, rule_words

Meanings = Callable[[Rule], dict[str, Leaf]]  # of names in the amount of a rule


@frozen
class Amounts:
    """The amounts of a section, with the meanings of the names in them.

    ``owner`` is that of the params in code, ``rows`` the variable that has the free places.
    """

    section: ast.Section
    family: ast.Family
    clock: Clock
    owner: str = "self."
    rows: str = "canvas"

    @property
    def scope(self) -> Names:
        """The meanings of the names in amounts: with blocks every row has times of its own."""
        rank = Rank.ROW if self.shared else Rank.SCALAR
        left = "steps_left(tick)" if self.shared else "tick.left"
        found = {
            "t": variable("t", rank, Kind.DOUBLE, "tick.t"),
            "s": variable("s", rank, Kind.DOUBLE, "tick.s"),
            "steps_left": variable(
                "steps_left", rank, Kind.LONG if self.shared else Kind.INT, left
            ),
            "masked": _counted("masked", "masked"),
            "length": _counted("length", f"{self.rows}.free"),
            "limit": variable("limit", Rank.ROW, Kind.LONG, "canvas.room"),
        }
        found |= {
            one.name: param(one.name, one.kind, owner=self.owner)
            for one in query.those(self.section.entries, ast.Param)
        }
        late = self.late
        for one in query.those(self.section.entries, ast.Let):
            if one.name in late:
                continue
            made = Printer.code(one.value, Names(found, self._call))
            found[one.name] = variable(one.name, made.rank, made.kind)
        return Names(found, self._call)

    @property
    def _call(self) -> Called:
        return partial(self.clock.call, owner=self.owner)

    def code(self, expr: ast.Expr) -> Code:
        """Return the code of an amount."""
        return Printer.code(expr, self.scope)

    def option(self, name: str, value: ast.Expr) -> Code:
        """Return the code of an option: a literal, or an amount."""
        if isinstance(value, ast.Number):
            return number(value, whole=name in ("top_k", "size", "steps"))
        return self.code(value)

    def temperature(self, value: ast.Expr | None) -> Code | None:
        """Return the temperature of an order as a factor."""
        return Printer.code(value, self.scope, PRODUCT) if value is not None else None

    def lets(self, values: list[ast.Expr]) -> tuple[tuple[str, Code], ...]:
        """Return the lets that the amounts need, in order."""
        lets = query.those(self.section.entries, ast.Let)
        needed = mentioned(values)
        for one in reversed(lets):
            if one.name in needed:
                needed |= mentioned([one.value])
        needed -= {*self.late}
        return tuple((one.name, self.code(one.value)) for one in lets if one.name in needed)

    @property
    def late(self) -> dict[str, ast.Expr]:
        """Return the formulas of the lets that read the network's answer, computed after it."""
        found: dict[str, ast.Expr] = {}
        for one in query.those(self.section.entries, ast.Let):
            read = {name.id for name in query.names(one.value)}
            if read & {*found, *answers(), *numbers.predicted(self.family)}:
                found[one.name] = inline(one.value, found)
        return found

    def paces(
        self, much: ast.Much, actor: Actor, heads: Meanings | None = None
    ) -> tuple[ir.Pace, ...]:
        """Return the rules of an action with the codes of their amounts.

        ``heads``: the meanings of heads in the amount of a rule, by default of the rates of masks.
        """
        heads = heads or partial(_rates, actor, numbers.of_masks(self.family))
        return tuple(self._pace(pace, actor, heads) for pace in query.paces(much))

    def _pace(self, pace: ast.Much, actor: Actor, heads: Meanings) -> ir.Pace:
        rule = rule_words()[pace.rule]
        joined = pace.also is not None
        if pace.value is None:
            return ir.Pace(rule, None, joined=joined)
        scope = self.scope
        read = _looked(rule, actor) | heads(rule)
        names = {**scope.names, **read}
        code = Printer.code(inline(pace.value, self.late), evolve(scope, names=names))
        looks = tuple(name for name in read if name in code.reads.variables)
        if CLOCK in code.reads.variables:
            code = built(f"spread({{}}, {actor.candidates})", code)
        return ir.Pace(rule, rule.amount(code, actor), looks, joined)

    @property
    def blocked(self) -> bool:
        """Return whether the places come in blocks."""
        return query.first(self.section.entries, ast.Blocks) is not None

    @property
    def shared(self) -> bool:
        """The steps of the grid are shared over the blocks, whose number is known."""
        grid = slots.grid(self.section.entries)
        timed = self.blocked and grid is not None and grid.timed
        return timed and Process.of(self.family).fixed_length


def _looked(rule: Rule, actor: Actor) -> dict[str, Leaf]:
    """Return the scores of the network's answer that an amount may read.

    Of each place, or as a mean over the candidates of a row.
    """
    if rule.of_place:
        return {
            word.name: variable(word.name, Rank.TOKEN, Kind.DOUBLE, word.variable)
            for word in answers().values()
        }
    return {
        word.name: variable(word.name, Rank.ROW, Kind.DOUBLE, actor.mean(word.variable))
        for word in answers().values()
    }


def _rates(actor: Actor, heads: list[str], rule: Rule) -> dict[str, Leaf]:
    """Return the rates of masks by heads: of each place, or as a mean over those of a row."""
    if rule.of_place:
        return {name: variable(name, Rank.TOKEN, Kind.DOUBLE) for name in heads}
    return {name: variable(name, Rank.ROW, Kind.DOUBLE, actor.mean(name)) for name in heads}


def _counted(name: str, mask: str) -> Leaf:
    """Return the number of the places of each row that are marked."""
    wide = f"{mask}.sum(1, keepdim=True)"
    return variable(name, Rank.ROW, Kind.LONG, f"{mask}.sum(1)", wide)
