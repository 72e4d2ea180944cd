"""The weights of a run: which are kept, averaged, validated and sampled, and their precision."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from attrs import evolve
from safetensors.torch import load_file

import xlm_runtime
from xlm_runtime.config.config import Train
from xlm_runtime.config.settings import build, parse_sets
from xlm_runtime.model import evaluate, generate
from xlm_runtime.model.model import make
from xlm_runtime.packages import package
from xlm_runtime.run.folder.runs import Run
from xlm_runtime.system import env
from xlm_runtime.tasks.base.prepared import Prepared
from xlm_runtime.train import fit, module
from xlm_runtime.train.optim import optimizer

Start = Callable[..., int]
HERE = Path(__file__).parent
HOME = Path("runs/toy/toy_reverse")
SHORT = ("train.steps=6", "generate.samples=0", "eval.examples=5", "generate.count=3")


def error(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err


def test_best_last_and_thinning(start: Start) -> None:
    sets = ("train.steps=12", "train.validate_every=3", "train.keep_every=6", "generate.samples=0")
    assert start(job="train", sets=sets) == 0
    folder = HOME / "quick-seed1/checkpoints"
    index = json.loads((folder / "index.json").read_text())
    kept = {int(path.name.removeprefix("step-")) for path in folder.glob("step-*")}
    assert index["last"] == 12
    assert kept == {6, 9, 12, index["best"]}  # 9: the one before the last


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good_state(
    start: Start, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wild(network: torch.nn.Module, train: Train) -> torch.optim.AdamW:
        return optimizer(network, evolve(train, learning_rate=1e37))  # beyond what a setting may be

    monkeypatch.setattr(module, "optimizer", wild)
    sets = ("train.steps=40", "train.checkpoint_every=1", "generate.samples=0", "train.clip=0")
    assert start(job="train", sets=sets) == 4
    said = error(capsys)
    assert "is not finite" in said
    assert "the last good checkpoint is kept" in said
    folder = HOME / "quick-seed1/checkpoints"
    last = json.loads((folder / "index.json").read_text())["last"] if folder.exists() else 0
    for path in folder.glob("step-*/*.safetensors"):
        assert int(path.parent.name.removeprefix("step-")) <= last
        assert all(value.isfinite().all() for value in load_file(path).values())


def test_averaged_weights_are_what_is_validated_evaluated_and_sampled(
    trained: Path, splits: Prepared
) -> None:
    folder = trained / "checkpoints/step-00000060"
    average, raw = (load_file(folder / f"{kind}.safetensors") for kind in ("ema", "raw"))
    assert not torch.equal(average["out.weight"], raw["out.weight"])
    loaded = xlm_runtime.load(trained)
    *_, last = csv.DictReader((trained / "logs/metrics.csv").read_text().splitlines())
    validated = last["validation/loss"]
    evaluated = json.loads((trained / "metrics.json").read_text())["loss"]["loss"]
    lines = [json.loads(text) for text in (trained / "predictions.jsonl").read_text().splitlines()]
    blanks = list(generate.blank(loaded.model, splits.test[:16], loaded.lengths, 1))

    def measured() -> tuple[float, float, list[str]]:
        made = generate.samples(loaded.model, blanks, 16, 1)
        texts = [loaded.tokenizer.decode(loaded.tokenizer.body(s.ids)) for s in made]
        return (
            evaluate.losses(loaded.model, splits.validation, 64)["loss"],
            evaluate.losses(loaded.model, splits.test, 64)["loss"],
            texts,
        )

    right = (float(validated), evaluated, [line["prediction"] for line in lines])
    found = measured()
    assert found[:2] == pytest.approx(right[:2], rel=1e-5)
    assert found[2] == right[2]
    loaded.model.network.load_state_dict(raw)
    assert measured()[:2] != pytest.approx(right[:2], rel=1e-5)


def test_samples_during_validation_are_of_the_averaged_weights(
    tmp_path: Path, splits: Prepared
) -> None:
    found = package.load(HERE / "toy_family").family
    sets = parse_sets(
        ["train.steps=8", "model.width=16", "model.heads=2", "train.validate_every=4"]
    )
    config = build(found, [], sets)
    model = make(found, splits.tokenizer.vocabulary, "seq2seq", splits.body, config)
    seen: list[torch.Tensor] = []

    def show() -> list[str]:
        seen.append(model.network.out.weight.detach().clone())
        return []

    fit.fit(model, splits.train, fit.Held(splits.validation, 8, show), config, tmp_path)
    folder = tmp_path / "checkpoints/step-00000008"
    average, raw = (load_file(folder / f"{kind}.safetensors") for kind in ("ema", "raw"))
    assert len(seen) == 2
    assert torch.equal(seen[-1], average["out.weight"])
    assert not torch.equal(average["out.weight"], raw["out.weight"])
    assert torch.equal(model.network.out.weight, average["out.weight"])  # as Lightning leaves it


def test_a_gpu_with_bfloat16_trains_in_it_unless_another_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert env.precision("auto") == "32-true"
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    for has, expected in ((True, "bf16-mixed"), (False, "32-true")):
        monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda *_, has=has, **__: has)
        assert env.precision("auto") == expected
        assert env.precision("16-mixed") == "16-mixed"


def test_a_run_keeps_and_names_its_precision(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(job="train", sets=SHORT) == 0
    assert "weights on cpu in 32-true, run" in capsys.readouterr().out
    assert Run(HOME / "quick-seed1").config.train.precision == "32-true"


@pytest.mark.parametrize("precision", ["bf16-mixed", "32-true"])
def test_precision_and_workers(start: Start, precision: str) -> None:
    sets = (*SHORT, f"train.precision={precision}", "train.workers=1")
    assert start(job="train", sets=sets) == 0
