"""``posterior``: the distance of the network's rates back in time from the true ones."""

from attrs import evolve

from xlmc.theory import bound
from xlmc.theory.needs import arrow
from xlmc.words.divergences.base import Divergence, Use

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
    sums=r"\sum_{i\,\mathrm{free}} \sum_{y \ne x_t^i}",
    latex=r"\hat r_y - r_y + r_y \log (r_y / \hat r_y)",
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
    form = "HEAD : posterior(x0) [weight EXPR]"
    meaning = (
        "How far the rates at which the network changes a token, back in time, differ from the "
        "true ones, summed over all tokens that it may become."
    )
    example = "token : posterior(x0)  weight bound"
    uses = (OF_RANDOM, OF_BOTH)
