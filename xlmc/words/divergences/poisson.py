"""``poisson``: the relative entropy of the rates at which missing tokens come back."""

from attrs import evolve

from xlmc.theory import bound
from xlmc.theory.needs import ALIKE, DRAFTED, SCALED, arrow
from xlmc.words.divergences.base import Divergence, Use

HATS = "with a hat: the answer of a head"

OF_TOKENS = Use(
    word="poisson",
    partial="poisson",
    needs=(arrow("clean", "gone"),),
    undoes=("clean", "gone"),
    trains="rate",
    bound=bound.of_rates,
    head="count",
    place="gaps",
    target="gone",
    meaning="The cost of the number expected in each gap: n^ - n + n log(n / n^), summed.",
    sums=r"\sum_g",
    latex=r"\left(\hat n_g - n_g + n_g \log \frac{n_g}{\hat n_g}\right)",
    letters=("n_g: how many tokens gap g misses", HATS),
    example="gap : poisson(gone)  weight bound",
    imports=(("counts", "poisson_cost"),),
)
OF_ROWS = evolve(
    OF_TOKENS,
    partial="poisson_of_row",
    place="special",
    meaning="The cost of the number expected in each row: n^ - n + n log(n / n^), summed.",
    sums="",
    latex=r"\left(\hat n - n + n \log \frac{n}{\hat n}\right)",
    letters=(HATS,),
    example="missing : poisson(gone)  weight bound",
    names_row_count=True,
    joint=True,
)
OF_MASKS = evolve(
    OF_TOKENS,
    needs=(arrow("mask", "gone"), ALIKE),
    undoes=("mask", "gone"),
    bound=bound.of_arrow,
)
OF_SCALES = evolve(
    OF_MASKS,
    partial="poisson_of_scales",
    needs=(SCALED,),
    reads_scales=True,
    head="rate",
    meaning="The cost of the rate of each gap: v^ - v + v log(v / v^), summed.",
    latex=r"\left(\hat v_g - v_g + v_g \log \frac{v_g}{\hat v_g}\right)",
    letters=(HATS,),
    imports=(("counts", "poisson_cost"), ("noise", "gap_scales")),
)
OF_PACES = evolve(
    OF_SCALES,
    partial="poisson_of_paces",
    undoes=("clean", "mask"),
    trains="pace",
    place="tokens",
    target="mask",
    meaning="The cost of the rate of each mask: w^ - w + w log(w / w^), summed.",
    sums=r"\sum_{i : x_t^i = m}",
    latex=r"\left(\hat w_i - w_i + w_i \log \frac{w_i}{\hat w_i}\right)",
    letters=(HATS,),
    example="pace : poisson(mask)  weight bound",
    imports=(("counts", "poisson_cost"),),
)
OF_DRAFTS = evolve(OF_TOKENS, needs=(DRAFTED,), undoes=("clean", "draft"), bound=bound.of_arrow)
OF_EXTRA = evolve(
    OF_DRAFTS,
    partial="poisson_of_tokens",
    trains="extra",
    place="tokens",
    target="extra",
    meaning="The cost of the rate r of deletions: r, or r - 1 - log r if due, summed.",
    sums=r"\sum_{i\,\mathrm{free}}",
    latex=r"\left(\hat e_i - e_i - e_i \log \hat e_i\right)",
    letters=("e_i: 1 for a token that has to go, else 0", HATS),
    example="surplus : poisson(extra)  weight bound",
    at="extra",
)
OF_CHANGED = evolve(
    OF_EXTRA,
    trains="changed",
    target="changed",
    meaning="The cost of the rate r of substitutions: r, or r - 1 - log r if due, summed.",
    latex=r"\left(\hat c_i - c_i - c_i \log \hat c_i\right)",
    letters=("c_i: 1 for a token that has to change, else 0", HATS),
    example="wrong : poisson(changed)  weight bound",
    at="changed",
)


class Poisson(Divergence):
    """The word ``poisson``."""

    name = "poisson"
    form = "HEAD : poisson(gone | mask | extra | changed) [weight EXPR]"
    meaning = (
        "The relative entropy of the true rate of insertions to the head's; of `mask` that at "
        "which a mask becomes a token, of `extra` that of deletions, of `changed` that of "
        "substitutions."
    )
    example = "gap : poisson(gone)  weight bound"
    uses = (OF_MASKS, OF_SCALES, OF_PACES, OF_TOKENS, OF_ROWS, OF_DRAFTS, OF_EXTRA, OF_CHANGED)
