"""The optimiser's groups and the schedules."""

import pytest
from torch import nn

from xlm_runtime.config.config import Train
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
