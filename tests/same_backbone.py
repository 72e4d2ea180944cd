"""A backbone of one's own, for a random spec: a token sees itself and the mean of its row."""

import torch
from torch import nn

from xlm_runtime.plug import ModelSize


class Mean(nn.Module):
    """Each token with what its row has in common."""

    def __init__(self, vocab: int, size: ModelSize) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocab, size.width)
        self.mix = nn.Linear(2 * size.width, size.width)

    def forward(self, x: torch.Tensor, attend: torch.Tensor | None) -> torch.Tensor:
        """Tokens to hidden states; ``attend`` marks what is no padding."""
        states = self.embed(x)
        seen = torch.ones_like(x) if attend is None else attend.long()
        mean = (states * seen[..., None]).sum(1) / seen.sum(1).clamp(min=1)[:, None]
        return torch.tanh(self.mix(torch.cat([states, mean[:, None].expand_as(states)], -1)))
