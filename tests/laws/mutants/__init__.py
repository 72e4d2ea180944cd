"""Bugs to plant in generated packages, one at a time, and the law that each of them breaks."""

from laws.mutants import (
    carrying,
    correctors,
    decoders,
    deleting,
    drafts,
    insertions,
    leftward,
    losses,
    noise,
    orders,
    replacing,
    two_clocks,
)
from laws.mutants.planted import Mutant

__all__ = ["MUTANTS", "Mutant"]
MUTANTS: list[Mutant] = [
    *noise.MUTANTS,
    *losses.MUTANTS,
    *decoders.MUTANTS,
    *insertions.MUTANTS,
    *deleting.MUTANTS,
    *two_clocks.MUTANTS,
    *leftward.MUTANTS,
    *orders.MUTANTS,
    *replacing.MUTANTS,
    *correctors.MUTANTS,
    *drafts.MUTANTS,
    *carrying.MUTANTS,
]
