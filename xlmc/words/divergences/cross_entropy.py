"""``cross_entropy``: -log of the chance that a head gives to the truth."""

from attrs import evolve

from xlmc.theory import bound
from xlmc.theory.bound import Missing
from xlmc.theory.needs import (
    ALIKE,
    DRAFTED,
    ORDER,
    PERMUTED,
    PLACES,
    PURE,
    SCALED,
    SPOILED,
    arrow,
)
from xlmc.words.divergences.base import Divergence, Use

DIFFER = (
    "where clocks differ, masks also turn into wrong tokens at the wrong pace, which it does not "
    "count: it alone is no bound"
)
SUMS = "where clocks have scales, gaps miss sums of these, and no whole numbers"
NO_RATE = Missing("a distribution of numbers gives no rate: train a `count at gaps` by `poisson`")

UNSEEN = Missing("some of the struck tokens are clean or random, and look like any other token")

OF_MASKS = Use(
    word="cross_entropy",
    partial="cross_entropy",
    needs=(arrow("clean", "mask"), PURE, ALIKE.because(DIFFER)),
    undoes=("clean", "mask"),
    trains="token",
    bound=bound.of_arrow,
    reads_row=True,
    head="logits",
    place="tokens",
    target="x0",
    on="mask",
    meaning="Cross-entropy of the masked tokens, summed.",
    sums=r"\sum_{i : x_t^i = m}",
    minus=True,
    latex=r"\log p(x_0^i \mid x_t)",
    example="token : cross_entropy(x0) on mask  weight bound",
    imports=(("costs", "cross_entropy"),),
    wrong_on="it needs `on mask`: visible tokens are known",
    per_token=True,
)
OF_SCALES = evolve(
    OF_MASKS,
    partial="cross_entropy_of_scales",
    needs=(SCALED,),
    reads_batch=True,
    reads_scales=True,
    meaning="Cross-entropy of the masked tokens, each times its scale, summed.",
    latex=r"w_i \log p(x_0^i \mid x_t)",
    imports=(("costs", "each_nll"),),
    per_token=False,
)
OF_NUMBERS = Use(
    word="cross_entropy",
    partial="gap_count",
    needs=(arrow("mask", "gone"), ALIKE.because(SUMS)),
    undoes=("mask", "gone"),
    trains="numbers",
    bound=lambda _: NO_RATE,
    head="distribution",
    place="gaps",
    target="gone",
    meaning="Cross-entropy of the number that is missing in each gap, summed.",
    sums=r"\sum_g",
    minus=True,
    latex=r"\log p(n_g \mid x_t)",
    example="gap : cross_entropy(gone)",
)
OF_GAPS = Use(
    word="cross_entropy",
    partial="gap_token",
    needs=(arrow("clean", "gone"),),
    undoes=("clean", "gone"),
    trains="token",
    bound=bound.of_arrow,
    reads_batch=True,
    head="logits",
    place="gaps",
    target="gone",
    meaning="Cross-entropy of the dropped tokens, each as predicted at its gap, summed.",
    sums=r"\sum_{i\,\mathrm{gone}}",
    minus=True,
    latex=r"\log p(x_0^i \mid x_t, \mathrm{gap}_i)",
    example="slot : cross_entropy(gone)",
    imports=(("costs", "cross_entropy"),),
)

OF_NEXT = Use(
    word="cross_entropy",
    partial="following",
    needs=(ORDER,),
    undoes=None,
    trains="token",
    bound=bound.one,
    reads_batch=True,
    head="logits",
    place="tokens",
    target="following",
    meaning="Cross-entropy of the free tokens, each read at the one before it, summed.",
    sums=r"\sum_{i\,\mathrm{free}}",
    minus=True,
    latex=r"\log p(x_0^i \mid x_0^{<i})",
    example="token : cross_entropy(following)",
    imports=(("costs", "cross_entropy"),),
    wrong_target=("nothing hides `{found}`; the target is `following`, the token after this one"),
    wrong_on="`on` has no meaning here: every token is predicted",
)


class CrossEntropy(Divergence):
    """The word ``cross_entropy``."""

    name = "cross_entropy"
    form = "HEAD : cross_entropy(TARGET) [on mask | on changed] [weight EXPR]"
    meaning = "-log of the probability that the head gives to the truth."
    example = "token : cross_entropy(x0) on mask  weight bound"
    uses = (
        OF_MASKS,
        OF_SCALES,
        evolve(
            OF_MASKS,
            needs=(SPOILED,),
            bound=lambda _: UNSEEN,
            on="struck",
            at="struck",
            meaning="Cross-entropy of all tokens that were struck, summed.",
            sums=r"\sum_{i\,\mathrm{struck}}",
            example="token : cross_entropy(x0) on struck",
            wrong_on="it needs `on struck`: the tokens that stay are asked for, too",
        ),
        OF_NEXT,
        evolve(
            OF_NEXT,
            partial="permuted",
            needs=(PERMUTED,),
            meaning="Cross-entropy of the free tokens, each given those before it in the order.",
            latex=r"\log p(x_0^i \mid x_0^j : \sigma_j < \sigma_i)",
            wrong_target=(
                "nothing hides `{found}`; the target is `following`, the next token of the order"
            ),
        ),
        OF_NUMBERS,
        evolve(
            OF_NUMBERS,
            needs=(arrow("clean", "gone"),),
            undoes=("clean", "gone"),
        ),
        OF_GAPS,
        evolve(OF_GAPS, needs=(DRAFTED,), undoes=("clean", "draft")),
        evolve(
            OF_MASKS,
            needs=(DRAFTED,),
            undoes=("clean", "draft"),
            trains="revision",
            on="changed",
            at="changed",
            meaning="Cross-entropy of the tokens that have to become others, summed.",
            sums=r"\sum_{i\,\mathrm{changed}}",
            example="right : cross_entropy(x0) on changed  weight bound",
            wrong_on="it needs `on changed`: the other tokens stay as they are",
            per_token=False,
        ),
        Use(
            word=name,
            partial="row_count",
            needs=(arrow("clean", "gone"),),
            undoes=("clean", "gone"),
            trains="number",
            bound=bound.of_insertions,
            reads_batch=True,
            head="distribution",
            place="special",
            target="gone",
            meaning="Cross-entropy of the number that a row misses, summed over rows.",
            minus=True,
            latex=r"\log p(n \mid x_t)",
            example="missing : cross_entropy(gone)",
            wrong_target=(
                "its target is `gone`, not `{found}`: a row that grows has no places whose number "
                "could be drawn"
            ),
        ),
        Use(
            word=name,
            partial="length",
            needs=(arrow("clean", "mask"), PLACES, ALIKE),
            undoes=None,
            trains="length",
            bound=bound.one,
            reads_batch=True,
            head="distribution",
            place="special",
            target="length",
            meaning="Cross-entropy of the number of free tokens, of a row without them, summed.",
            latex=r"-\log p(L \mid x_{\mathrm{given}})",
            example="size : cross_entropy(length)",
            imports=(("lengths", "length_logits"),),
            wrong_target="its target is `length`, not `{found}`: masks show how many are missing",
        ),
    )
