"""The life of a family: it is compiled, trains a step, decodes, and keeps what it promises."""

import math
from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import count
from pathlib import Path
from typing import Any

import torch
from rounding import near
from torch import Tensor

from families.compiled import imported, rendered
from xlm_runtime.plug import (
    Batch,
    Decoded,
    Example,
    Family,
    Layout,
    Losses,
    ModelSize,
    Noise,
    Vocabulary,
)

VOCAB = Vocabulary(13, {"pad": 0, "mask": 1, "bos": 2, "eos": 3, "cls": 4})
SIZE = ModelSize(layers=2, width=16, heads=2)
BODY = 6
EXAMPLES = (
    Example(7, [5, 6, 7, 8], [9, 10], [True, False, False, True]),
    Example(8, [12], [11], [False]),
    Example(9, [8, 7, 6, 5, 9, 11], [5, 6, 7], [False, False, True, False, False, True]),
)
COUNTER = count()


def live(text: str, folder: Path) -> None:
    """Compile a family, and let it do everything that a family does."""
    files = rendered(text)
    for name, code in files.items():
        compile(code, name, "exec")
    with imported(files, folder, f"drawn_{next(COUNTER)}") as package:
        family = package.FAMILY
        noise = text.partition("network")[0]
        grows = "-> gone" in text or "blocks" in noise.split()
        canvas = family.corrupt is not None and not grows
        for kind in family.layouts:
            batch, network = world(family, kind)
            trains(family, network, batch)
            is_likely(family, network, batch)
            for name in family.decoders:
                made = decodes(family, network, batch, name, canvas=canvas)
                if kind == "infill":
                    keeps_given(made, shown(family.layouts[kind](VOCAB, BODY)))
            if "mean over sequences" in text or "per sequence" in text:
                adds_up(family, network, batch)
            exact = canvas or family.corrupt is None  # in every draw
            plain = "random" not in noise.split() and ": ratios" not in text
            if exact and plain and family.nelbo and not family.learned:
                knows_nothing(family, network, batch)


def world(family: Family, kind: str, examples: Sequence[Example] = EXAMPLES) -> tuple[Batch, Any]:
    """A batch of a layout and a tiny network."""
    layout = family.layouts[kind](VOCAB, BODY)
    batch = layout(shown(layout, examples))
    torch.manual_seed(0)
    return batch, family.network(VOCAB, VOCAB.allowed(layout.predicts), SIZE).double()


