"""The optimiser's groups and the schedules."""

import copy

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from torch import nn

from xlm_runtime.config.config import Train
from xlm_runtime.system.errors import UsageError
from xlm_runtime.train import optim
from xlm_runtime.train.ema import Ema
from xlm_runtime.train.optim import factor, optimizer


def test_only_matrices_decay() -> None:
    network = nn.Sequential(nn.Embedding(5, 4), nn.LayerNorm(4), nn.Linear(4, 3))
    groups = optimizer(network, Train(weight_decay=0.1)).param_groups
    decays = {id(p): group["weight_decay"] for group in groups for p in group["params"]}
    named = {name: decays[id(p)] for name, p in network.named_parameters()}
    assert named == {"0.weight": 0, "1.weight": 0, "1.bias": 0, "2.weight": 0.1, "2.bias": 0}


@pytest.mark.parametrize(
    ("schedule", "middle", "late"),
    [("constant", 1.0, 1.0), ("linear", 0.55, 0.19), ("cosine", 0.55, 0.122)],
)
def test_schedules(schedule: str, middle: float, late: float) -> None:
    train = Train(steps=110, warmup=10, schedule=schedule, min_rate=0.1)  # type: ignore[arg-type]
    share = factor(train)
    assert [share(s) for s in (0, 4, 9)] == [0.1, 0.5, 1.0]
    assert share(10) == 1.0
    assert share(60) == pytest.approx(middle)
    assert share(100) == pytest.approx(late, abs=1e-3)
    assert all(share(s) >= share(s + 1) for s in range(10, 109))


class Net(nn.Module):
    """A network of the shape of a backbone: a table, blocks and a head."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.table = nn.Embedding(5, 4)
        self.blocks = nn.ModuleList(nn.Linear(4, 4) for _ in range(2))
        self.head = nn.Linear(4, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.table(x)
        for block in self.blocks:
            hidden = hidden + block(hidden).tanh()
        found: torch.Tensor = self.head(hidden)
        return found


def loss(network: nn.Module) -> torch.Tensor:
    return nn.functional.cross_entropy(network(torch.arange(5)), torch.tensor([1, 2, 3, 4, 0]))


def test_muon_takes_the_matrices_of_the_blocks_alone() -> None:
    network, train = Net(), Train(optimizer="muon", weight_decay=0.1, learning_rate=0.01)
    groups = optimizer(network, train).param_groups
    of = {id(p): group for group in groups for p in group["params"]}
    found = {name: of[id(p)]["use_muon"] for name, p in network.named_parameters()}
    assert {name for name, muon in found.items() if muon} == {"blocks.0.weight", "blocks.1.weight"}
    decays = {name: of[id(p)]["weight_decay"] for name, p in network.named_parameters()}
    assert {name for name, decay in decays.items() if decay} == {
        "blocks.0.weight", "blocks.1.weight", "head.weight",
    }  # fmt: skip
    assert {group["lr"] for group in groups} == {0.01}


def test_an_update_of_muon_has_orthogonal_columns_of_the_size_of_adamw() -> None:
    network = Net()
    before = network.blocks[0].weight.detach().clone()  # type: ignore[union-attr, operator]
    made = optimizer(network, Train(optimizer="muon", weight_decay=0.0, learning_rate=0.01))
    loss(network).backward()
    made.step()
    moved = (before - network.blocks[0].weight.detach()) / 0.01  # type: ignore[union-attr, operator]
    sizes = torch.linalg.svdvals(moved) / (0.2 * 4**0.5)  # of a matrix of 4 x 4
    assert ((sizes > 0.6) & (sizes < 1.3)).all(), sizes


@pytest.mark.parametrize("name", ["adamw", "muon", "schedule_free", "torch.optim:SGD"])
def test_every_optimiser_learns_and_its_schedule_moves_its_rate(name: str) -> None:
    network, train = Net(), Train(optimizer=name, learning_rate=0.05, warmup=10)
    made = optimizer(network, train)
    rates, first = optim.schedule(made, train), loss(network).item()
    optim.averaged(made, on=False)
    for step in range(60):
        made.zero_grad()
        loss(network).backward()
        assert {group["lr"] for group in made.param_groups} == {0.05 * min(1, (step + 1) / 10)}
        made.step()
        rates.step()
    assert loss(network).item() < 0.7 * first


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("adam", "it is one of adamw, muon, schedule_free, or PACKAGE.MODULE:NAME"),
        ("torch.optim:Nothing", "module torch.optim has no 'Nothing'"),
        ("torch.optim:lr_scheduler", "not an instance of a Callable"),
        ("builtins:len", "called with groups of weights and lr"),
        ("builtins:dict", "it returns a dict, no torch Optimizer"),
    ],
)
def test_an_optimiser_that_cannot_be_had_is_refused(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("(", "\\(")):
        optim.check(Train(optimizer=name))


def test_an_optimiser_that_averages_takes_no_falling_rate() -> None:
    with pytest.raises(UsageError, match=r"leave train.schedule at constant"):
        optim.check(Train(optimizer="schedule_free", schedule="cosine"))


def test_what_an_optimiser_averages_is_what_is_evaluated_and_saved() -> None:
    network, train = Net(), Train(optimizer="schedule_free", learning_rate=0.05)
    made, ema, module = optimizer(network, train), Ema(0.9999), LightningModule()
    module.network = network
    trainer = Trainer(logger=False, enable_checkpointing=False, enable_progress_bar=False)
    trainer.strategy.optimizers = [made]
    ema.setup(trainer, module, "fit")
    ema.on_train_start(trainer)
    for _ in range(5):
        made.zero_grad()
        loss(network).backward()
        made.step()
    raw = copy.deepcopy(network.state_dict())
    twin = copy.deepcopy(made.state_dict())
    with ema.applied():
        shown = copy.deepcopy(network.state_dict())
    assert all(torch.equal(raw[name], now) for name, now in network.state_dict().items())
    other = Net()
    other.load_state_dict(raw)
    again = optimizer(other, train)
    again.load_state_dict(twin)
    again.eval()  # type: ignore[attr-defined]
    assert all(torch.equal(shown[name], now) for name, now in other.state_dict().items())
    assert any(not torch.equal(raw[name], now) for name, now in shown.items())
