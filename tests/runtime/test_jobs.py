"""The jobs of ``run``: what they leave behind, what they do once, and what they refuse."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from xlm_runtime.run.folder import names, runs
from xlm_runtime.run.folder.runs import Run
from xlm_runtime.run.jobs import evaluation, generation
from xlm_runtime.system.atomic import write_json
from xlm_runtime.train import fit

Start = Callable[..., int]
HERE = Path(__file__).parent
HOME = Path("runs/toy/toy_reverse")
SHORT = ("train.steps=6", "generate.samples=0", "eval.examples=5", "generate.count=3")


def error(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err


def test_a_run_holds_all_that_it_was(trained: Path) -> None:
    files = {path.relative_to(trained).as_posix() for path in trained.rglob("*") if path.is_file()}
    assert {
        "package/__init__.py", "package/family.py", "package/toy.xlm",
        "config.json", "run.json", "data.json", "tokenizer/tokenizer.json",
        "checkpoints/index.json", "checkpoints/step-00000060/state.ckpt",
        "checkpoints/step-00000060/ema.safetensors", "checkpoints/step-00000060/raw.safetensors",
        "logs/metrics.csv", "metrics.json", "predictions.jsonl",
    } <= files  # fmt: skip
    assert any(name.startswith("logs/tensorboard/") for name in files)
    about = Run(trained).facts
    assert (about["family"], about["task"], about["preset"]) == ("toy", "toy_reverse", "quick")
    assert about["environment"]["versions"]["torch"]
    assert "revision" in about["environment"]
    assert Run(trained).config.train.steps == 60


def test_metrics_and_predictions(trained: Path) -> None:
    found = json.loads((trained / "metrics.json").read_text())
    assert found["claim"]["value"] == "tight"
    assert found["likelihood"]["nats_per_token"] == pytest.approx(
        found["likelihood"]["nats_per_example"] * 37 / found["likelihood"]["nats_per_token_count"]
    )
    assert found["answers"]["exact_match_count"] == 37  # 37 = 32 + 5: no batch is dropped
    assert found["loss_count"] == found["likelihood"]["nats_per_example_count"] == 37
    assert 0 < found["likelihood"]["perplexity_error"] < found["likelihood"]["perplexity"]
    decoding = found["decoding"]
    assert (decoding["nfe"], decoding["nfe_error"], decoding["nfe_count"]) == (5, 0, 37)
    assert (decoding["steps"], decoding["steps_error"], decoding["steps_count"]) == (5, 0, 37)
    lines = [json.loads(text) for text in (trained / "predictions.jsonl").read_text().splitlines()]
    assert len(lines) == 16
    assert lines[0]["target"] == " ".join(reversed(lines[0]["prompt"].split()))
    assert len(lines[0]["history"]) == lines[0]["nfe"] + 1 == lines[0]["steps"] + 1
    assert lines[0]["history"][0].count("<mask>") == 5


def test_everything_is_done_once(
    start: Start, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert start(sets=SHORT) == 0
    first = capsys.readouterr().out
    monkeypatch.setattr(fit, "fit", None)
    monkeypatch.setattr(evaluation.evaluate, "losses", None)
    monkeypatch.setattr(generation.generate, "samples", None)
    assert start(sets=SHORT) == 0
    again = capsys.readouterr().out
    assert "is trained (6 steps)" in again
    assert "evaluated before" in again
    assert "generated before" in again
    table = first[first.index("evaluation of") : first.index("3 predictions")]
    assert table in again


def test_other_settings_are_another_run(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(job="train", sets=SHORT) == 0
    assert start(job="train", sets=(*SHORT, "train.clip=2")) == 0
    out = capsys.readouterr().out
    assert "quick-seed1 is another run (train.clip: 1.0 -> 2.0)" in out
    assert start(job="train", sets=SHORT, seed=2) == 0
    assert sorted(p.name for p in HOME.iterdir()) == [
        "quick-seed1",
        "quick-seed1-clip2.0",
        "quick-seed2",
    ]
    assert start(job="train", sets=(*SHORT, "train.clip=2"), name="quick-seed1") == 2
    assert "choose another --name, or use --force" in error(capsys)


def test_decoder_and_evaluation_are_chosen_later(start: Start) -> None:
    assert start(job="train", sets=SHORT) == 0
    assert start(job="eval", sets=("decoder=greedy", "eval.examples=3")) == 0
    found = json.loads((HOME / "quick-seed1/metrics.json").read_text())
    assert (found["decoder"], found["examples"]) == ("greedy", 3)


def test_what_training_fixed_cannot_be_set_later(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(job="train", sets=SHORT) == 0
    assert start(job="eval", sets=("model.layers=2",)) == 2
    assert "--set model.layers=2: " in error(capsys)
    assert start(job="eval", sets=("model.layers=1", "eval.examples=2")) == 0


def test_newest_run_unless_named(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one", "two"):
        assert start(job="train", sets=SHORT, name=name) == 0
    small = ("eval.examples=2", "generate.count=1")
    assert start(job="eval", sets=small) == 0
    assert f"run {HOME}/two" in capsys.readouterr().out
    assert start(job="generate", sets=small, name="one") == 0
    assert f"run {HOME}/one" in capsys.readouterr().out
    assert start(job="generate", sets=small, run_dir=HOME / "one", ckpt="last") == 0
    assert start(job="eval", name="three") == 2
    said = error(capsys)
    assert f"there is no run at {HOME}/three; there are: " in said
    assert f"{HOME}/one" in said
    assert start(job="eval", sets=small, ckpt="bets") == 2
    assert "there is no checkpoint 'bets'" in error(capsys)
    assert "step-00000006" not in error(capsys)


def test_nothing_trained_yet(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(job="eval") == 2
    assert f"there is no trained run in {HOME}; train one: --job train" in error(capsys)


def test_another_package(start: Start, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert start(job="train", sets=SHORT) == 0
    package = tmp_path / "toy"
    shutil.copytree(HERE / "toy_family", package)
    (package / "toy.xlm").write_text('family toy "Changed" {\n}\n')
    small = ("eval.examples=2",)
    assert start(package=package, job="eval", sets=small) == 2
    said = error(capsys)
    assert '+family toy "Changed" {' in said
    assert "use --force" in said
    assert start(package=package, job="eval", sets=small, force=True) == 0
    assert start(package=package, job="train", sets=SHORT) == 0
    assert "is another run (its package was another)" in capsys.readouterr().out
    assert [one.name[:19] for one in HOME.glob("quick-seed1-*")] == ["quick-seed1-package"]


def test_names_of_runs_contain_their_differences(start: Start) -> None:
    assert start(job="train", sets=SHORT) == 0
    assert start(job="train", sets=(*SHORT, "train.clip=2", "train.warmup=1")) == 0
    assert start(job="train", sets=(*SHORT, "train.clip=2", "train.warmup=1")) == 0
    name = "quick-seed1-warmup1-clip2.0"
    assert sorted(path.name for path in HOME.iterdir()) == ["quick-seed1", name]
    (HOME / name).rename(HOME / "quick-seed1-2")  # as earlier versions named it
    assert start(job="train", sets=(*SHORT, "train.clip=2", "train.warmup=1")) == 0
    assert sorted(path.name for path in HOME.iterdir()) == ["quick-seed1", "quick-seed1-2"]
    assert len(names.joined(["x" * 90, "é/" * 90]).encode()) <= 120
    assert names.joined(["quick", names.of_setting("model.pretrained", "../a b/c:d")]) == (
        "quick-pretrainedc_d"
    )


def test_a_run_keeps_its_settings_of_evaluation(start: Start) -> None:
    chosen = ("decoder=default", "decoder.temperature=0.5", "eval.examples=7", "eval.draws=2")
    assert start(job="train", sets=(*SHORT, *chosen)) == 0
    assert start(job="eval", run_dir=HOME / "quick-seed1") == 0
    found = json.loads((HOME / "quick-seed1/metrics.json").read_text())
    assert (found["decoder_params"], found["examples"]) == ({"temperature": 0.5}, 7)
    assert start(job="eval", sets=("eval.examples=0",)) == 0
    found = json.loads((HOME / "quick-seed1/metrics.json").read_text())
    assert (found["decoder_params"], found["examples"]) == ({"temperature": 0.5}, 37)
    assert start(job="eval", sets=("decoder=greedy",)) == 0
    assert start(job="generate") == 0
    assert len((HOME / "quick-seed1/predictions.jsonl").read_text().splitlines()) == 3


def test_prepare_makes_no_run(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(job="prepare") == 0
    assert "guess: 0.125" in capsys.readouterr().out
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"job": "tain"}, "--job tain: must be one of prepare, train"),
        ({"preset": "big"}, "--preset big: must be one of quick, paper"),
        ({"sets": ["train.steps=x"]}, "--set train.steps=x: train.steps: expected a whole number"),
        ({"data": Path("none.txt")}, "--data none.txt: there is no such file"),
        ({"seed": -1}, "--seed -1: must be at least 0"),
        ({"run_dir": Path("a"), "name": "b"}, "give one"),
        ({"package": Path("nowhere")}, "there is no package at nowhere"),
        ({"task": "TEXT", "preset": "paper"}, "toy has no recipe for task 'toy_text'"),
    ],
)
def test_wrong_commands(
    start: Start, capsys: pytest.CaptureFixture[str], options: dict[str, object], said: str
) -> None:
    assert start(**options) == 2
    text = error(capsys)
    assert text.startswith("error: ")
    assert said in text
    assert not Path("runs").exists()


def test_layout_that_a_family_lacks(
    start: Start, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    package = tmp_path / "toy"
    shutil.copytree(HERE / "toy_family", package)
    file = package / "family.py"
    file.write_text(file.read_text().replace(', "seq2seq": Seq2seq', ""))
    assert start(package=package) == 2
    assert "toy has no layout 'seq2seq', which task toy_reverse needs; it has: text" in error(
        capsys
    )


def test_an_old_configuration_is_another_run(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(job="train", sets=SHORT) == 0
    file = HOME / "quick-seed1/config.json"
    plain = json.loads(file.read_text())
    plain["train"]["retired"] = 1
    write_json(file, plain)
    assert start(job="train", sets=SHORT) == 0
    assert "its configuration is of another version" in capsys.readouterr().out
    assert start(job="eval", name="quick-seed1") == 2
    assert "config.json: unknown: retired" in error(capsys)


def test_what_two_processes_would_write_at_once(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(job="train", sets=SHORT, name="one") == 0
    with runs.alone(runs.Run(HOME / "one")):
        assert start(job="eval", name="one") == 2
    assert "another process works on" in error(capsys)
    assert start(job="eval", name="one", sets=("eval.examples=2",)) == 0


def test_steps_stand_for_a_recipe(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    sets = ("train.steps=2", "model.size=tiny", "train.batch=8")
    assert start("TEXT", job="train", preset="paper", sets=sets) == 0
    assert "toy has no recipe for toy_text: training uses --set and" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("data.prompt=9", "data.prompt=9: task toy_text has no prompts"),
        ("data.made=true", "the problems of task toy_text cannot be made"),
    ],
)
def test_settings_of_data_that_mean_nothing_are_refused(
    setting: str, said: str, start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start("TEXT", job="prepare", sets=(setting,)) == 2
    assert said in capsys.readouterr().err


def test_preset_paper_asks_for_a_run_of_it(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(job="train", sets=SHORT, name="one") == 0
    assert start(job="eval", preset="paper") == 2
    assert "there is no trained run with preset paper in" in error(capsys)
    assert start(job="eval", preset="paper", name="one") == 2
    assert "was trained with preset quick" in error(capsys)
