"""``insert tokens``: tokens go into gaps of the row."""

from xlmc.syntax import ast
from xlmc.theory.needs import arrow
from xlmc.words.actions.base import Action


class InsertTokens(Action):
    """The word ``insert tokens``."""

    name = "insert tokens"
    order = -4
    form = "insert tokens RULE"
    meaning = "Tokens go into gaps of each row; `pick gap` and `draw` say where and which."
    example = "insert tokens one"
    values = (("one", "one token"),)
    node = ast.Insert
    what = "tokens"
    whats = "something that this noise takes away"
    needs = (arrow("clean", "gone"),)
    undoes = ("clean", "gone")
    rules = ("one",)
    one_rule = "one joint law over gaps and tokens is good for one insertion"
