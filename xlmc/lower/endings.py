"""The conditions that end a row."""

from itertools import count

from xlmc.calculus.code import Code, Kind, Rank, built, variable
from xlmc.lower import ir
from xlmc.lower.amounts import Amounts
from xlmc.syntax import ast, query
from xlmc.theory.process import Process
from xlmc.words.slots import stop_of
from xlmc.words.stops.base import Stop, temperature


class Endings(Amounts):
    """The conditions that end a row of a decoder."""

    @property
    def words(self) -> list[tuple[ast.Condition, Stop]]:
        """The conditions that end a row, with their words."""
        stop = query.first(self.section.entries, ast.Stop)
        pairs = [(one, stop_of(one, self.family)) for one in (stop.conditions if stop else ())]
        return [(one, word) for one, word in pairs if word is not None]

    @property
    def asks(self) -> bool:
        """Return whether a head's answer may end a row before a step."""
        return any(stop.asks for stop in self.stops())

    def few(self) -> Code | None:
        """Return the number of missing tokens below which a row gets no more; None for none."""
        numbers = [n for one, word in self.words if word.kind == "few" for n in word.numbers(one)]
        return self.option("stop", numbers[0].value) if numbers else None

    def edit(self) -> str:
        """Return the edit that ends a text: no later step may change what is kept of it.

        "" where no text of the run ends a row.
        """
        if all(word.kind != "text" for _, word in self.words):
            return ""
        process = Process.of(self.family)
        if process.drops:
            return "cut_off"
        return "go_no_further" if process.ordered else "fill_up"

    def stops(self) -> tuple[ir.Stop, ...]:
        """Return the conditions of rows that grow; rows of a fixed length have none."""
        if Process.of(self.family).fixed_length:
            return ()
        return tuple(self._stop(one, word) for one, word in self.words)

    @property
    def _chances(self) -> dict[ast.Expr, str]:
        """The names of the chances that end rows: the first of each head has the head's name."""
        found, taken = dict[ast.Expr, str](), {*query.heads(self.family)}
        for chance in (word.chance(one) for one, word in self.words):
            if chance is None or chance in found:
                continue
            name = head = query.asked(chance)
            if name in found.values():
                name = next(f"{head}_{n}" for n in count(2) if f"{head}_{n}" not in taken)
            found[chance] = name
            taken.add(name)
        return found

    def _stop(self, one: ast.Condition, word: Stop) -> ir.Stop:
        """Lower a condition that ends a row by a head's chance, tempered or not, or of zero."""
        chance = word.chance(one)
        if chance is None:
            return ir.Stop(word.kind, word.token(one))
        head, name = query.asked(chance), self._chances[chance]
        found = variable(name, Rank.ROW, Kind.SINGLE).code
        numbers = [self.code(number.value) for number in word.numbers(one)]
        code = built(word.code.format(head=name), found, *numbers, kind=Kind.BOOL)
        zero = isinstance(chance, ast.Call) and chance.function == "zero"
        cold = [self.option("temperature", number.value) for number in temperature(chance)]
        return ir.Stop(
            word.kind,
            head,
            variable=name,
            at=place(head, self.family),
            of="zero" if zero else "chance",
            code=code,
            temperature=cold[0] if cold else None,
        )


def place(head: str, family: ast.Family) -> str:
    """Return the special token at which a head is read."""
    at = query.heads(family)[head].at
    assert at is not None
    return at.id
