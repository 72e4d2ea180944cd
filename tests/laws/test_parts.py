"""A batch in parts, one after the other or on several devices, has the gradient of the whole."""

import pytest
import torch
from laws import zoo
from laws.build import VOCAB
from laws.examples import examples, network
from laws.scripted import pick
from rounding import near

from xlm_runtime.plug import Example, Losses, Noise
from xlm_runtime.train.accumulation import Parts


def loss(package, net, batch, noise) -> Losses:
    family = package.family
    if family.corrupt is None:
        return family.loss(net, batch)
    return family.loss(net, family.corrupt(batch, family.amount(batch, noise), noise, VOCAB), batch)


def slopes(net) -> list[torch.Tensor]:
    found = [w.grad for w in net.parameters() if w.grad is not None]
    net.zero_grad()
    return found


@pytest.mark.parametrize("package", zoo.ALL, indirect=True)
def test_parts_have_the_gradient_of_the_whole_batch(package):
    """Padded each by itself, of rows of many lengths; strata are those of the batch."""
    for name in package.family.layouts:
        layout = package.layout(name, 5)
        made = examples(name, begins=layout.begins)
        net = network(package, name)
        batch = layout(made)
        loss(package, net, batch, Noise(1, batch.example, 4)).total.backward()
        whole = slopes(net)
        parts = Parts(3)
        for i in range(3):
            part = layout(made[2 * i : 2 * i + 2])
            found = loss(package, net, part, Noise(1, part.example, 4, i, 3))
            (parts.weighted(found, part) / 3).backward()
        parts.mend(net.parameters(), lambda x: x)
        for found, expected in zip(slopes(net), whole, strict=True):
            assert near(found, expected, torch.float32), name


@pytest.mark.parametrize("package", zoo.ALL, indirect=True)
def test_a_batch_that_is_not_divided_is_left_as_it_is(package):
    layout = package.layout("text", 5)
    batch = layout(examples("text"))
    net = network(package)
    found = loss(package, net, batch, Noise(1, batch.example))
    parts = Parts(1)
    assert parts.weighted(found, batch) is found.total
    found.total.backward()
    before = [slope.clone() for w in net.parameters() if (slope := w.grad) is not None]
    parts.mend(net.parameters(), lambda x: x)
    assert all(map(torch.equal, before, slopes(net)))


@pytest.mark.parametrize("package", zoo.ALL, indirect=True)
def test_the_denominator_is_no_matter_of_padding(package):
    """A row beside a longer one is divided by as much as beside itself."""
    layout = package.layout("text", 6)
    short, long = Example(1, [5, 6]), Example(2, [5, 6, 7, 5, 6])
    net = network(package)
    batch = layout([short, long])
    noise = Noise(3, batch.example)
    amount = None if package.family.corrupt is None else package.family.amount(batch, noise)

    def over(rows, there) -> int:
        if package.family.corrupt is None:
            return int(package.family.loss(net, there).over)
        noised = package.family.corrupt(there, amount[rows], Noise(3, there.example), VOCAB)
        return int(package.family.loss(net, noised, there).over)

    alone = [over(torch.tensor([i]), layout([one])) for i, one in enumerate((short, long))]
    assert over(torch.tensor([0, 1]), batch) == sum(alone)
    assert over(torch.tensor([0]), pick(batch, torch.tensor([0]))) == alone[0]
