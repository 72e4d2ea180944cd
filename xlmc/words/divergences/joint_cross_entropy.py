"""``joint_cross_entropy``: -log of the chance of a dropped token together with its gap."""

from xlmc.theory import bound
from xlmc.theory.needs import arrow
from xlmc.words.divergences.base import Divergence, Use


class JointCrossEntropy(Divergence):
    """The word ``joint_cross_entropy``."""

    name = "joint_cross_entropy"
    form = "HEAD : joint_cross_entropy(gone) [weight EXPR]"
    meaning = "-log of the joint probability of a dropped token and its gap."
    example = "slot : joint_cross_entropy(gone)"
    uses = (
        Use(
            word=name,
            partial="joint_cross_entropy",
            needs=(arrow("clean", "gone"),),
            undoes=("clean", "gone"),
            trains="token",
            bound=bound.of_pairs,
            reads_batch=True,
            head="logits",
            place="gaps",
            target="gone",
            meaning=("Mean cross-entropy of each row's dropped tokens and gaps, summed over rows."),
            sums=r"\frac{1}{n} \sum_{i\,\mathrm{gone}}",
            minus=True,
            latex=r"\log p(\mathrm{gap}_i, x_0^i \mid x_t)",
            example="slot : joint_cross_entropy(gone)",
            imports=(("gaps", "joint_cross_entropy"),),
            names_row_count=True,
            joint=True,
        ),
    )
