"""Training on sharded weights: as one device, with exact numbers, and with an end in words."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from attrs import evolve
from safetensors.torch import load_file
from torch import nn

from xlm_runtime.config.settings import build, parse_sets
from xlm_runtime.model import memory
from xlm_runtime.packages import package
from xlm_runtime.plug import Vocabulary
from xlm_runtime.run.folder.runs import Run
from xlm_runtime.system import hashes
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.train import saved
from xlm_runtime.train.blocks import blocks
from xlm_runtime.train.trials import paper

Start = Callable[..., int]
HERE = Path(__file__).parent
STEPS = 6
SETS = (
    f"train.steps={STEPS}",
    "train.batch=8",
    "train.device_batch=2",
    "train.checkpoint_every=2",
    "train.validate_every=3",
    "train.decode_examples=4",
    "train.learning_rate=0.001",
    "train.warmup=2",
    "model.layers=2",
    "model.dropout=0",
    "train.log_every=1",
)
SCRIPT = """
import json, os, signal, sys
sys.path[:0] = {path!r}
import torch
torch.set_num_threads(1)
from pathlib import Path
from xlm_runtime.model import model
from xlm_runtime.run.main import run
from xlm_runtime.system.env import rank

real, die_at = model.Model.loss, {die_at}
seen = open(f"{name}-{{rank()}}.jsonl", "a")

def loss(self, batch, noise):
    family = self.family
    noised = family.corrupt(batch, family.amount(batch, noise), noise, self.vocabulary)
    if torch.is_grad_enabled():
        for example, row in zip(batch.example.tolist(), noised.xt.tolist()):
            print(json.dumps([noise.step, example, [x for x in row if x]]), file=seen, flush=True)
        if rank() == 1 and noise.step == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
    return real(self, batch, noise)

