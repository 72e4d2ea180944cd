"""``binary_cross_entropy``: -log of the chance that a head gives to whether nothing is missing."""

from attrs import evolve

from xlmc.theory import bound
from xlmc.theory.bound import Missing
from xlmc.theory.needs import ALIKE, BOTH, PLACES, arrow
from xlmc.words.base import Option
from xlmc.words.divergences.base import Divergence, Use

VISIBLE = Missing("masks show themselves: nothing is learnt about the likelihood")
TOLD = Missing("numbers of missing tokens pay for what is gone: an end adds nothing to it")
SCALES = "xlmc ends rows by a head only where all tokens have the same clocks"
EVEN = 0.5  # a balance under which all rows count alike


OF_GONE = Use(
    word="binary_cross_entropy",
    partial="binary_cross_entropy",
    needs=(arrow("clean", "gone"),),
    undoes=("clean", "gone"),
    trains="end",
    bound=bound.of_insertions,
    reads_batch=True,
    head="chance",
    place="special",
    target="none gone",
    meaning="Cross-entropy of whether nothing is missing, summed over rows.",
    minus=True,
    latex=r"\log p(\mathbb{1}[n = 0] \mid x_t)",
    example="done : binary_cross_entropy(none gone)",
)
OF_MASKS = evolve(
    OF_GONE,
    needs=(arrow("clean", "mask"), PLACES, ALIKE),
    undoes=("clean", "mask"),
    bound=lambda _: VISIBLE,
    target="none mask",
    example="done : binary_cross_entropy(none mask)",
)

OF_CLOCKS = evolve(
    OF_GONE,
    partial="end_of_clocks",
    needs=(*BOTH, ALIKE.because(SCALES)),
    undoes=("mask", "gone"),
    bound=lambda _: TOLD,
    meaning="Cross-entropy of whether no token is gone, masks or not, summed over rows.",
    latex=r"-\log p(\mathbb{1}[\mathrm{none\ gone}] \mid x_t)",
)


class BinaryCrossEntropy(Divergence):
    """The word ``binary_cross_entropy``."""

    name = "binary_cross_entropy"
    form = "HEAD : binary_cross_entropy(none STATE[, balance = NUMBER]) [weight EXPR]"
    meaning = "-log of the probability that the head gives to whether no token is in the state."
    example = "done : binary_cross_entropy(none gone)"
    options = (
        Option("balance", "Chance", "The weight of complete rows; the others have 1 - balance."),
    )
    factor = "b_n"
    letter = "b_n: the weight of a row, complete or not"
    uses = (OF_MASKS, OF_GONE, OF_CLOCKS)

    def detail(self, options: dict[str, str]) -> str:
        """Return what rows count."""
        share = options.get("balance", "")
        return share and f"Rows in which nothing is missing weigh {share}, the others 1 - {share}. "

    def share(self, options: dict[str, float | None]) -> float | None:
        """Return 0.5 where all rows count alike."""
        if not options:
            return 1.0
        return EVEN if options == {"balance": EVEN} else None
