"""``clean -> gone`` with ``events``: each random event drops one of the row's tokens."""

from xlmc.theory.needs import EVENTS, arrow
from xlmc.words.noises.base import Range
from xlmc.words.noises.drops import Drops


class Struck(Drops):
    """The word ``clean -> gone events``."""

    name = "clean -> gone events"
    form = "clean -> gone  events NAME(t) = EXPR"
    meaning = (
        "A Poisson number of events, NAME(t) on average, has struck a row by the time t: as many "
        "tokens have left it, any set of them as likely, or all of them."
    )
    example = "clean -> gone  events clock(t) = 1000 * t ** 3"
    needs = (arrow("clean", "gone"), EVENTS)
    amount = Range("t", "1e-3", "1", "stratified")
    uncounted = "events come with the time"
