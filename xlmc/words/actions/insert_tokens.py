"""``insert tokens``: tokens go into gaps of the row."""

from xlmc.syntax import ast
from xlmc.theory.needs import DRAFTED, arrow, either
from xlmc.words.actions.base import Action


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
        (
            "poisson RATE",
            "where a text becomes a draft: one into each gap, with the chance that a Poisson "
            "number of mean RATE is not 0",
        ),
        ("by confidence", "first where most of the likeliest token are missing"),
    )
    node = ast.Insert
    what = "tokens"
    whats = "a kind of tokens to insert under this noise"
    needs = (either(arrow("clean", "gone"), DRAFTED),)
    undoes = ("clean", "gone")
    rules = ("one", "chance", "quota", "above")
    one_rule = "xlmc inserts tokens by `one`, `chance`, `quota` or `above`, one at most into a gap"
    alone = "xlmc inserts tokens by one rule in all rows"
