"""A task of one's own out of one that is there: star graphs of three lines of four nodes.

``xlmc run out/arlm --task examples.own.stars:THREE``
"""

from xlm_runtime.tasks.base.stars import Star
from xlm_runtime.tasks.star import EASY, StarTask

THREE = StarTask(
    "star_three",
    EASY.star("paper"),
    Star(degree=3, shortest=4, longest=4, ahead=3, labels=10, path="nodes", joined=True),
    EASY.quick,
)
"""What ``--task`` names."""
