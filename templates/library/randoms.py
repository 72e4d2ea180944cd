"""Random tokens: their ids, and the chances of a noise that draws them."""

from dataclasses import dataclass
from typing import Any

import torch

from xlm_runtime.plug import Vocabulary
from xlm_runtime.shapes import Bool, Float, Int, Tensor

LEAST = 1e-6  # of alpha; of 1 - alpha its square: nearer to an end costs change no more


@dataclass(frozen=True)
class Level:
    """The noise at some times: the chances that a token has been drawn anew.

    lost: of this itself.  random: that it is a random one since; else it is a mask.
    """

    lost: Float[Tensor, "*shape"]
    random: Float[Tensor, "*shape"]

    def at(self, index: Any) -> "Level":
        """Return the noise at some of the times."""
        return Level(self.lost[index], self.random[index])


def ordinary(vocab: Vocabulary, device: torch.device) -> Bool[Tensor, " vocab"]:
    """Mark the ids that a random token may have: all but those of special ones."""
    found = torch.ones(vocab.size, dtype=torch.bool, device=device)
    for special in vocab.specials.values():
        found[special] = False
    return found


def random_tokens(vocab: Vocabulary, u: Float[Tensor, "*shape"]) -> Int[Tensor, "*shape"]:
    """Draw ordinary tokens, each as likely, by u in [0, 1)."""
    ids = vocab.allowed(()).nonzero()[:, 0].to(u.device)
    return ids[(u * len(ids)).long()]
