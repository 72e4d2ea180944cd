"""Sums of costs in chunks: the same numbers, and never the logits of all places at a time."""

from typing import Any

import pytest
import torch
from laws import zoo
from laws.build import SIZE, A
from laws.memory import Made
from laws.scripted import draw
from torch.profiler import profile

from xlm_runtime.plug import Example, Vocabulary

VOCAB = Vocabulary(400, {"pad": 0, "mask": 1, "bos": 2, "eos": 3, "cls": 4})
CHUNK = 256  # the fewest places of a chunk, whatever the vocabulary
SPECS = ("flexmdm", "dream", "arlm", "gone_bound")


def problem(package: Any, rows: int = 9, length: int = 100) -> tuple[Any, Any, Any]:
    """A network in double precision, a noised batch of several chunks, and its noised form."""
    family = package.family
    layout = family.layouts["text"](VOCAB, length)
    generator = torch.Generator().manual_seed(2)
    sizes = [0, 3, *[length] * (rows - 2)]
    bodies = [torch.randint(A, VOCAB.size, (n,), generator=generator).tolist() for n in sizes]
    batch = layout([Example(i, body) for i, body in enumerate(bodies)])
    torch.manual_seed(1)
    made = family.network(VOCAB, VOCAB.allowed(layout.predicts), SIZE).double()
    noise = draw(batch, 5)
    noised = ()
    if family.corrupt is not None:
        noised = (family.corrupt(batch, family.amount(batch, noise), noise, VOCAB),)
    return made, (*noised, batch), batch


@pytest.mark.parametrize("package", SPECS, indirect=True)
def test_chunks_give_the_loss_and_gradient_of_the_whole(package):
    """To rounding: sums of a few thousand float64 terms in another order, 1e-12 relative."""
    made, given, _ = problem(package)
    found = []
    for logits in (2**40, 1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(package.costs, "LOGITS", logits)
            made.zero_grad()
            total = package.family.loss(made, *given).total
            total.backward()
            with torch.no_grad():
                again = package.family.loss(made, *given).total
        slopes = [w.grad for w in made.parameters() if w.grad is not None]
        found.append((total.detach(), torch.cat([one.flatten() for one in slopes])))
    (whole, slope), (total, other) = found
    assert abs(total - whole) <= 1e-12 * whole
    assert (slope - other).norm() <= 1e-12 * slope.norm()
    assert abs(again - whole) <= 1e-12 * whole


@pytest.mark.parametrize("name", ["mdlm", "ilm"])
def test_no_tensor_of_a_step_holds_the_logits_of_more_than_a_chunk(workshop, name, monkeypatch):
    package = workshop.package(name)
    made, given, batch = problem(package)
    assert batch.free.sum() > 2 * CHUNK
    monkeypatch.setattr(package.costs, "LOGITS", 1)
    with Made() as made_on_the_way:
        package.family.loss(made, *given).total.backward()
    assert made_on_the_way.largest <= CHUNK * VOCAB.size


@pytest.mark.parametrize("name", ["mdlm", "ilm"])
def test_the_gradient_of_logits_takes_their_memory(workshop, name, monkeypatch):
    """Of a whole chunk's size only logits are made, once: no copy, no gradient of their own."""
    package = workshop.package(name)
    made, given, _ = problem(package)
    heads = {"mdlm": "token", "ilm": "slot"}
    head, asked = getattr(made, heads[name]), []
    monkeypatch.setattr(made, heads[name], lambda some: asked.append(len(some)) or head(some))
    monkeypatch.setattr(package.costs, "LOGITS", 1)
    with Made() as on_the_way:
        package.family.loss(made, *given).total.backward()
    for places in set(asked):
        assert on_the_way.sizes.count(places * VOCAB.size) == asked.count(places)


@pytest.mark.parametrize("name", ["mdlm", "ilm"])
def test_chunks_give_the_likelihood_of_the_whole(workshop, name, monkeypatch):
    package = workshop.package(name)
    made, _, batch = problem(package)
    found = []
    for logits in (2**40, 1):
        monkeypatch.setattr(package.costs, "LOGITS", logits)
        with Made() as on_the_way:
            found.append(package.family.nelbo(made, batch, draw(batch, 7)).nats)
    assert on_the_way.largest <= CHUNK * VOCAB.size
    torch.testing.assert_close(*found, rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    ("name", "most"), [("arlm", 1), ("mdlm", 1), ("dream", 1), ("ilm", 2), ("flexmdm", 2)]
)
def test_places_are_searched_for_once_a_term(workshop, name, most):
    """Every search for the places of a mask waits for a GPU; none is left to the backward pass."""
    package = workshop.package(name)
    made, given, _ = problem(package, rows=3, length=8)
    with profile() as run:
        package.family.loss(made, *given).total.backward()
    counted = {event.key: event.count for event in run.key_averages()}
    assert counted.get("aten::nonzero", 0) == most


@pytest.mark.parametrize("name", ["mdlm", "ilm"])
def test_chunks_in_half_precision_are_as_near_as_the_whole(workshop, name, monkeypatch):
    """Autocast to bfloat16, whose products keep 8 bits: both ways are within 2% of float32."""
    package = workshop.package(name)
    made, given, _ = problem(package)
    made = made.float()
    exact = package.family.loss(made, *given).total
    exact.backward()
    slopes = torch.cat([w.grad.flatten() for w in made.parameters() if w.grad is not None])
    monkeypatch.setattr(package.costs, "LOGITS", 1)
    made.zero_grad()
    with torch.autocast("cpu", torch.bfloat16):
        mixed = package.family.loss(made, *given).total
    mixed.backward()
    found = torch.cat([w.grad.flatten() for w in made.parameters() if w.grad is not None])
    assert abs(mixed - exact) <= 0.02 * exact
    assert (found - slopes).norm() <= 0.02 * slopes.norm()


def test_every_kind_of_cost_is_among_the_specs() -> None:
    """Tokens at masks, behind shifted heads, from left to right, and jointly with their gaps."""
    texts = [zoo.SPECS[name].text for name in SPECS]
    for words in ("-> mask", "-> gone", "cross_entropy(following)", "shifted", "joint_cross"):
        assert any(words in text for text in texts)
