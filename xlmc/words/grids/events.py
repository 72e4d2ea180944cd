"""``events``: the times at which the exact chain reveals a token."""

from collections.abc import Collection, Iterator

from xlmc.calculus.code import Code, built
from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import WrongRule
from xlmc.syntax import ast, query
from xlmc.theory.needs import PLACES, arrow
from xlmc.theory.process import Process
from xlmc.words.grids.base import Grid


class Events(Grid):
    """The word ``events``."""

    name = "events"
    form = "grid events"
    meaning = "The times at which the exact chain reveals a token, one at a time in random order."
    example = "grid events"
    needs = (arrow("clean", "mask"), PLACES)
    way = " at the events of the chain"
    summary = "the times at which the masks of each row are revealed"

    def why_not(self, process: Process) -> str:
        """Return why the events of a chain cannot be drawn; "" if they can."""
        if process.replaces:
            return "a token may change more than once, and no row shows which are still random"
        if process.learned:
            return "tokens have clocks of their own: the next event depends on what the masks were"
        if process.drops:
            return (
                "the number of missing tokens that the network expects changes with the time "
                "between two events: none has a distribution in closed form"
            )
        return ""

    def wrong(self, step: ast.Step, single: Collection[str]) -> Iterator[Diagnostic]:
        """Complain about a step that reveals several tokens, or not any of them."""
        for action in query.acts(step.actions, "unmask"):
            random = action.order is not None and action.order.score.id == "random"
            if action.much.rule not in single or not random:
                yield WrongRule(
                    span=action.much.span,
                    rule=action.much.rule,
                    why="each time of this grid is an event that reveals one token at random",
                    hint="write `unmask one by random`",
                )

    def ticks(self, steps: Code | None, size: Code | None, clocks: tuple[Code, ...]) -> Code | None:
        """Return the code of the ticks; None where no step reads its time."""
        del steps, size
        return built("events(canvas, noise, {}, {})", *clocks) if clocks else None
