"""All of the toy family: layouts, network, noise, loss and decoders."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from xlm_runtime.plug import (
    Batch,
    Claim,
    Decoded,
    Example,
    Family,
    Losses,
    ModelSize,
    Nelbo,
    Noise,
    Param,
    Row,
    Samples,
    Vocabulary,
    stack,
)


class Text:
    """``[body]``, of a length that is given."""

    predicts: tuple[str, ...] = ()
    fills = False
    given: tuple[str, ...] = ()

    def __init__(self, vocab: Vocabulary, body: int) -> None:
        self.vocab, self.body = vocab, body

    def __call__(self, examples: Sequence[Example]) -> Batch:
        rows = [Row(e.body, 0, len(e.body)) for e in examples]
        return stack(rows, examples, self.vocab["pad"], self.body)


class Seq2seq(Text):
    """``prompt [body pad]``, filled to the capacity."""

    predicts = ("pad",)
    fills = True

    def __call__(self, examples: Sequence[Example]) -> Batch:
        pad, rows = self.vocab["pad"], []
        for e in examples:
            ids = [*e.prompt, *e.body, *[pad] * (self.body - len(e.body))]
            rows.append(Row(ids, len(e.prompt), len(ids), left=len(e.prompt)))
        return stack(rows, examples, pad, self.body)


class Network(nn.Module):
    """One layer of attention; `dropout` makes training random."""

    def __init__(self, vocab: Vocabulary, allowed: Tensor, size: ModelSize) -> None:
        super().__init__()
        self.mask = vocab["mask"]
        self.tokens = nn.Embedding(vocab.size, size.width)
        self.places = nn.Embedding(64, size.width)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                size.width, size.heads, 2 * size.width, size.dropout, batch_first=True
            )
            for _ in range(size.layers)
        )
        self.out = nn.Linear(size.width, vocab.size)
        self.register_buffer("allowed", allowed)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.tokens(x) + self.places(torch.arange(x.shape[1], device=x.device))
        for layer in self.layers:
            hidden = layer(hidden)
        return self.out(hidden).masked_fill(~self.allowed, -torch.inf)


@dataclass(frozen=True)
class Noised:
    xt: Tensor
    count: Tensor


def amount(batch: Batch, noise: Noise) -> Tensor:
    """The number of masks, uniform on 1..length."""
    length = batch.free.sum(1)
    return 1 + (noise.uniform("count")[:, 0] * length).long()


def corrupt(batch: Batch, count: Tensor, noise: Noise, vocab: Vocabulary) -> Noised:
    """Masks ``count`` free positions of each row."""
    order = noise.uniform("mask", batch.x0.shape[1]).masked_fill(~batch.free, 2.0)
    rank = order.argsort(1).argsort(1)
    return Noised(batch.x0.masked_fill(rank < count[:, None], vocab["mask"]), count)


def _nats(network: Network, noised: Noised, batch: Batch) -> Tensor:
    masked = (noised.xt == network.mask) & batch.free
    nll = F.cross_entropy(network(noised.xt).transpose(1, 2), batch.x0, reduction="none")
    return (nll * masked).sum(1) * batch.free.sum(1) / noised.count


def loss(network: Network, noised: Noised, batch: Batch, scale: float) -> Losses:
    over = batch.free.sum()
    nats = scale * _nats(network, noised, batch).sum() / over
    return Losses(nats, {"token": nats}, over)


def nelbo(network: Network, batch: Batch, noise: Noise) -> Nelbo:
    vocab = Vocabulary(network.out.out_features, {"mask": network.mask})
    noised = corrupt(batch, amount(batch, noise), noise, vocab)
    return Nelbo(_nats(network, noised, batch))


class OneByOne:
    """Reveals one token per call, from left to right."""

    def __init__(self, temperature: float) -> None:
        self.temperature = temperature

    def __call__(
        self, network: Network, batch: Batch, noise: Noise, limit: int, record: bool
    ) -> Decoded:
        x = batch.x0.masked_fill(batch.free, network.mask)
        history = [x]
        for step in range(int(batch.free.sum(1).max())):
            open_ = (x == network.mask) & batch.free
            place = open_.float().argmax(1, keepdim=True)
            chance = torch.softmax(network(x).double() / max(self.temperature, 1e-6), -1)
            chance = chance.gather(1, place[..., None].expand(-1, -1, chance.shape[2]))[:, 0]
            at = noise.at(step).uniform("token")
            token = (chance.cumsum(1) < at * (1 - 1e-12)).sum(1, keepdim=True)
            written = x.scatter(1, place, token.clamp(max=chance.shape[1] - 1))
            x = torch.where(open_.any(1, keepdim=True), written, x)
            history.append(x)
        return Decoded(x, batch.inside, batch.free.sum(1), tuple(history) if record else ())


class Greedy(OneByOne):
    """The same at temperature 0."""

    def __init__(self) -> None:
        super().__init__(0.0)


FAMILY = Family(
    name="toy",
    title="Toy masked model",
    claim=Claim("tight", "the average over all orders of revealing"),
    specials=("pad", "mask"),
    layouts={"text": Text, "seq2seq": Seq2seq},
    network=Network,
    amount=amount,
    corrupt=corrupt,
    loss=loss,
    nelbo=nelbo,
    decoders={"default": OneByOne, "greedy": Greedy},
    params={
        "loss": (Param("scale", "Scale", 1.0),),
        "default": (Param("temperature", "Scale", 1.0),),
    },
    samples={
        "default": Samples("exact"),
        "greedy": Samples("none", "the likeliest tokens are taken"),
    },
    recipes={
        "toy_reverse": {"batch": 32, "steps": 100, "learning_rate": 1e-3, "decoder.temperature": 0}
    },
)
