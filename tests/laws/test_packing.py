"""Documents in one row: none sees another, and each is judged as if it were alone."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from laws import zoo
from laws.build import VOCAB, A, B, C, Package
from laws.examples import network
from laws.scripted import chosen, draw, pick
from rounding import near

from xlm_runtime.plug import Batch, Example

PACKING = [name for name in zoo.ALL if not zoo.SPECS[name].has("-> gone")]
NONES = [name for name in PACKING if name in zoo.NONES]
MASKS = [name for name in PACKING if name not in zoo.NONES]
AROUND = [name for name in MASKS if zoo.SPECS[name].has("visible(")]
PACKED = [  # the bodies of rows, and where documents begin in them
    ([A, B, C, B, A, A, C, B], [0, 0, 0, 1, 1, 2, 2, 2]),
    ([C, C, A, B, B], [4, 4, 5, 5, 5]),  # numbers may begin anywhere
    ([B, A], ()),
    ([A, C, B, B, C, A], [0, 1, 2, 2, 2, 2]),
]


def every(names):
    return pytest.mark.parametrize("package", names, indirect=True)


def batch_of(package: Package) -> Batch:
    examples = [
        Example(3 + i, body, document=document) for i, (body, document) in enumerate(PACKED)
    ]
    return package.layout("text", 8)(examples)


def pieces(batch: Batch) -> list[tuple[int, int, int]]:
    """Row, first column and the column behind the last of every document, by the bodies above."""
    before = int(batch.inside[0].long().argmax())  # what stands before the body
    found = []
    for row, (body, document) in enumerate(PACKED):
        numbers = list(document) or [0] * len(body)
        starts = [i for i in range(1, len(body)) if numbers[i] != numbers[i - 1]]
        cuts = [0, *(before + i for i in starts), int((batch.attend[row] > 0).sum())]
        found += [(row, a, b) for a, b in pairwise(cuts)]
    return found


def told(package: Package, rows: int) -> tuple[torch.Tensor, ...]:
    return (torch.full((rows,), 0.4),) if package.spec.has("dit(condition") else ()


def hidden_masks(batch: Batch) -> torch.Tensor:
    """Free places with and without a mask in every document."""
    generator = torch.Generator().manual_seed(4)
    return batch.free & (torch.rand(batch.x0.shape, generator=generator) < 0.6)


@every(PACKING)
def test_k5_the_answers_are_those_of_each_document_alone(package):
    """Hidden states, specials at the edges and padding around included."""
    net, batch = network(package), batch_of(package)
    xt = batch.x0.masked_fill(hidden_masks(batch), VOCAB["mask"])
    together = net.trunk(xt, batch.attend, *told(package, len(xt)))
    assert together.isfinite().all()
    for row, start, stop in pieces(batch):
        alone = net.trunk(xt[row : row + 1, start:stop], None, *told(package, 1))
        assert near(together[row : row + 1, start:stop], alone, torch.float32)
    blind = net.trunk(xt, batch.attend > 0, *told(package, len(xt)))
    assert not torch.allclose(blind, together, atol=1e-2)  # it does matter


def reads(package: Package, net, batch: Batch, masked: torch.Tensor) -> torch.Tensor:
    """What the head of tokens reads in the loss."""
    seen = []
    head = net.token
    net.token = lambda hidden: seen.append(hidden) or head(hidden)
    if package.family.corrupt is None:
        package.family.loss(net, batch)
    else:
        amount = torch.full((len(batch.x0),), 0.5, dtype=torch.float64)
        if "count" in package.spec.text.split("amount")[1].split("\n")[0]:
            amount = masked.sum(1)
        package.family.loss(net, chosen(package, batch, amount, masked), batch)
    del net.token
    return seen[0]


@every(PACKING)
def test_k5_no_token_of_another_document_moves_a_logit(package):
    """By the gradient of what the loss reads in a document, exactly 0 at all others.

    Of what is read at the last token of a document to say the next one, that document is seen.
    """
    net, batch = network(package), batch_of(package)
    masked = hidden_masks(batch)
    kept = []
    hook = net.backbone.embed.register_forward_hook(lambda *parts: kept.append(parts[2]))
    read = reads(package, net, batch, masked)
    hook.remove()
    following = package.family.corrupt is None
    target = batch.free if following else masked
    places = target.nonzero() - torch.tensor([0, int(following)])  # where the reader stands
    assert len(places) == len(read)
    for row, start, stop in pieces(batch):
        own = [i for i, (r, c) in enumerate(places.tolist()) if r == row and start <= c < stop]
        if not own:
            continue
        (slope,) = torch.autograd.grad(read[own].square().sum(), kept[0], retain_graph=True)
        felt = slope.abs().amax(-1) > 0
        assert felt[row, start:stop].any()
        felt[row, start:stop] = False
        assert not felt.any()


def alone(batch: Batch, row: int, start: int, stop: int) -> Batch:
    """One document of a row as a batch, with the first token of the next one, which it foretells.

    Its own first token is foretold by the one before.
    """
    columns = slice(start, min(stop + 1, int((batch.attend[row] > 0).sum())))
    one = pick(replace(batch, attend=None), slice(row, row + 1))
    cut = {k: getattr(one, k)[:, columns].clone() for k in ("x0", "inside", "free", "open")}
    cut["free"][:, 0] = False
    return replace(one, **cut)


@every(NONES)
def test_k5_a_row_costs_what_its_documents_cost(package):
    """-log p of a packed row is the sum over documents: each alone, up to the end that it says."""
    net, batch = network(package), batch_of(package)
    nats = package.family.nelbo(net, batch, draw(batch))
    sums = torch.zeros(len(batch.x0), dtype=torch.float64)
    for row, start, stop in pieces(batch):
        one = alone(batch, row, start, stop)
        sums[row] += float(package.family.nelbo(net, one, draw(one)).nats)
    assert near(nats.nats, sums, torch.float32)
    if package.spec.over == "tokens" and not package.spec.has("weight"):
        loss = package.family.loss(net, batch).total.detach()
        assert float(loss) == pytest.approx(float(sums.sum() / batch.free.sum()), rel=1e-5)


@every(MASKS)
def test_k5_masks_of_a_row_are_read_as_in_each_document_alone(package):
    """Wherever a head reads its answer: at the token, or at the one to its left."""
    net, batch = network(package), batch_of(package)
    masked = hidden_masks(batch)
    together = reads(package, net, batch, masked)
    found = []
    for row, start, stop in pieces(batch):
        one = replace(
            pick(replace(batch, attend=None), slice(row, row + 1)),
            **{k: getattr(batch, k)[row : row + 1, start:stop] for k in ("x0", "inside", "free")},
            open=batch.open[row : row + 1, start:stop],
        )
        if masked[row, start:stop].any():
            found.append(reads(package, net, one, masked[row : row + 1, start:stop]))
    assert near(together, torch.cat(found), torch.float32)


@every(AROUND)
def test_k5_what_can_be_seen_around_a_mask_is_its_own_document(package):
    batch = batch_of(package)
    masked, kernel = hidden_masks(batch), package.around.geometric(0.3)
    together = package.around.visible(kernel, masked, batch.attend)
    for row, start, stop in pieces(batch):
        cut = masked[row : row + 1, start:stop]
        assert torch.allclose(
            together[row, start:stop], package.around.visible(kernel, cut, None)[0]
        )


@every(PACKING)
def test_k5_one_document_a_row_costs_nothing(package):
    """No mask of length x length, and none at all where nothing is padded."""
    batch = package.layout("text", 8)([Example(0, [A, B, C]), Example(1, [C, B])])
    assert batch.attend.dtype == torch.bool
    assert package.backbone.attention_mask(batch.attend).shape == (2, 1, 1, batch.x0.shape[1])
    same = package.layout("text", 8)([Example(0, [A, B]), Example(1, [C, B])])
    assert same.attend is None
    assert package.backbone.attention_mask(None) is None
    assert package.family.packs


@every([name for name in zoo.ALL if name not in PACKING])
def test_k5_where_tokens_move_rows_are_not_packed(package):
    assert package.family.inserts
    assert not package.family.packs
