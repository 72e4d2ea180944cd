"""``score_entropy``: the distance of ratios of chances from the true ones."""

from xlmc.theory import bound
from xlmc.theory.needs import ALIKE, PURE, arrow
from xlmc.words.divergences.base import Divergence, Use

DIFFER = "ratios are in units of the hazard of one clock, and each token has its own here"

OF_MASKS = Use(  # in units in which the true ratios are 1 for the true token, and 0 for others
    word="score_entropy",
    partial="score_entropy_of_masks",
    needs=(arrow("clean", "mask"), PURE, ALIKE.because(DIFFER)),
    undoes=("clean", "mask"),
    trains="token",
    bound=bound.of_arrow,
    reads_row=True,
    head="ratios",
    place="tokens",
    target="x0",
    on="mask",
    meaning="Score entropy of the ratios s of the masked tokens, summed.",
    sums=r"\sum_{i : x_t^i = m}",
    latex=r"\big(\textstyle\sum_y s_y - 1 - \log s_{x_0^i}\big)",
    letters=("s_y: the ratio that the head gives for y",),
    example="token : score_entropy(x0) on mask  weight bound",
    path=(
        r"-\log p(x_0) \le \int_0^1 h(t) \, E \sum_{i : x_t^i = m}",
        r"\big(\textstyle\sum_y s_y - 1 - \log s_{x_0^i}\big) \, dt",
    ),
    imports=(("ratios", "ratios_cost"),),
    wrong_on="it needs `on mask`: no other token changes",
    per_token=True,
    ratios=True,
)
OF_RANDOM = Use(
    word="score_entropy",
    partial="score_entropy",
    needs=(arrow("clean", "random"),),
    undoes=("clean", "random"),
    trains="token",
    bound=bound.of_rates,
    reads_row=True,
    reads_clock=True,
    head="ratios",
    place="tokens",
    target="x0",
    meaning="Score entropy of the ratios s of the free tokens to the true ones q, summed.",
    sums=r"\sum_{i, y \ne x_t^i} \frac{1 - \alpha}{\alpha K}",
    latex=r"(s_y - q_y + q_y \log (q_y / s_y))",
    letters=(
        "s_y: the ratio that the head gives for y",
        "q_y: the true one",
        "K: the number of ordinary tokens",
    ),
    example="token : score_entropy(x0)  weight bound",
    path=(
        r"-\log p(x_0) \le \int_0^1 \frac{-\alpha'}{\alpha K} \, E \sum_{i\,\mathrm{free}}",
        r"\sum_{y \ne x_t^i} (s_y - q_y + q_y \log (q_y / s_y)) \, dt",
    ),
    imports=(("noise", "level_at"), ("ratios", "random_ratios_cost")),
    wrong_on="`on` has no meaning here: nothing shows which tokens are random",
    ratios=True,
)


class ScoreEntropy(Divergence):
    """The word ``score_entropy``."""

    name = "score_entropy"
    form = "HEAD : score_entropy(x0) [on mask] [weight EXPR]"
    meaning = (
        "How far the rates back in time that ratios of chances give differ from the true ones, "
        "summed over all tokens that a token may become; `on mask` where only masks change."
    )
    example = "token : score_entropy(x0)  weight bound"
    uses = (OF_RANDOM, OF_MASKS)
