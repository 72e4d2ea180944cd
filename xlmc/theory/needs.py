"""Conditions on the process that a word of the language can have, each with the reason in words."""

from collections.abc import Callable, Iterable

from attrs import evolve, frozen

from xlmc.theory.process import LIVES, Process, written

NO_NOISE = "nothing is corrupted: a token is predicted from those before it"
NOTHING_HIDDEN = "nothing is corrupted: a token is predicted from those before it in a drawn order"


@frozen
class Need:
    """A condition on the process; ``meaning`` completes "the noise has ...".

    ``state``: that tokens must go to. ``why``: the reason for which a word needs it.
    """

    meaning: str
    holds: Callable[[Process], bool]
    state: str = ""
    why: str = ""

    def because(self, why: str) -> "Need":
        """Return the need with a reason."""
        return evolve(self, why=why)


def arrow(*step: str) -> Need:
    """Return the need of an arrow between two states, or to one of two."""
    return Need(f"an arrow `{written(step)}`", lambda process: process.leads(*step), step[-1])


def either(*needs: Need) -> Need:
    """Return the need that one of several needs is met."""
    meaning = " or ".join(need.meaning for need in needs)
    return Need(meaning, lambda process: any(n.holds(process) for n in needs), needs[0].state)


ORDER = Need("no arrow (`none`)", lambda process: process.ordered)
DRAFTED = Need("an arrow into `draft`", lambda process: process.drafts, "draft")
PLACES = Need("no arrow into `gone`", lambda process: process.holds_places)
NOISE = Need("an arrow", lambda process: process.clocks > 0)
GROWS = Need("tokens that no mask stands for", lambda process: not process.fixed_length)
ONE_CLOCK = Need("one arrow at most", lambda process: process.clocks < 2)
WHOLE = Need("no `blocks`", lambda process: not process.blocked)
BLOCKED = Need("`blocks`", lambda process: process.blocked)
RIGHTWARD = Need("no arrow (`none`), or `blocks`", lambda process: process.rightward)
REPLACED = Need("an arrow into `random`", lambda process: process.replaces, "random")
EVENTS = Need("an arrow `clean -> gone events`", lambda process: process.struck)
SPOILED = Need("an arrow `clean -> mask | random | clean`", lambda process: process.spoiled, "mask")
PURE = Need("no share of tokens that stay", lambda process: not process.spoiled)
ALIKE = Need("one clock for all tokens", lambda process: not process.learned)
LEARNED = Need("clocks that are learned", lambda process: process.learned)
OF_TOKENS = Need(
    "one clock, which is learned for each token of the vocabulary",
    lambda process: process.learned and not process.scaled,
)
SCALED = Need("two clocks whose scales are learned", lambda process: process.scaled)
EACH = Need("no arrow with `events`", lambda process: not process.struck)
DROPPED = Need("an arrow into `gone`", lambda process: process.drops, "gone")
REMOVED = Need("an arrow into `gone`", lambda process: "gone" in process.states, "gone")

PERMUTED = Need("`none` with `order random`", lambda process: process.permuted)

MASKED = either(arrow("clean", "mask"), arrow("clean", "mask", "random"), PERMUTED)

BOTH = (arrow("clean", "mask"), arrow("mask", "gone"))


def met(needs: Iterable[Need], process: Process) -> bool:
    """Return whether a process meets all needs."""
    return all(need.holds(process) for need in needs)


def unmet(needs: Iterable[Need], process: Process) -> Need | None:
    """Return the first need that a process does not meet."""
    return next((need for need in needs if not need.holds(process)), None)


def why_not(process: Process, *ways: tuple[Need, ...]) -> str:
    """Return why a process meets the needs of none of several ways to use a word; "" if it does."""
    if any(met(way, process) for way in ways):
        return ""
    if process.ordered:
        return NO_NOISE
    if process.permuted:
        return NOTHING_HIDDEN
    reasons = [need.why for way in ways if (need := unmet(way, process)) is not None and need.why]
    if reasons:
        return reasons[0]
    missing = unmet(ways[0], process)
    if missing is not None and missing.state and missing.state not in process.states:
        return f"tokens never become `{missing.state}`"
    homes = dict.fromkeys(name for way in ways if (name := home(way)))
    return f"xlmc supports it under {' and '.join(homes)} alone"


def home(needs: tuple[Need, ...]) -> str:
    """Return the simplest noise that meets some needs, in the words of a spec."""
    return next((life.name for life in LIVES if met(needs, life)), "")
