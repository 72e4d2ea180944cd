"""Cases that are measured: for each, pieces of work that are compared with each other.

A shape is that of star graphs (2 layers, width 128, 64 rows of 42 tokens, 27 ids) or that of texts
(4 layers, width 256, 16 rows of 128 tokens, 30,522 ids). A floor does the same arithmetic as a
package, written by hand for one shape and nothing else.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "runtime")]

from xlm_runtime.config.config import Train  # noqa: E402
from xlm_runtime.packages.package import load  # noqa: E402
from xlm_runtime.plug import Batch, Example, Family, ModelSize, Noise, Vocabulary  # noqa: E402
from xlm_runtime.train.optim import optimizer  # noqa: E402

Work = Callable[[], object]
DECODED = ("arlm", "mlm", "mdlm", "llada", "dream", "remdm", "ilm", "ilm_unbiased", "flexmdm")
NEWER = (
    "md4", "genmd4", "sedd", "sedd_uniform", "udlm", "gidd", "bert", "xlnet", "bd3lm", "sdar",
    "llada2", "dilm", "loflexmdm", "editflow", "relay",
)  # fmt: skip
TRAINED = (*DECODED, *NEWER)
OF_TEXT = (
    "arlm", "mdlm", "ilm", "flexmdm", "sedd", "udlm", "gidd", "bd3lm", "dilm", "loflexmdm",
    "editflow", "relay",
)  # fmt: skip
YARDSTICK = "mdlm"  # the family whose step others are compared with
LIMIT = 42  # tokens of a row that grows
NEVER = {"ilm": {"stop_above": 1.0}, "ilm_unbiased": {"stop_above": 1.0}}  # rows end at the limit


@dataclass(frozen=True)
class Shape:
    """Sizes of a model and of its batch; every row is full."""

    layers: int
    width: int
    heads: int
    rows: int
    length: int
    vocab: int


SHAPES = {
    "star": Shape(layers=2, width=128, heads=4, rows=64, length=42, vocab=27),
    "text": Shape(layers=4, width=256, heads=4, rows=16, length=128, vocab=30_522),
}


@dataclass(frozen=True)
class World:
    """A family with a network and a batch of a shape."""

    family: Family
    network: nn.Module
    batch: Batch
    vocab: Vocabulary

    def loss(self, step: int) -> Tensor:
        """The training loss of a step."""
        noise = Noise(1, self.batch.example, step)
        if self.family.amount is None or self.family.corrupt is None:
            return self.family.loss(self.network, self.batch).total
        amount = self.family.amount(self.batch, noise)
        noised = self.family.noised(self.batch, amount, noise, self.vocab, self.network)
        return self.family.loss(self.network, noised, self.batch).total


def world(name: str, shape: Shape, dropout: float) -> World:
    """The committed package of a family at a shape."""
    family = load(ROOT / "examples" / name).family
    specials = {role: i for i, role in enumerate(family.specials)}
    vocab = Vocabulary(shape.vocab, specials)
    random = torch.Generator().manual_seed(1)

    def ids(count: int) -> list[int]:
        return torch.randint(len(specials), shape.vocab, (count,), generator=random).tolist()

    kind = "text" if "text" in family.layouts else "seq2seq"
    body = shape.length - len(family.layouts[kind](vocab, 0).row(Example(0, ())).ids)
    layout = family.layouts[kind](vocab, body)
    size = ModelSize(shape.layers, shape.width, shape.heads, dropout)
    torch.manual_seed(1)
    network = family.network(vocab, vocab.allowed(layout.predicts), size)
    batch = layout([Example(i, ids(body)) for i in range(shape.rows)])
    return World(family, network, batch, vocab)


def train(name: str, shape: str, dropout: float) -> dict[str, Work]:
    """A step of training, beside one of the yardstick at the same shape."""
    made = world(name, SHAPES[shape], dropout)
    if name == YARDSTICK:
        return {"package": stepping(made), "floor": floor(made)}
    return {"package": stepping(made), YARDSTICK: train(YARDSTICK, shape, dropout)["package"]}


def stepping(made: World) -> Work:
    """A step: corrupt, loss, backward, clip, AdamW."""
    network = made.network.train()
    adam = optimizer(network, Train())
    steps = iter(range(10**9))

    def step() -> None:
        made.loss(next(steps)).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        adam.step()
        adam.zero_grad()

    return step


def floor(made: World) -> Work:
    """The step of masked diffusion by hand: every token is free, and no mask may be written."""
    network: Any = made.network
    x0, mask = made.batch.x0, made.vocab["mask"]
    rows, length = x0.shape
    free = made.batch.free
    own = int(free[0].sum())
    first = int(free[0].long().argmax())
    bias = torch.zeros(made.vocab.size).masked_fill(network.forbidden, -torch.inf)
    adam = optimizer(network, Train())

    def step() -> None:
        count = torch.randint(1, own + 1, (rows, 1))
        chosen = torch.rand(rows, own).argsort(1).argsort(1) < count
        place = F.pad(chosen, (first, length - own - first)).view(-1).nonzero()[:, 0]
        xt = x0.view(-1).index_fill(0, place, mask).view(rows, length)
        hidden = network.backbone(xt, None).view(rows * length, -1).index_select(0, place)
        head = network.to_token
        logits = F.linear(hidden, head.weight, head.bias + bias)
        nll = F.cross_entropy(logits, x0.view(-1)[place], reduction="none")
        weight = (own / count[:, 0])[place // length]
        ((weight * nll).sum() / (rows * own)).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        adam.step()
        adam.zero_grad()

    return step


def decode(name: str, shape: str) -> dict[str, Work]:
    """A default decoder, and the same calls of its network alone: the rest is the decoder's own."""
    made = world(name, SHAPES[shape], 0.0)
    network: Any = made.network.eval()
    params = {"steps": 16} if takes_steps(made) else {}
    sampler = made.family.decoders["default"](**params, **NEVER.get(name, {}))
    calls: list[tuple[Any, ...]] = []
    trunk = network.trunk

    def run() -> None:
        sampler(network, made.batch, Noise(1, made.batch.example), LIMIT)

    if hasattr(network, "extend"):  # calls that go on from a cache cannot be made again
        return {"package": run}
    network.trunk = lambda *given: calls.append(given) or trunk(*given)
    run()
    del network.trunk

    @torch.no_grad()
    def again() -> None:
        for given in calls:
            trunk(*given)

    return {"package": run, "floor": again}


def takes_steps(made: World) -> bool:
    """Return whether the default decoder has a number of steps."""
    return any(param.name == "steps" for param in made.family.params.get("default", ()))


def collate(name: str, shape: str) -> dict[str, Work]:
    """Laying out a batch of examples."""
    made = world(name, SHAPES[shape], 0.0)
    kind = next(iter(made.family.layouts))
    size = SHAPES[shape]
    layout = made.family.layouts[kind](made.vocab, size.length)
    body = list(range(len(made.vocab.specials), min(size.vocab, size.length)))
    examples = [Example(i, body) for i in range(size.rows)]
    return {"package": lambda: layout(examples)}


def cases() -> Iterator[tuple[str, Callable[[], dict[str, Work]]]]:
    """Every case by its name."""
    for name in TRAINED:
        yield f"train star {name}", lambda name=name: train(name, "star", 0.1)
    yield "train star mdlm without dropout", lambda: train("mdlm", "star", 0.0)
    for name in OF_TEXT:
        yield f"train text {name}", lambda name=name: train(name, "text", 0.1)
    for name in DECODED:
        yield f"decode star {name}", lambda name=name: decode(name, "star")
    yield "collate star mdlm", lambda: collate("mdlm", "star")
