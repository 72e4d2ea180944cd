"""Work that no sample needs: tokens through the network, and memory of decoders."""

from itertools import pairwise
from typing import Any

import pytest
import torch
from laws import zoo
from laws.build import VOCAB
from laws.examples import layouts, network, tokens
from laws.memory import Made
from laws.scripted import draw

LIMIT = 8
UNCACHED = ("mdlm", "dream", "llada", "remdm", "ilm", "gone_bound", "flexmdm", "both_mixed")


def decoded(package: Any, made: Any, name: str, batch: Any, **params: Any) -> Any:
    sampler = package.sampler(name, **params)
    return sampler(made, batch, draw(batch, 5), LIMIT, record=True)


@pytest.mark.parametrize("name", UNCACHED)
def test_the_network_sees_no_column_that_is_empty(workshop, name):
    """In each call the outermost columns hold a token of some row that is still at work."""
    package = workshop.package(name)
    for layout, _, batch in layouts(package):
        made, calls = network(package, layout), []
        inner = made.trunk

        def trunk(xt, attend, *more, inner=inner, calls=calls):
            calls.append((xt, attend))
            return inner(xt, attend, *more)

        made.trunk = trunk
        decoded(package, made, "default", batch)
        assert calls
        for xt, attend in calls:
            if attend is not None:
                assert len(xt)
                assert attend[:, [0, -1]].any(0).all()
            if package.spec.has("clean -> gone"):  # padding on the left leaves, too
                assert xt.shape[1] == attend.sum(1).max()


@pytest.mark.parametrize("name", ["dream", "mlm", "ilm"])
def test_draws_in_chunks_are_the_same(workshop, name, monkeypatch):
    package = workshop.package(name)
    layout, _, batch = layouts(package)[0]
    made = network(package, layout)
    for sampler in package.spec.samplers:
        whole = decoded(package, made, sampler, batch)
        with monkeypatch.context() as patch:
            patch.setattr(package.sampling, "LOGITS", 2 * made.vocab.size)
            parts = decoded(package, made, sampler, batch)
        assert torch.equal(whole.x, parts.x)
        assert torch.equal(whole.nfe, parts.nfe)


def test_draws_sort_and_add_up_no_more_than_a_chunk(workshop, monkeypatch):
    """Sorted orders and chances in float64 take 8 bytes an element: those of 2 places here.

    At other temperatures the tempered logits of all places are in float64, too.
    """
    package = workshop.package("dream")
    layout, _, batch = layouts(package)[0]
    made = network(package, layout).float()
    vocab = made.vocab.size
    monkeypatch.setattr(package.sampling, "LOGITS", 2 * vocab)

    def places(one: torch.Tensor) -> int:
        wide = one.dim() == 2 and one.shape[1] == vocab and one.element_size() == 8
        return len(one) if wide else 0

    with Made(places) as on_the_way:
        decoded(package, made, "default", batch, steps=1, temperature=1.0)
    assert batch.free.sum() > 4
    assert 0 < on_the_way.largest <= 2


def test_causal_attention_without_padding_has_no_mask(workshop):
    """A mask of the order would have length x length entries."""
    package = workshop.package("next_plain")
    made = network(package, "text")
    square = torch.zeros(2, 37, dtype=torch.long) + VOCAB["eos"]

    def entries(one: torch.Tensor) -> int:
        return one.numel() if one.dtype == torch.bool else 0

    with Made(entries) as on_the_way:
        made.trunk(square, None)
    assert on_the_way.largest == 0


def test_every_kind_of_canvas_is_among_the_packages() -> None:
    """Places, gaps, and both."""
    texts = [zoo.SPECS[name].text for name in UNCACHED]
    assert all(any(words in text for text in texts) for words in ("-> mask", "clean -> gone"))
    assert any(zoo.SPECS[name].two for name in UNCACHED)


@pytest.mark.parametrize("package", ["both_timeless"], indirect=True)
@pytest.mark.parametrize(("kept", "anew"), [("default", "anew"), ("doubting", "doubting_anew")])
def test_rows_of_two_clocks_that_stay_are_not_queried(package, kept, anew):
    """The same tokens at every step; a row is read anew exactly where a step has changed it."""
    for layout, _, batch in layouts(package):
        made = network(package, layout)
        made.gap = lambda hidden, few=made.gap: 20 * few(hidden)  # rows change, again and again
        whole, found = (decoded(package, made, name, batch) for name in (anew, kept))
        assert torch.equal(whole.x, found.x)
        assert all(torch.equal(*pair) for pair in zip(whole.history, found.history, strict=True))
        assert (found.nfe <= whole.nfe).all()
        assert 0 < int(found.nfe.sum()) < 0.8 * int(whole.nfe.sum())
        states = found.history[: package.sampler(kept).steps]
        rows = [[tokens(state[i]) for state in states] for i in range(len(batch.x0))]
        changes = [1 + sum(a != b for a, b in pairwise(one)) for one in rows]
        left = (found.history[-2] == VOCAB["mask"]).any(1).long()
        assert (found.nfe <= torch.tensor(changes) + left).all()


@pytest.mark.parametrize("package", ["both_timeless"], indirect=True)
def test_kept_answers_stay_with_their_columns(package):
    """Answers to columns that were cut are dropped; in new columns nothing was seen."""
    x = torch.arange(8)[None]
    kept = package.recalling.Kept(x, x >= 0, x[:, :, None].double(), cut=2).at(5, 7)
    assert kept.x.tolist() == [[3, 4, 5, 6, 7, 0, 0]]
    assert kept.seen.tolist() == [[True] * 5 + [False] * 2]
    assert kept.hidden[:, :, 0].tolist() == kept.x.tolist()
    assert kept.cut == 5
