"""Metrics of generated texts: torchmetrics whose ``update`` takes an `Answer`.

A metric has a ``name``; ``compute`` gives one value or several by name. ``NAME_error`` is the
standard error of ``NAME``, and ``NAME_count`` what it is a mean of. `asked` lists the metrics that
a run may request by name.
"""

from torchmetrics import Metric, MetricCollection

from xlm_runtime.metrics.answer import Answer
from xlm_runtime.metrics.ratio import Ratio
from xlm_runtime.metrics.sequences import ExactMatch, Solved, TokenAccuracy

__all__ = ["Answer", "ExactMatch", "Ratio", "Solved", "TokenAccuracy", "collection"]


def collection(*metrics: Metric) -> MetricCollection:
    """Return a collection of metrics under their names.

    Compute groups are off: torchmetrics would merge metrics whose sums happen to agree on the
    first answer, and update only one of them.
    """
    named: dict[str, Metric | MetricCollection] = {str(one.name): one for one in metrics}
    return MetricCollection(named, compute_groups=False)
