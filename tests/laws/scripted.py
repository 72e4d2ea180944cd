"""Noise that says what it is told: all outcomes of a corruption, each once or with its chance."""

from dataclasses import fields, is_dataclass, replace
from itertools import permutations
from typing import Any, TypeVar

import torch
from laws.build import VOCAB, Package

from xlm_runtime.plug import Batch, Draft, Losses, Noise

T = TypeVar("T")


class Scripted:
    """A source whose draws are given: stream -> (batch, positions)."""

    def __init__(self, **draws: torch.Tensor) -> None:
        self.draws = draws

    def at(self, step: int) -> "Scripted":
        return self

    def uniform(self, stream: str, positions: int | torch.Tensor = 1) -> torch.Tensor:
        found = self.draws[stream]
        wanted = positions if isinstance(positions, int) else positions.shape[1]
        assert found.shape[1] == wanted
        return found


def pick(thing: T, rows: Any) -> T:
    """Some rows of a batch or of its noised form; what is not of a row stays."""
    assert is_dataclass(thing)
    named = {f.name: getattr(thing, f.name) for f in fields(thing)}
    picked = {k: v[rows] for k, v in named.items() if isinstance(v, torch.Tensor)}
    parts = {k: pick(v, rows) for k, v in named.items() if isinstance(v, Draft)}
    return replace(thing, **picked, **parts)


def alone(batch, i: int):
    """One row of a batch, without the padding that the others need."""
    attend = torch.ones_like(batch.free) if batch.attend is None else batch.attend
    keep = attend[i]

    def part(values):
        return values[i : i + 1][:, keep]

    return replace(
        batch,
        x0=part(batch.x0),
        inside=part(batch.inside),
        free=part(batch.free),
        open=part(batch.open),
        attend=None,
        example=batch.example[i : i + 1],
        cut=batch.cut[i : i + 1],
    )


def repeat(batch: Batch, times: int) -> Batch:
    """A batch of one example, many times over, each with an index of its own."""
    copies = pick(batch, torch.zeros(times, dtype=torch.long))
    return replace(copies, example=torch.arange(times))


def draw(batch: Batch, seed: int = 0, step: int = 0) -> Noise:
    return Noise(seed, batch.example, step)


def every_count(batch: Batch) -> tuple[Batch, Scripted]:
    """One example with every count of corrupted tokens and every order, all equally likely.

    Whether counts begin at 0 or at 1: the amounts are the middles of L (L + 1) cells.
    """
    places = batch.free[0].nonzero()[:, 0].tolist()
    length = len(places)
    cells = max(1, length * (length + 1))
    orders = list(permutations(range(length)))
    amounts, draws = [], []
    for cell in range(cells):
        for order in orders:
            u = torch.full((batch.x0.shape[1],), 0.5, dtype=torch.float64)
            u[places] = (torch.tensor(order, dtype=torch.float64) + 0.5) / max(length, 1)
            amounts.append((cell + 0.5) / cells)
            draws.append(u)
    amount = torch.tensor(amounts, dtype=torch.float64)[:, None]
    noise = Scripted(amount=amount, corrupt=torch.stack(draws))
    return repeat(batch, len(draws)), noise


def corrupted(package: Package, batch: Batch, noise: Any) -> Any:
    """A batch noised by the package, amount and all."""
    family = package.family
    return family.corrupt(batch, family.amount(batch, noise), noise, VOCAB)


def loss_of(package: Package, network: Any, batch: Batch, seed: int = 0) -> Losses:
    """The package's loss of a batch, noised first if it noises."""
    family = package.family
    if family.corrupt is None:
        return family.loss(network, batch)
    return family.loss(network, corrupted(package, batch, draw(batch, seed)), batch)


def chosen(package: Package, batch: Batch, amount: Any, gone: torch.Tensor) -> Any:
    """A batch of which the marked places are corrupted, whatever their chance."""
    u = torch.where(gone, 0.0, 1 - 2.0**-53).double()
    return package.family.corrupt(batch, amount, Scripted(corrupt=u), VOCAB)


def missing_amount(package, batch, share):
    """The amount at which a share (0 or 1) of the free tokens is corrupted."""
    if package.spec.has("amount count"):
        return share * batch.free.sum(1)
    return torch.full((len(batch.x0),), float(share), dtype=torch.float64)
