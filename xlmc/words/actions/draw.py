"""``draw``: the token is drawn from a head's distribution."""

from xlmc.syntax import ast
from xlmc.words.actions.base import Action


class Draw(Action):
    """The word ``draw``."""

    name = "draw"
    form = "draw HEAD [from posterior | from euler] [greedy | with OPTION, OPTION]"
    others = ("from", "euler", "greedy", "with", "top_k", "top_p")
    meaning = (
        "A token is drawn from the head's distribution. `with top_p` is short for `with top_p = "
        "top_p`, and declares the param if you did not."
    )
    example = "draw token with temperature, top_p = 0.9"
    default = "the distribution as it is"
    values = (
        (
            "from posterior",
            "the token at s, given the one at t and the distribution of the head for that at 0, or "
            "its ratios at t: it may stay as it is; in `substitute all`, and of ratios also in "
            "`unmask all`",
        ),
        (
            "from euler",
            "the token after a step at the rates that ratios give at t, as if these did not "
            "change until s",
        ),
        ("greedy", "the likeliest token; of equal ones the first"),
        ("temperature", "the logits are divided by it; 0 is greedy, 1 changes nothing"),
        ("top_k", "only the k likeliest tokens; 0 is all of them"),
        (
            "top_p",
            "only the likeliest tokens that together reach this chance, the one that crosses "
            "it included; 1 is all of them",
        ),
    )
    node = ast.Draw
