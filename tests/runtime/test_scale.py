"""Training on several machines, with less memory, and under SLURM."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from xlm_runtime.config.settings import build, parse_sets
from xlm_runtime.model.model import Model, make
from xlm_runtime.packages import package
from xlm_runtime.plug import Noise
from xlm_runtime.system.errors import UsageError
from xlm_runtime.tasks.base.prepared import Prepared
from xlm_runtime.train.recompute import recompute

Start = Callable[..., int]
HERE = Path(__file__).parent
SETS = (
    "train.steps=5",
    "train.batch=8",
    "generate.samples=0",
    "model.dropout=0.2",
    "model.layers=2",
)


def step(model: Model, data: Prepared) -> tuple[Tensor, list[Tensor], int]:
    """The loss of a batch, its gradients, and the bytes that are kept for them."""
    network = model.network.train()
    batch = model.layout([data.train[i] for i in range(32)])
    kept: dict[int, int] = {}

    def keep(x: Tensor) -> Tensor:
        kept[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        return x

    torch.manual_seed(7)
    with saved_tensors_hooks(keep, lambda x: x):
        loss = model.loss(batch, Noise(1, batch.example)).total
    loss.backward()
    return (
        loss.detach(),
        [w.grad for w in network.parameters() if w.grad is not None],
        sum(kept.values()),
    )


def test_blocks_that_are_computed_again_have_the_same_gradients(splits: Prepared) -> None:
    family = package.load(HERE / "toy_family").family
    config = build(
        family,
        [],
        parse_sets(("model.layers=4", "model.width=64", "model.heads=4", "model.dropout=0.2")),
    )
    made = [make(family, splits.tokenizer.vocabulary, "seq2seq", splits.body, config) for _ in "ab"]
    recompute(made[1].network)
    (loss, slopes, most), (same, again, least) = (step(model, splits) for model in made)
    assert torch.equal(loss, same)
    assert len(slopes) == len(again) > 10
    assert all(torch.equal(a, b) for a, b in zip(slopes, again, strict=True))
    assert least < most / 3
    assert [*made[1].network.state_dict()] == [*made[0].network.state_dict()]


def test_a_network_without_blocks_has_nothing_to_compute_again() -> None:
    with pytest.raises(UsageError, match="no list of blocks"):
        recompute(nn.Linear(2, 2))


def test_a_run_may_compute_again(start: Start) -> None:
    assert start(job="train", name="one", sets=SETS) == 0
    assert start(job="train", name="two", sets=(*SETS, "train.recompute=true")) == 0
    one, two = (raw(Path(), name) for name in ("one", "two"))
    assert all(torch.equal(two[key], weight) for key, weight in one.items())


def raw(home: Path, name: str) -> dict[str, Tensor]:
    folder = home / "runs/toy/toy_reverse" / name / "checkpoints/step-00000005"
    return load_file(folder / "raw.safetensors")


def script(home: Path, name: str, **options: int) -> list[str]:
    """A command that trains the toy family, as a file that can be started anywhere."""
    (home / f"{name}.py").write_text(
        f"import sys; sys.path[:0] = {[*sys.path, str(HERE)]!r}\n"
        "import torch; torch.set_num_threads(1)\n"
        "from pathlib import Path\n"
        "from xlm_runtime.run.main import run\n"
        f"sys.exit(run(Path({str(HERE / 'toy_family')!r}), 'toy_task:REVERSE', sets={SETS!r}, "
        f"job='train', name={name!r}, **{options!r}))\n"
    )
    return [str(home / f"{name}.py")]


@pytest.mark.slow
def test_two_machines_train_as_one_with_two_devices(tmp_path: Path) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nnodes=2", "--nproc-per-node=1"]
    torchrun += ["--rdzv-backend=c10d", "--rdzv-endpoint=localhost:0", "--rdzv-id=xlmc"]
    port = str(20_000 + os.getpid() % 20_000)
    torchrun[-2] = f"--rdzv-endpoint=localhost:{port}"
    command = [*torchrun, *script(tmp_path, "many", nodes=2)]
    nodes = [subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE) for _ in range(2)]
    said = [node.communicate(timeout=300)[1].decode() for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0], said
    alone = [sys.executable, *script(tmp_path, "pair", devices=2)]
    done = subprocess.run(alone, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    one, two = raw(tmp_path, "pair"), raw(tmp_path, "many")
    assert all(torch.equal(two[key], weight) for key, weight in one.items())


@pytest.mark.parametrize(
    ("processes", "options", "said"),
    [
        (
            "2",
            {"name": "n"},
            "2 processes were started, and train.devices=1 times train.nodes=1 is 1",
        ),
        ("2", {"devices": 2}, "need --name"),
        ("", {"nodes": 2}, "with torchrun or srun (docs/scale.md), or write a script for SLURM"),
        ("", {"nodes": 0}, "--nodes 0"),
        ("", {"sbatch": Path("job.sh")}, "--sbatch: give --name"),
        ("", {"sbatch": Path("no/job.sh"), "name": "n"}, "there is no such folder"),
    ],
)
def test_machines_that_do_not_fit_are_refused(
    start: Start, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    processes: str, options: dict[str, object], said: str,
) -> None:  # fmt: skip
    if processes:
        monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
        monkeypatch.setenv("WORLD_SIZE", processes)
        monkeypatch.setenv("RANK", "0")
    assert start(job="train", sets=SETS, **options) == 2
    assert said in capsys.readouterr().err
    assert not Path("runs").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "option",
    [("--sbatch", "job.sh"), pytest.param(("--sbatch=./job.sh",), marks=pytest.mark.slow)],
)
def test_a_job_of_slurm_is_queued_again_where_it_was_stopped(
    tmp_path: Path, option: tuple[str, ...]
) -> None:
    package = str(HERE.parents[1] / "examples/mdlm")
    command = [
        sys.executable,
        "-m",
        "xlmc",
        "run",
        package,
        "--task",
        "star_easy",
        "--job",
        "train",
    ]
    command += ["--name", "big", "--nodes", "2", "--devices", "4"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "XLM_CACHE": str(tmp_path)}
    done = subprocess.run(
        [*command, *option],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "job.sh").read_text()
    assert "#SBATCH --nodes=2\n#SBATCH --ntasks-per-node=4\n" in text
    assert f"srun xlmc run {package} --task star_easy --job train --name big --nodes 2" in text
    assert "--sbatch" not in text.split("srun")[1]
    fakes = {"srun": 'echo "$@" > asked; exit $CODE', "scontrol": 'echo "$@" > queued'}
    for name, body in fakes.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{body}\n")
        (tmp_path / name).chmod(0o755)
    for code, queued in ((0, False), (4, False), (130, True)):
        more = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "CODE": str(code), "SLURM_JOB_ID": "42"}
        ran = subprocess.run(["bash", "job.sh"], cwd=tmp_path, env=more, check=False)
        assert (tmp_path / "queued").exists() == queued
        assert ran.returncode == (0 if queued else code)
    assert (tmp_path / "queued").read_text() == "requeue 42\n"