def counting(function):
    # add up the bytes that a collective brings from other processes during a step: all but its own
    def counted(*args, **named):
        if stepping:
            whole = max(x.nbytes for x in [*args, *named.values()] if torch.is_tensor(x))
            traffic.append(whole * (dist.get_world_size() - 1) // dist.get_world_size())
        return function(*args, **named)
    return counted

def before(self, *_):
    stepping.clear()
    (moments,) = self.trainer.optimizers
    slots = [x for each in moments.state.values() for x in each.values() if x.ndim]
    weights = [*self.network.parameters()]
    kept = [*weights, *(w.grad for w in weights if w.grad is not None), *slots]
    average = [a for c in self.trainer.callbacks for a in getattr(c, "average", ())]
    state = sum(local(x).nbytes for x in [*kept, *average])
    found = {{"state": state, "traffic": sum(traffic), "steps": self.trainer.global_step + 1}}
    Path(f"{name}-costs-{{rank()}}.json").write_text(json.dumps(found))
    return real_before(self, *_)

from xlm_runtime.train.module import Training
from xlm_runtime.train.shards import local
import torch.distributed as dist
stepping, traffic = [], []
real_before, real_start = Training.on_before_optimizer_step, Training.on_train_batch_start
Training.on_before_optimizer_step = before
Training.on_train_batch_start = lambda self, *a: (stepping.append(1), real_start(self, *a))[1]
for one in ("all_gather_into_tensor", "all_gather_single"):  # the latter since torch 2.12 or so
    for other in (one, one.replace("all_gather", "reduce_scatter").replace("_into", "")):
        if hasattr(dist, other):
            setattr(dist, other, counting(getattr(dist, other)))
model.Model.loss = loss
options = dict(job="train", name={name!r}, sets={sets!r}, **{options!r})
sys.exit(run(Path({family!r}), "toy_task:REVERSE", **options))
"""


def go(
    home: Path, name: str, *more: str, die_at: int = -1, **options: object
) -> subprocess.CompletedProcess[str]:
    """Train the toy family in a process of its own, or several."""
    parts = {
        "path": [*sys.path, str(HERE)],
        "family": str(HERE / "toy_family"),
        "sets": (*SETS, *more),
        "die_at": die_at,
    }
    (home / "go.py").write_text(SCRIPT.format(name=name, options=options, **parts))
    return subprocess.run(
        [sys.executable, "go.py"], cwd=home, capture_output=True, text=True, check=False
    )


def run_of(home: Path, name: str) -> Path:
    return home / "runs/toy/toy_reverse" / name


def weights(home: Path, name: str, file: str = "raw") -> dict[str, torch.Tensor]:
    return load_file(run_of(home, name) / f"checkpoints/step-{STEPS:08d}/{file}.safetensors")


def corrupted(home: Path, name: str) -> list[list[object]]:
    """The examples of all steps with their corruptions, those of all processes together."""
    lines = [
        line for file in home.glob(f"{name}-*.jsonl") for line in file.read_text().splitlines()
    ]
    return sorted(json.loads(line) for line in lines)


def validated(home: Path, name: str) -> list[dict[str, float]]:
    text = (run_of(home, name) / "logs/metrics.csv").read_text()
    rows = csv.DictReader(text.splitlines())
    return [
        {key: float(value) for key, value in row.items() if key.startswith("validation/") and value}
        for row in rows
        if row["validation/loss"] or row["validation/exact_match"]
    ]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on one device, and one on two that have shards."""
    folder = tmp_path_factory.mktemp("sharded")
    for name, how in (("one", {}), ("two", {"devices": 2, "strategy": "fsdp"})):
        done = go(folder, name, **how)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_shards_train_as_the_whole(home: Path) -> None:
    for file in ("raw", "ema"):
        one, two = weights(home, "one", file), weights(home, "two", file)
        assert one.keys() == two.keys()
        moved = 0.0
        for name, weight in one.items():
            assert two[name].dtype == weight.dtype
            assert (two[name].double() - weight.double()).abs().max() < 2e-4, name
            moved = max(moved, float(weight.double().abs().max()))
        assert moved > 0.1


@pytest.mark.slow
def test_examples_and_their_noise_do_not_depend_on_devices(home: Path) -> None:
    one, two = corrupted(home, "one"), corrupted(home, "two")
    assert len(one) == 8 * STEPS
    assert one == two
    assert len({example for _, example, _ in one}) == len(one)  # in the first epoch none is twice


@pytest.mark.slow
def test_numbers_of_a_validation_are_those_of_one_device(home: Path) -> None:
    one, two = validated(home, "one"), validated(home, "two")
    assert len(one) >= 2
    assert [row.keys() for row in one] == [row.keys() for row in two]
    for a, b in zip(one, two, strict=True):
        assert a == pytest.approx(b, rel=1e-4)


@pytest.mark.slow
def test_a_device_keeps_a_part_of_the_state(home: Path) -> None:
    folder = run_of(home, "two") / f"checkpoints/step-{STEPS:08d}/state"
    sizes = [file.stat().st_size for file in folder.glob("*.distcp")]
    assert len(sizes) == 2
    assert max(sizes) < 0.6 * sum(sizes)


@pytest.mark.slow
def test_costs_on_paper_are_those_of_the_run(home: Path) -> None:
    config, family = Run(run_of(home, "two")).config, package.load(HERE / "toy_family").family
    train, size, whole = config.train, config.model.shape, weights(home, "two")
    rows = len(whole["tokens.weight"])
    vocab = Vocabulary(rows, {"pad": 0, "mask": 1})
    network = family.network(vocab, torch.ones(rows, dtype=torch.bool), size)
    cost = paper.cost(network, torch.float32, train)
    for rank in (0, 1):
        found = json.loads((home / f"two-costs-{rank}.json").read_text())
        assert found["state"] == pytest.approx(cost.state, rel=0.05)
        assert found["traffic"] / found["steps"] == pytest.approx(cost.traffic, rel=0.05)


@pytest.mark.slow
def test_a_process_that_dies_ends_the_run_in_words_and_it_resumes_exactly(home: Path) -> None:
    how: dict[str, object] = {"devices": 2, "strategy": "fsdp"}
    died = go(home, "torn", die_at=4, **how)
    assert died.returncode == 4, died.stderr
    assert "a process of this run is gone" in died.stderr
    assert "the same command resumes from there" in died.stderr
    assert "Traceback" not in died.stderr
    done = go(home, "torn", **how)
    assert done.returncode == 0, done.stderr
    assert "continuing after step 4" in done.stdout
    for file in ("raw", "ema"):
        torn, two = weights(home, "torn", file), weights(home, "two", file)
        assert all(torch.equal(torn[name], weight) for name, weight in two.items())


@pytest.mark.slow
def test_a_state_of_shards_is_not_resumed_without_them(home: Path) -> None:
    done = go(home, "two", "train.steps=8", force=True)
    assert done.returncode == 2
    assert "was saved under fsdp" in done.stderr
    assert "--init" in done.stderr


@pytest.mark.slow
def test_more_devices_resume_from_the_same_shards(home: Path) -> None:
    more = ("train.steps=9",)
    assert go(home, "one", *more, force=True).returncode == 0
    done = go(home, "two", *more, "train.device_batch=1", devices=4, strategy="fsdp", force=True)
    assert done.returncode == 0, done.stderr
    found = [run_of(home, n) / "checkpoints/step-00000009/raw.safetensors" for n in ("one", "two")]
    one, two = map(load_file, found)
    assert all((two[k].double() - w.double()).abs().max() < 5e-4 for k, w in one.items())


@pytest.mark.slow
@pytest.mark.parametrize("sets", [("train.precision=bf16-mixed", "train.recompute=true")])
def test_shards_under_bf16_and_with_blocks_computed_again(
    home: Path, sets: tuple[str, ...]
) -> None:
    assert go(home, "one16", *sets).returncode == 0
    done = go(home, "two16", *sets, devices=2, strategy="fsdp")
    assert done.returncode == 0, done.stderr
    one, two = weights(home, "one16"), weights(home, "two16")
    assert all((two[k].double() - w.double()).abs().max() < 5e-3 for k, w in one.items())


def test_a_damaged_shard_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "step-00000002/state"
    folder.mkdir(parents=True)
    (folder / "__0_0.distcp").write_bytes(b"weights")
    hashes.seal(folder)
    assert saved.state(tmp_path, 2) == folder
    (folder / "__0_0.distcp").write_bytes(b"weightz")
    with pytest.raises(RunError, match=r"__0_0\.distcp is damaged.*cannot resume"):
        saved.state(tmp_path, 2)


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        ((), "nothing is shared by one device: give --devices N"),
        (("train.devices=2", "train.optimizer=muon"), "it works on whole matrices"),
        (("train.devices=2", "train.optimizer=schedule_free"), "averages the weights"),
        (("train.devices=2", "train.compile=true"), "has not been tried"),
        (("train.devices=2", "train.precision=16-mixed"), "choose bf16-mixed"),
        (("train.devices=2", "train.lora=4"), "adapters are merged"),
    ],
)
def test_what_shards_do_not_go_with_is_refused(sets: tuple[str, ...], said: str) -> None:
    family = package.load(HERE / "toy_family").family
    with pytest.raises(UsageError, match=said):
        build(family, [], parse_sets(("train.strategy=fsdp", *sets)))


def test_an_unknown_strategy_is_refused(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(job="train", strategy="zero") == 2
    assert "--strategy 'zero': must be one of ddp, fsdp" in capsys.readouterr().err


def test_a_shard_has_to_fit_and_not_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    family = package.load(HERE / "toy_family").family
    train = build(family, [], parse_sets(("train.devices=2", "train.strategy=fsdp"))).train
    network = nn.Linear(1000, 1000)
    monkeypatch.setattr(memory, "capacity", lambda: 12 * 10**6)  # of 20 bytes a weight
    memory.check_training(network, torch.float32, train)
    with pytest.raises(UsageError, match="training, with gradients, moments and average"):
        memory.check_training(network, torch.float32, evolve(train, strategy="ddp"))


def test_blocks_are_those_of_the_outermost_lists() -> None:
    inner = nn.ModuleList([nn.Linear(1, 1)])
    network = nn.Sequential(nn.ModuleList([inner, nn.Linear(2, 2)]))
    assert blocks(network) == [*network[0]]
