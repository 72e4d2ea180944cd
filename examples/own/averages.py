"""A network of one's own: a token sees itself and the mean of its row."""

import torch
from torch import Tensor, nn

from xlm_runtime.plug import ModelSize


class Averages(nn.Module):
    """Layers that mix each token with the mean of its row."""

    def __init__(self, vocab: int, size: ModelSize) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocab, size.width)
        layers = (nn.Linear(2 * size.width, size.width) for _ in range(size.layers))
        self.layers = nn.ModuleList(layers)

    def forward(self, xt: Tensor, attend: Tensor | None) -> Tensor:
        """Return the hidden state of every position; ``attend`` marks what is no padding."""
        x: Tensor = self.embed(xt)
        seen = torch.ones_like(xt) if attend is None else attend.long()
        share = seen[..., None] / seen.sum(1).clamp(min=1)[:, None, None]
        for layer in self.layers:
            mean = (x * share).sum(1, keepdim=True).expand_as(x)
            x = x + torch.tanh(layer(torch.cat([x, mean], -1)))
        return x