def trains(family: Family, network: Any, batch: Batch) -> None:
    """A step of training: finite loss and gradient, and prompts untouched by noise."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    for step in range(3):
        noised, losses = cost(family, network, batch, Noise(1, batch.example, step))
        assert losses.total.isfinite()
        assert near(sum(losses.terms.values()), losses.total, torch.float32)
        optimizer.zero_grad()
        losses.total.backward()
        found = [p.grad for p in network.parameters() if p.grad is not None]
        assert found
        assert all(grad.isfinite().all() for grad in found)
        optimizer.step()
    if noised is None:
        return
    if hasattr(noised, "missing"):
        assert (noised.missing.sum(1) <= batch.free.sum(1)).all()
        return
    if hasattr(noised, "struck"):
        assert (noised.xt == batch.x0)[~batch.free].all()
        assert not (noised.struck & ~batch.free).any()
        return
    if hasattr(noised, "masked"):
        assert (noised.xt == batch.x0)[~batch.free].all()
        assert not (noised.masked & ~batch.free).any()
    else:
        assert not (noised.gone & ~batch.free).any()
    if hasattr(noised, "count"):
        counts = noised.count if noised.count.ndim == 1 else noised.count.amax(1)  # of each block
        assert (counts <= batch.free.sum(1)).all()


def shown(layout: Layout, examples: Sequence[Example] = EXAMPLES) -> list[Example]:
    """The examples as a layout can hold them: what is given may have to be a beginning."""
    if not layout.begins:
        return list(examples)
    return [replace(x, given=sorted(x.given, reverse=True)) for x in examples]


def cost(family: Family, network: Any, batch: Batch, noise: Noise) -> tuple[Any, Losses]:
    """The batch noised, or None, and its loss."""
    if family.corrupt is None:
        return None, family.loss(network, batch)
    noised = family.noised(batch, family.amount(batch, noise), noise, VOCAB, network)
    return noised, family.loss(network, noised, batch)


def is_likely(family: Family, network: Any, batch: Batch) -> None:
    """Where a likelihood is claimed it can be computed, and no chance is above 1."""
    assert (family.nelbo is None) == (family.claim.value == "none")
    if family.nelbo is None:
        return
    draws = [family.nelbo(network, batch, Noise(2, batch.example, step)) for step in range(16)]
    nats = torch.stack([draw.nats for draw in draws])
    assert nats.isfinite().all()
    assert (nats.mean(0) > 0).all()


def decodes(family: Family, network: Any, batch: Batch, name: str, *, canvas: bool) -> Decoded:
    """Fixed tokens stay, and free ones become what the heads may give, within the limit.

    On a canvas it stays in its place.
    """
    network.eval()
    noise = Noise(3, batch.example)
    few = {p.name: 12 for p in family.params.get(name, ()) if p.name == "steps"}
    decode = family.decoders[name](**few)
    made = decode(network, batch, noise, BODY, record=True)
    assert torch.equal(made.history[-1], made.x)
    assert (made.nfe >= 0).all()
    fixed = attended(batch) & ~batch.free
    for row in range(len(batch.x0)):
        kept = batch.x0[row][fixed[row]].tolist()
        whole = made.x[row].tolist()
        said = [token for token in whole if token != 0]
        assert is_within(kept, said)
        assert 1 not in whole
        if canvas:
            assert torch.equal(made.x[row][fixed[row]], batch.x0[row][fixed[row]])
            assert not network.forbidden[made.x[row][batch.free[row]]].any()
        else:
            added = len(said) - len(kept)
            assert 0 <= added <= batch.room
            assert not network.forbidden[list(rest(said, kept))].any()
    quiet = decode(network, batch, noise, BODY)
    assert torch.equal(quiet.x, made.x)
    assert not quiet.history
    return made


def keeps_given(made: Decoded, examples: Sequence[Example]) -> None:
    """Given tokens are part of the answer, in their order."""
    for x, body, example in zip(made.x, made.body, examples, strict=True):
        pairs = zip(example.body, example.given, strict=True)
        assert is_within([token for token, given in pairs if given], x[body].tolist())


def is_within(few: Sequence[int], many: Sequence[int]) -> bool:
    """Return whether some tokens are among others in their order."""
    left = iter(many)
    return all(token in left for token in few)


def rest(many: Sequence[int], few: Sequence[int]) -> list[int]:
    """The tokens that were added to some."""
    added = list(many)
    for token in few:
        added.remove(token)
    return added


def attended(batch: Batch) -> Tensor:
    """The positions that are not padding."""
    return torch.ones_like(batch.free) if batch.attend is None else batch.attend


def adds_up(family: Family, network: Any, batch: Batch) -> None:
    """A loss that is a mean over rows is that of the rows one by one."""
    noised, whole = cost(family, network, batch, Noise(4, batch.example))
    alone = []
    for row in range(len(batch.x0)):
        some = [] if noised is None else [rows(noised, row)]
        alone.append(family.loss(network, *some, rows(batch, row)).total)
    assert near(torch.stack(alone).mean(), whole.total, torch.float32)


def rows(record: Any, row: int) -> Any:
    """One row of a record of tensors."""
    found = {f.name: getattr(record, f.name) for f in fields(record)}
    cut = {k: v[row : row + 1] for k, v in found.items() if isinstance(v, Tensor)}
    return replace(record, **cut)


def knows_nothing(family: Family, network: Any, batch: Batch) -> None:
    """Heads that say nothing make each token cost the logarithm of what it could be."""
    for parameter in network.parameters():
        parameter.data.zero_()
    nats = family.nelbo(network, batch, Noise(5, batch.example)).nats
    bits = math.log(int((~network.forbidden).sum()))
    assert torch.allclose(nats, batch.free.sum(1).double() * bits, rtol=1e-9)
