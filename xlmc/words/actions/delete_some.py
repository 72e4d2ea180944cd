"""``delete`` by a rule: tokens that were inserted leave the row again."""

from xlmc.syntax import ast
from xlmc.theory.needs import arrow
from xlmc.theory.process import Process
from xlmc.words.actions.edit import Edit


class DeleteSome(Edit):
    """The word ``delete`` where tokens are dropped."""

    name = "delete some"
    order = -4
    form = "delete RULE by ORDER"
    meaning = (
        "Tokens that were inserted leave the row again, and the others close up, by `chance P`, "
        "`quota N` or `one`: at random, or the least sure when they were drawn (`by confidence`). "
        "They are chosen from the row before the step, as the gaps are. With "
        "`delete chance back`, where each missing token comes with the chance "
        "`reveal(alpha) + back * alpha(t) / (1 - alpha(t))`, a token is there at s with the chance "
        "alpha(s), as without: then `back` is at most (1 - alpha(s)) / alpha(t), as in "
        "`examples/own/forgetful.xlm`. Where no more come than leave, a row does not grow. A row "
        "that a `stop` ends loses no more."
    )
    example = "delete chance 0.02"
    forms = ("delete chance 0.02", "delete quota 2 by confidence")
    simplest = "delete quota 2"
    needs = (arrow("clean", "gone"),)
    rules = ("chance", "quota", "one")
    one_rule = "xlmc takes the tokens that leave by `chance`, `quota` or `one`"
    variable = "gone"
    answered = False
    hides = True
    first = False
    does = "delete tokens again"
    breaks = "tokens leave the row and are inserted anew, several at once"

    @property
    def candidates(self) -> str:
        """Return the free tokens: none of them is a mask."""
        return "canvas.free"

    def means(self, action: ast.Action) -> bool:
        """Return whether an action has its verb, and no rate of edits."""
        rated = isinstance(action, ast.Act) and action.much.rule == "poisson"
        return super().means(action) and not rated

    def why_not(self, process: Process) -> str:
        """Return why no token can leave under a process; "" if some can."""
        return self.lacking(self.needs, process)
