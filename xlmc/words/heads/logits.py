"""``logits``: a distribution over tokens at each position or gap."""

from xlmc.theory.process import Process
from xlmc.words.heads.base import Head, Place

WHY = "xlmc reads logits at `tokens` or at `gaps`"


class Logits(Head):
    """The word ``logits``."""

    name = "logits"
    noun = "logits"
    number = False
    form = "head NAME : logits [at tokens | at gaps] [shifted]"
    meaning = "A distribution over the tokens that may be predicted, at each token or at each gap."
    example = "head token : logits"
    default = "at tokens"

    def place(self, process: Process) -> Place:
        """Return tokens or gaps."""
        gaps = process.drops and not process.masks
        return Place(("tokens", "gaps"), WHY, "gaps" if gaps else "tokens", optional=True)
