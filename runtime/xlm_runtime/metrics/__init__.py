"""Metrics of what is generated: torchmetrics whose ``update`` takes an `Answer`.

A metric has a ``name``; ``compute`` gives one value or several by name. ``NAME_error`` is the
standard error of ``NAME``, and ``NAME_count`` what it is a mean of. `asked` knows those that a run
may ask for by name.
"""

from torchmetrics import Metric, MetricCollection

from xlm_runtime.metrics.answer import Answer
from xlm_runtime.metrics.ratio import Ratio
from xlm_runtime.metrics.sequences import ExactMatch, Solved, TokenAccuracy

__all__ = ["Answer", "ExactMatch", "Ratio", "Solved", "TokenAccuracy", "collection"]


def collection(*metrics: Metric) -> MetricCollection:
    """Metrics under their names.

    Compute groups are off: torchmetrics would merge metrics whose sums happen to agree on the first
    answer, and update one of them only.
    """
    named: dict[str, Metric | MetricCollection] = {str(one.name): one for one in metrics}
    return MetricCollection(named, compute_groups=False)
