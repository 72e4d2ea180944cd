"""The jobs that try a training: what they measure, find and learn, and that they leave no run."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from attrs import evolve
from lightning.pytorch import Trainer

from xlm_runtime.config.settings import build, parse_sets
from xlm_runtime.model import memory
from xlm_runtime.model.model import Model, make
from xlm_runtime.packages import package
from xlm_runtime.plug import Batch, Noise
from xlm_runtime.run.jobs.forecast import duration
from xlm_runtime.tasks.base.prepared import Prepared
from xlm_runtime.train.trials import overfit, paper, plan, rate

Start = Callable[..., int]
HERE = Path(__file__).parent
TINY = ("model.layers=1", "model.width=32", "model.heads=2", "train.batch=16")


def left() -> list[str]:
    """The files that a command leaves in its folder, caches apart."""
    return [path.name for path in Path().iterdir()]


@pytest.fixture
def parts(splits: Prepared) -> tuple[Model, Prepared, Any]:
    family = package.load(HERE / "toy_family").family
    config = build(family, [], parse_sets(TINY))
    model = make(family, splits.tokenizer.vocabulary, "seq2seq", splits.body, config)
    return model, splits, config


def test_a_plan_measures_and_leaves_nothing(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(job="plan", sets=(*TINY, "train.steps=1000", "train.validate_every=300")) == 0
    said = capsys.readouterr().out
    weights = re.search(r"weights +([\d,]+): (.*)", said)
    assert weights is not None
    each = [int(one.split()[-1].replace(",", "")) for one in weights[2].split(", ") if one]
    assert sum(each) == int(weights[1].replace(",", ""))
    assert re.search(r"1,000 steps of 16 read them \d+\.\d times", said)
    assert re.search(r"step +[\d.e-]+ s on cpu in 32-true: [\d,]+ examples/s", said)
    assert re.search(r"validation .* for \d+ examples, 3 times", said)
    assert left() == []


def test_steps_are_measured_without_those_of_the_warm_up(parts: tuple[Any, ...]) -> None:
    clock = plan.Clock()
    clock.at = [0.0, 9.0, 10.0, 12.0, 13.0, 14.0, 15.0]
    assert clock.seconds == 1.0
    model, data, config = parts
    found = plan.measure(model, data.train, data.validation, config)
    assert 0 < found.step < 5
    assert found.columns == model.layout([data.train[0]]).x0.shape[1]
    assert found.memory > 2**20


def test_devices_share_what_is_measured(parts: tuple[Any, ...]) -> None:
    model, data, config = parts
    seen: list[int] = []
    model = evolve(
        model, layout=lambda rows, lay=model.layout: (seen.append(len(rows)), lay(rows))[1]
    )
    config = evolve(config, train=evolve(config.train, devices=4))
    plan.measure(model, data.train, data.validation, config)
    assert set(seen[: plan.WARM + plan.TIMED]) == {4}


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.031, "0.031 s"),
        (42.4, "42 s"),
        (250, "4 min 10 s"),
        (7500, "2 h 5 min"),
        (4e5, "4 d 15 h"),
    ],
)
def test_durations_are_read_at_a_glance(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize("option", [{"job": "overfit"}, {"preset": "overfit"}])
def test_a_batch_is_learnt_by_heart(
    start: Start, capsys: pytest.CaptureFixture[str], option: dict[str, str]
) -> None:
    assert start(sets=(*TINY, "train.learning_rate=0.01", "model.dropout=0.3"), **option) == 0
    assert "the batch is learnt by heart after" in capsys.readouterr().out
    assert left() == []


def test_a_batch_that_is_not_learnt_says_why(
    start: Start, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overfit, "STEPS", 40)
    monkeypatch.setattr(overfit, "LOOKS", 2)
    assert start(job="overfit", sets=(*TINY, "train.learning_rate=1e-3")) == 4
    said = capsys.readouterr().err
    assert re.search(r"after 40 steps \d+% of the loss is left. It still falls", said)
    assert start(job="overfit", sets=(*TINY, "train.learning_rate=1e-9")) == 4
    said = capsys.readouterr().err  # after the third look
    assert "after 20 steps 100% of the loss is left. It falls no more" in said


def test_parts_of_a_batch_are_learnt_too(start: Start) -> None:
    sets = (*TINY, "train.learning_rate=0.01", "train.device_batch=4")
    assert start(job="overfit", sets=sets) == 0


def test_examples_that_look_alike_are_left_out(parts: tuple[Any, ...]) -> None:
    model, data, config = parts
    prompt, other = data.train[0].prompt, data.train[1]
    bodies = [data.train[i].body for i in range(8)]
    rows = [replace(other, index=i, prompt=prompt, body=b) for i, b in enumerate(bodies)]

    def all_masked(batch: Batch, amount: Any, noise: Noise, vocab: Any) -> Any:
        assert model.family.corrupt is not None
        return model.family.corrupt(batch, torch.ones_like(amount) * 99, noise, vocab)

    hidden = evolve(model, family=replace(model.family, corrupt=all_masked))
    kept = overfit.distinct(hidden, rows, config.train)
    lengths = {len(body) for body in bodies}
    assert len(kept) == len(lengths)
    assert kept[0].index == 0


def test_every_rate_starts_alike(parts: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    model, data, config = parts
    monkeypatch.setattr(rate, "STEPS", 12)
    monkeypatch.setattr(rate, "RATES", (1e-3, 1e-9, 1e-3, 1e3))
    modes: list[bool] = []
    real = Trainer.fit
    monkeypatch.setattr(
        Trainer, "fit", lambda self, m, *a: (modes.append(m.network.training), real(self, m, *a))[1]
    )
    found = [loss for _, loss in rate.losses(model, data.train, data.validation, config)]
    assert found[0] == found[2] < found[1] < found[3]
    assert modes == [True] * 4


@pytest.mark.slow
def test_the_best_rate_is_named(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(job="rate", sets=TINY) == 0
    said = capsys.readouterr().out
    losses = {
        float(a): float(b) for a, b in re.findall(r"rate ([\d.e-]+) +held-out loss ([\d.]+)", said)
    }
    best = re.search(r"least at ([\d.e-]+):", said)
    assert best is not None
    assert len(losses) == len(rate.RATES)
    assert losses[float(best[1])] == min(losses.values())
    assert left() == []


def test_a_limit_is_of_evaluation_and_generation(start: Start) -> None:
    assert start(sets=(*TINY, "train.steps=4", "generate.samples=0"), limit=3) == 0
    folder = Path("runs/toy/toy_reverse/quick-seed1")
    assert json.loads((folder / "metrics.json").read_text())["examples"] == 3
    assert len((folder / "predictions.jsonl").read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"limit": 0}, "--limit 0"),
        ({"preset": "overfit", "job": "eval"}, "it has no --job eval"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    start: Start, capsys: pytest.CaptureFixture[str], option: dict[str, Any], said: str
) -> None:
    assert start(**option) == 2
    assert said in capsys.readouterr().err


def test_a_trial_reads_no_file_of_the_folder_where_it_is_started(start: Start) -> None:
    for name in ("published.json", "run.json", "config.json"):
        Path(name).write_text('{"vocab_size": 7, "model_type": "qwen2"}')
    assert start(job="overfit", sets=(*TINY, "train.learning_rate=0.01")) == 0


def test_every_rate_has_a_network_of_its_own(
    parts: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, data, config = parts
    monkeypatch.setattr(rate, "STEPS", 2)
    config = evolve(config, train=evolve(config.train, recompute=True))
    before = {name: weight.clone() for name, weight in model.network.named_parameters()}
    list(rate.losses(model, data.train, data.validation, config))
    blocks = next(m for m in model.network.modules() if isinstance(m, torch.nn.ModuleList))
    assert all("forward" not in vars(block) for block in blocks)  # it is not wrapped seven times
    assert all(torch.equal(before[name], w) for name, w in model.network.named_parameters())


MANY = (*TINY, "train.devices=4", "train.nodes=2", "train.strategy=fsdp", "train.batch=32")


def test_a_plan_for_many_devices_is_on_paper(
    start: Start, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert start(job="plan", sets=MANY) == 0
    said = capsys.readouterr().out
    assert re.search(r"a device +[\d.]+ .B: [\d.]+ .B shards of weights, gradients", said)
    assert re.search(r"traffic +[\d.]+ .B received by each of 8 devices in a step \(fsdp\)", said)
    assert "no step is measured: it takes all devices" in said
    monkeypatch.setattr(memory, "capacity", lambda: 1 << 20)
    assert start(job="plan", sets=(*MANY, "model.layers=500")) == 0
    said = capsys.readouterr().out
    assert "received by each of 8 devices" in said
    assert left() == []


@pytest.mark.parametrize("recompute", [False, True])
def test_further_blocks_keep_as_much_as_the_second(
    parts: tuple[Any, ...], splits: Prepared, recompute: bool
) -> None:
    model, data, config = parts
    train = evolve(config.train, recompute=recompute)
    kept = []
    for layers in (1, 2, 4):
        deep = evolve(config, model=evolve(config.model, layers=layers))
        made = make(model.family, splits.tokenizer.vocabulary, "seq2seq", splits.body, deep)
        kept.append(paper.kept(made, data.train, train))
    assert kept[2] == kept[0] + 3 * (kept[1] - kept[0])
    row = 4 * config.model.width * train.part * model.layout([data.train[0]]).x0.shape[1]
    assert (kept[1] - kept[0] < 2 * row) == recompute  # the input of a block, and no more


def test_what_is_kept_is_counted_on_a_copy(parts: tuple[Any, ...]) -> None:
    model, data, config = parts
    paper.kept(model, data.train, evolve(config.train, recompute=True))
    blocks = next(m for m in model.network.modules() if isinstance(m, torch.nn.ModuleList))
    assert all("forward" not in vars(block) for block in blocks)


def test_devices_with_all_weights_exchange_gradients_alone(parts: tuple[Any, ...]) -> None:
    model, _, config = parts
    train = evolve(config.train, devices=8)
    found = paper.cost(model.network, torch.float32, train)
    size = memory.weights_of(model.network)
    assert found == paper.Cost(state=20 * size, exchange=4 * size, traffic=7 * size)
    assert memory.of_training(model.network, torch.bfloat16) == (2 + 2 + 4 + 4) * size
