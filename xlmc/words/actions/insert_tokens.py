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
        "Tokens go into gaps of each row, one at most into each, by rules that `else` and `or` may "
        "join. In the amount of `chance` the name of a head of numbers is the number that a gap "
        "misses, in others that of the row. The score of a gap is the number of its likeliest "
        "token that is missing, its error is what this lacks to 1; under `joint_cross_entropy` it "
        "is the share of what the row misses, unless an amount reads a head of numbers at gaps."
    )
    example = "insert tokens chance min(1, gap * reveal(alpha))"
    default = "`by random`: gaps are drawn in proportion to what they miss"
    values = (
        ("one", "one token; `pick gap` and `draw` say where and which"),
        ("chance P", "one into each gap with chance P, on its own"),
        ("quota N", "N tokens into each row, rounded down, each into another gap"),
        (
            "above P",
            "where more than P of the likeliest token are missing; at the best gap, too, where no "
            "rule follows",
        ),
        ("within G", "the surest gaps, whose errors add up to less than G; at least one"),
        ("factor F", "the n surest, n + 1 times their largest error being below F; at least one"),
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
    rules = ("one", "chance", "quota", "above", "within", "factor")
    one_rule = "xlmc inserts at most one token into a gap, and no gap is sure to miss one"
