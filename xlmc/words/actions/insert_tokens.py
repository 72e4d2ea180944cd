"""``insert tokens``: tokens go into gaps of the row."""

from xlmc.syntax import ast
from xlmc.theory.needs import arrow
from xlmc.words.actions.base import Action

WHY = {
    "poisson": "several tokens in one gap have an order, and the law of its token does not say it",
    "all": "no gap shows how many tokens it misses",
    "within": "an insertion may also be in the wrong place: its errors are no sum over tokens",
    "factor": "an insertion may also be in the wrong place: its error is not that of a token",
}


class InsertTokens(Action):
    """The word ``insert tokens``."""

    name = "insert tokens"
    order = -4
    form = "insert tokens RULE by ORDER"
    meaning = (
        "Tokens go into gaps of each row, one at most into each. In `chance` the name of a head of "
        "numbers is the number that a gap misses, in `quota` that of the row."
    )
    example = "insert tokens chance min(1, gap * reveal(alpha))"
    default = "`by random`: gaps are drawn in proportion to what they miss"
    values = (
        ("one", "one token; `pick gap` and `draw` say where and which"),
        ("chance P", "one into each gap with chance P, on its own"),
        ("quota N", "N tokens into each row, rounded down, each into another gap"),
        ("above P", "where more than P of the likeliest token are missing, and at the best gap"),
        ("by confidence", "first where most of the likeliest token are missing"),
    )
    node = ast.Insert
    what = "tokens"
    whats = "a kind of tokens to insert under this noise"
    needs = (arrow("clean", "gone"),)
    undoes = ("clean", "gone")
    rules = ("one", "chance", "quota", "above")

    def wrong_rule(self, much: ast.Much) -> str:
        """Return why no tokens can be inserted by a rule; "" if they can."""
        if much.otherwise is not None:
            return "a row takes its gaps by one rule"
        return WHY.get(much.rule, "")
