"""Heads under mixed precision: products of float32 numbers, whatever the trunk computes in."""

from typing import Any

import pytest
import torch
from laws.build import SIZE
from torch.nn import functional as F

from xlm_runtime.plug import Vocabulary

VOCAB = Vocabulary(23, {"pad": 0, "mask": 1, "bos": 2, "eos": 3, "cls": 4})
HEADS = (  # of every kind: logits, with a bias and without; log-odds; a count; logits of counts
    ("mdlm", "token"),
    ("dream", "token"),
    ("ilm", "done"),
    ("flexmdm", "gap"),
    ("both_law", "gap"),
)
HEAD = {"mdlm": "token", "ilm": "slot"}


def gradient(network: Any, head: str, answered: torch.Tensor) -> torch.Tensor:
    """The gradient of a head's weights from its answers, computed outside of autocast."""
    network.zero_grad()
    F.relu(answered).sum().backward()
    slope: torch.Tensor = getattr(network, f"to_{head}").weight.grad
    return slope


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize(("name", "head"), HEADS)
def test_heads_answer_as_in_single_precision(workshop, name, head, half):
    torch.manual_seed(1)
    allowed = torch.ones(VOCAB.size, dtype=torch.bool)
    allowed[:5] = False
    network = workshop.package(name).family.network(VOCAB, allowed, SIZE)
    ask = getattr(network, head)
    hidden = torch.randn(7, SIZE.width).to(half)  # as a trunk may answer under autocast
    with torch.autocast("cpu", half):
        mixed = ask(hidden)
    exact = ask(hidden.float())
    assert mixed.dtype == torch.float32
    assert torch.equal(mixed, exact)
    assert torch.equal(gradient(network, head, mixed), gradient(network, head, exact))


@pytest.mark.parametrize("name", ["mdlm", "ilm"])
def test_sums_in_chunks_are_those_of_single_precision(workshop, name, monkeypatch):
    """Autocast rounds neither the logits of a chunk nor the gradient that is computed with them."""
    package = workshop.package(name)
    monkeypatch.setattr(package.costs, "LOGITS", 1)
    allowed = torch.ones(VOCAB.size, dtype=torch.bool)
    torch.manual_seed(1)
    network = package.family.network(VOCAB, allowed, SIZE)
    head = HEAD[name]
    rows, length = 5, 200
    hidden = torch.randn(rows * length, SIZE.width)
    place = torch.arange(length).repeat(rows)
    row = torch.arange(rows).repeat_interleave(length)
    token = torch.randint(VOCAB.size, (rows * length,))
    share = torch.rand(rows * length)

    def total() -> torch.Tensor:
        ask = getattr(network, head)
        if name == "mdlm":
            made: torch.Tensor = package.costs.cross_entropy(network, ask, hidden, token, share)
            return made
        open_ = torch.ones(rows, length, dtype=torch.bool)
        given = (open_, place, row, token, share)
        joint: torch.Tensor = package.gaps.joint_cross_entropy(network, ask, hidden, *given)
        return joint

    exact = total()
    with torch.autocast("cpu", torch.bfloat16):
        mixed = total()
    assert torch.equal(mixed, exact)
    assert torch.equal(gradient(network, head, mixed), gradient(network, head, exact))
