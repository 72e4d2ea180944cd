"""The specs whose packages the laws are held against: small, and between them every primitive."""

from laws.zoo import (
    carried,
    drafts,
    following,
    gaps,
    leftward,
    masks,
    more_masks,
    random_tokens,
    ratios,
    two_clocks,
)
from laws.zoo.spec import Spec, written_out

__all__ = [
    "ALL",
    "APART",
    "BOTHS",
    "GONES",
    "MASKS",
    "MORE",
    "NOISED",
    "NONES",
    "ONES",
    "PLAIN",
    "SPECS",
    "SPREAD",
    "TWO",
    "Spec",
    "boths",
    "those",
    "written_out",
]
SPECS: dict[str, Spec] = {
    **masks.SPECS,
    **gaps.SPECS,
    **following.SPECS,
    **two_clocks.SPECS,
}
MORE: dict[str, Spec] = {  # of a few laws alone
    **more_masks.MORE,
    **gaps.MORE,
    **following.MORE,
    **two_clocks.MORE,
    **leftward.MORE,
    **random_tokens.MORE,
    **ratios.MORE,
    **drafts.MORE,
    **carried.MORE,
}
TWO = [name for name, spec in SPECS.items() if spec.two]
APART = (  # limits of a clock, more of the same, and what has laws of its own
    *("both_early", "both_late", "both_powers"),
    *("both_back", "both_timeless"),
)
BOTHS = [name for name in TWO if name not in APART]
ONES = [name for name in SPECS if name not in TWO]  # of one arrow


def those(*pieces: str) -> list[str]:
    """The names of the specs of one arrow that contain all the pieces of text."""
    return [name for name in ONES if SPECS[name].has(*pieces)]


def boths(*pieces: str) -> list[str]:
    """The names of the specs of two arrows that contain all the pieces of text."""
    return [name for name in BOTHS if SPECS[name].has(*pieces)]


SPREAD = [*those("antithetic"), *those("stratified")]
NOISED = [name for name in ONES if not SPECS[name].has("cross_entropy(following)")]
PLAIN = [name for name in NOISED if name not in SPREAD]
MASKS = those("-> mask")
GONES = those("-> gone")
NONES = those("cross_entropy(following)")
ALL = [*ONES, *BOTHS]
