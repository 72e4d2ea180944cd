"""``substitute``: tokens are drawn anew."""

from xlmc.theory.needs import DRAFTED, REPLACED, either
from xlmc.words.actions.base import Action


class Substitute(Action):
    """The word ``substitute``."""

    name = "substitute"
    order = -4
    form = "substitute all | substitute poisson RATE"
    meaning = (
        "All tokens inside the brackets that are not given are drawn anew, `from posterior` as the "
        "reverse chain does, or from the network's answer as it is; beside `unmask all` where "
        "tokens become masks, too. By `poisson`, where a text becomes a draft: each free token is "
        "drawn anew with the chance that a Poisson number of mean RATE is not 0."
    )
    example = "substitute all"
    needs = (either(REPLACED, DRAFTED),)
    undoes = ("clean", "random")
    rules = ("all",)
    one_rule = "nothing shows which tokens are random: any of them may be wrong"
