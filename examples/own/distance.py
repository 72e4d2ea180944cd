"""A metric of one's own in one file: how far a number is from the right one.

Any torchmetrics Metric will do whose ``update`` takes an `Answer` and which has a ``name``; most
are means over answers, and a `Ratio` is one with its standard error.
"""

from xlm_runtime.metrics import Answer, Ratio


class Distance(Ratio):
    """The mean distance of answers from the right number, of those that are numbers at all."""

    name = "distance"

    def score(self, answer: Answer) -> tuple[float, float]:
        """Return the distance, and 1; or 0 and 0 for an answer that is no number."""
        said, right = (text.replace(" ", "") for text in (answer.text, answer.target))
        return (abs(float(said) - float(right)), 1.0) if said.isdecimal() else (0.0, 0.0)


DISTANCE = Distance()
"""What ``--metric`` names."""
