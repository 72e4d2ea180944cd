"""``posterior``: the distance of the network's rates back in time from the true ones."""

from attrs import evolve

from xlmc.theory import bound
from xlmc.theory.needs import ALIKE, OF_TOKENS, PURE, arrow
from xlmc.words.divergences.base import Divergence, Use

OF_MASKS = Use(  # a mask becomes y at the rate p(y): their sums are equal, and -log p(x) is left
    word="posterior",
    partial="cross_entropy",
    needs=(arrow("clean", "mask"), PURE, ALIKE),
    undoes=("clean", "mask"),
    trains="token",
    bound=bound.of_arrow,
    reads_row=True,
    head="logits",
    place="tokens",
    target="x0",
    on="mask",
    meaning="Divergence of the rates at which masks become tokens from the true ones, summed.",
    sums=r"\sum_{i : x_t^i = m}",
    minus=True,
    latex=r"\log p(x_0^i \mid x_t)",
    example="token : posterior(x0) on mask  weight bound",
    imports=(("costs", "cross_entropy"),),
    wrong_on="it needs `on mask`: no other token changes",
    per_token=True,
)
OF_CLOCKS = evolve(  # the sums of the rates differ, as those of wrong tokens do
    OF_MASKS,
    partial="posterior_of_clocks",
    needs=(OF_TOKENS,),
    bound=bound.of_times,
    meaning="Divergence of the rates at which masks become tokens, summed.",
    sums=r"\sum_{i : x_t^i = m}",
    minus=False,
    latex=r"\Big(\sum_y h_y \, p_y - h_{x_0^i} \, (1 + \log p_{x_0^i})\Big)",
    path=(
        r"-\log p(x_0) \le \int_0^1 E \sum_{i : x_t^i = m}",
        r"\Big(\sum_y h_y \, p_y - h_{x_0^i} \, (1 + \log p_{x_0^i})\Big) \, dt",
    ),
    imports=(("clocks", "masks_cost"),),
    reads_clock=True,
    per_token=False,
)
OF_RANDOM = Use(
    word="posterior",
    partial="posterior",
    needs=(arrow("clean", "random"),),
    undoes=("clean", "random"),
    trains="token",
    bound=bound.of_rates,
    reads_row=True,
    reads_clock=True,
    head="logits",
    place="tokens",
    target="x0",
    meaning="Divergence of the rates r of the free tokens back from the true ones, summed.",
    sums=r"\sum_{i\,\mathrm{free},\, y \ne x_t^i}",
    latex=r"(\hat r_y - r_y + r_y \log (r_y / \hat r_y))",
    letters=(
        "r_y: the rate of becoming y, back in time, in hazards",
        "with a hat: by the head",
    ),
    example="token : posterior(x0)  weight bound",
    imports=(("noise", "level_at"), ("noise", "written"), ("posterior", "rates_cost")),
    wrong_on="`on` has no meaning here: nothing shows which tokens are random",
)
OF_BOTH = evolve(
    OF_RANDOM, needs=(arrow("clean", "mask", "random"),), undoes=("clean", "mask", "random")
)


class Posterior(Divergence):
    """The word ``posterior``."""

    name = "posterior"
    form = "HEAD : posterior(x0) [on mask] [weight EXPR]"
    meaning = (
        "How far the rates at which the network changes a token, back in time, differ from the "
        "true ones, summed over all tokens that it may become; `on mask` where only masks change, "
        "for which it is `cross_entropy`."
    )
    example = "token : posterior(x0)  weight bound"
    uses = (OF_RANDOM, OF_BOTH, OF_MASKS, OF_CLOCKS)
