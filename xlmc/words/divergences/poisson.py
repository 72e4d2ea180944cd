"""``poisson``: the relative entropy of the rates at which missing tokens come back."""

from xlmc.theory import bound
from xlmc.theory.needs import arrow
from xlmc.words.divergences.base import Divergence, Use


class Poisson(Divergence):
    """The word ``poisson``."""

    name = "poisson"
    form = "HEAD : poisson(gone) [weight EXPR]"
    meaning = "The relative entropy of the true rate of insertions to the head's."
    example = "gap : poisson(gone)  weight bound"
    uses = (
        Use(
            word=name,
            partial="poisson",
            needs=(arrow("mask", "gone"),),
            undoes=("mask", "gone"),
            trains="rate",
            bound=bound.of_arrow,
            head="count",
            place="gaps",
            target="gone",
            meaning="The cost of the number expected in each gap: n^ - n + n log(n / n^), summed.",
            sums=r"\sum_g",
            latex=r"\left(\hat n_g - n_g + n_g \log \frac{n_g}{\hat n_g}\right)",
            example="gap : poisson(gone)  weight bound",
            imports=(("counts", "poisson_cost"),),
        ),
    )
