"""Lists in settings and several seeds: each point once, all in one table, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from statistics import mean, stdev

import pytest

from xlm_runtime.config.lists import points, split
from xlm_runtime.model import evaluate
from xlm_runtime.run.folder.runs import Run
from xlm_runtime.run.jobs import evaluation
from xlm_runtime.run.reports.together import pooled
from xlm_runtime.system.errors import UsageError

Start = Callable[..., int]
HOME = Path("runs/toy/toy_reverse")
FOLDER = HOME / "quick-seed1"
SHORT = ("train.steps=2", "generate.samples=0", "generate.count=3", "eval.draws=1")
SWEEP = ("decoder.temperature=0.5,1.0,2", "eval.oracle=true,false")


def kept() -> list[dict]:
    return [json.loads(line) for line in (FOLDER / "evaluations.jsonl").read_text().splitlines()]


def test_a_list_is_split_by_the_type_of_its_setting() -> None:
    stop = "generate.stop=a,b"
    alone, several = split(
        [stop, "decoder.steps=8, 16", "data.columns=text=a,prompt=b", "decoder=x"]
    )
    assert alone == (stop, "data.columns=text=a,prompt=b", "decoder=x")
    assert several == [["decoder.steps=8", "decoder.steps=16"]]
    assert split(["train.steps=1,2", "train.steps=3"]) == (("train.steps=3",), [])
    assert split(["train.steps=3", "train.steps=1,2"])[0] == ()
    assert points([["a=1", "a=2"], ["b=1", "b=2"]]) == [
        ("a=1", "b=1"), ("a=1", "b=2"), ("a=2", "b=1"), ("a=2", "b=2"),
    ]  # fmt: skip
    assert points([]) == [()]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("train.steps=1,000", "a thousand is 1000"),
        ("decoder.steps=8,,16", "a value of the list is empty"),
        ("decoder.steps=8,", "a value of the list is empty"),
        ("decoder.steps=[8,16]", "write a list without brackets"),
        ("decoder.steps=8,16,8", "8 is there twice"),
    ],
)
def test_what_is_no_list_is_refused(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        split([text])


def test_too_many_combinations_are_refused() -> None:
    with pytest.raises(UsageError, match="1,001 combinations"):
        points([[str(n) for n in range(1001)]])


def test_a_sweep_keeps_every_point_and_does_none_twice(
    start: Start, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert start(job="train", sets=SHORT) == 0
    assert start(job="eval", sets=("decoder.temperature=1",)) == 0
    alone = (FOLDER / "metrics.json").read_bytes()
    calls: list[int] = []
    likelihood = evaluate.likelihood
    monkeypatch.setattr(evaluate, "likelihood", lambda *args: calls.append(1) or likelihood(*args))
    capsys.readouterr()
    assert start(job="eval", sets=("decoder.temperature=0.5,1.0,2",)) == 0
    out = capsys.readouterr().out
    assert not calls  # it was known from the evaluation before
    assert (FOLDER / "metrics.json").read_bytes() == alone
    assert [one["decoder_params"]["temperature"] for one in kept()] == [1, 0.5, 2]
    assert len({json.dumps(one["likelihood"]) for one in kept()}) == 1
    assert "point 2 of 3" not in out  # temperature 1 was measured
    table = out[out.index("sweep of step-00000002 on 37 test examples: 3 points") :]
    rows = [line.split() for line in table.splitlines() if line.startswith(("  0.5", "  1", "  2"))]
    assert [row[0] for row in rows] == ["0.5", "1.0", "2"]
    match = [one["answers"]["exact_match"] for one in (kept()[1], kept()[0], kept()[2])]
    assert [row[1] for row in rows] == [f"{value:.4f}" for value in match]
    assert "nats per token" in table
    assert "tight" in table
    monkeypatch.setattr(evaluation, "_decode", None)
    before = (FOLDER / "evaluations.jsonl").read_bytes()
    assert start(job="eval", sets=("decoder.temperature=0.5,1.0,2",), run_dir=FOLDER.resolve()) == 0
    assert capsys.readouterr().out.endswith(table)
    assert (FOLDER / "evaluations.jsonl").read_bytes() == before


def test_a_sweep_that_was_stopped_goes_on(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    assert start(job="train", sets=SHORT) == 0
    decode, left = evaluation._decode, [1]

    def once(*args: object) -> object:
        if not left:
            raise KeyboardInterrupt
        left.pop()
        return decode(*args)

    monkeypatch.setattr(evaluation, "_decode", once)
    assert start(job="eval", sets=SWEEP) == 130
    assert len(kept()) == 1
    monkeypatch.setattr(evaluation, "_decode", decode)
    assert start(job="eval", sets=SWEEP) == 0
    assert len(kept()) == 6


def test_a_point_is_what_an_evaluation_of_its_own_measures(start: Start) -> None:
    assert start(job="train", sets=SHORT) == 0
    assert start(job="eval", sets=("decoder.temperature=0.5,2",)) == 0
    for point in kept():
        value = point["decoder_params"]["temperature"]
        assert start(job="eval", sets=(f"decoder.temperature={value}",)) == 0
        alone = json.loads((FOLDER / "metrics.json").read_text())
        for one in (alone, point):
            del one["sha256"], one["decoding"]["tokens_per_second"]
        assert alone == point


def test_decoders_are_swept(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(job="train", sets=SHORT) == 0
    assert start(job="eval", sets=("decoder=default,greedy",)) == 0
    assert [one["decoder"] for one in kept()] == ["default", "greedy"]
    assert start(job="eval", sets=("decoder=default,greedy", "decoder.temperature=1,2")) == 2
    assert "the decoder is 'greedy'" in capsys.readouterr().err
    assert len(kept()) == 2


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"job": "eval", "sets": ["train.steps=2,4"]}, "a run has one value of it"),
        ({"job": "all", "sets": ["decoder.temperature=1,2"]}, "with --job eval"),
        ({"job": "eval", "sets": ["generate.count=1,2"]}, "it has one value in a command"),
        ({"job": "train", "seeds": "0"}, "from 1 to 100 seeds"),
        ({"job": "train", "seeds": "1,1"}, "1 is there twice"),
        ({"job": "train", "seeds": "two"}, "a number of seeds, or a list"),
        ({"job": "train", "seeds": "3", "seed": 1}, "give one of them"),
        ({"job": "train", "seeds": "3", "sets": ["train.seed=4"]}, "give one of them"),
        ({"job": "train", "seeds": "2", "run_dir": FOLDER}, "--run names one run"),
        ({"job": "train", "seeds": "2", "sets": ["train.devices=2"]}, "leave train.devices out"),
        ({"job": "prepare", "seeds": "2"}, "--seeds has no effect on --job prepare"),
        ({"job": "train", "sets": ["train.steps=2,x"]}, "expected a whole number, got 'x'"),
        ({"job": "train", "seeds": "1,18446744073709551616"}, "at most"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_swept_is_refused_before_anything_is_written(
    start: Start, capsys: pytest.CaptureFixture[str], options: dict, why: str
) -> None:
    assert start(**options) == 2
    assert why in capsys.readouterr().err
    assert not Path("runs").exists()


def test_seeds_make_a_run_each_and_one_table(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(sets=SHORT, seeds="3") == 0
    out = capsys.readouterr().out
    folders = [HOME / f"quick-seed{seed}" for seed in (1, 2, 3)]
    assert [Run(folder).config.train.seed for folder in folders] == [1, 2, 3]
    values = [
        json.loads((one / "metrics.json").read_text())["likelihood"]["nats_per_token"]
        for one in folders
    ]
    assert len(set(values)) == 3
    table = out[out.index("mean and standard deviation of 3 seeds:") :]
    row = next(line for line in table.splitlines() if "nats per token" in line)
    expected = [mean(values), stdev(values), *values]
    assert row.split()[3:] == [f"{value:.4f}" for value in expected]
    assert start(sets=SHORT, seeds="1,3") == 0  # nothing is trained again
    again = capsys.readouterr().out
    assert again.count("is trained (2 steps)") == again.count("evaluated before") == 2
    assert start(job="eval", sets=("decoder.temperature=1,2",), seeds="1,2") == 0
    table = capsys.readouterr().out
    table = table[table.rindex("mean and standard deviation of 2 seeds:") :]
    assert table.count("(sd ") >= 2
    assert "part of the test data" not in table
    assert start(job="eval", sets=("eval.examples=5",), seeds="1,2") == 0
    assert "of a part of the test data: 5 of 37 examples" in capsys.readouterr().out


def test_lists_of_training_settings_make_a_run_each(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    sets = (*SHORT, "train.learning_rate=1e-3,0.01")
    assert start(sets=sets, seeds="2") == 0
    assert sorted(path.name for path in HOME.iterdir()) == [
        f"quick-learning_rate{rate}-seed{seed}" for rate in ("0.001", "0.01") for seed in (1, 2)
    ]
    out = capsys.readouterr().out
    assert "train.learning_rate=1e-3  " in out
    assert out.count("(sd ") >= 2
    assert start(job="train", sets=sets, name="mine", seeds="2") == 0
    assert (HOME / "mine-learning_rate0.01-seed2").is_dir()


def test_a_list_of_seeds_is_that_of_the_option(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(job="train", sets=(*SHORT, "train.seed=4,6", "data.seed=1,2")) == 0
    assert sorted(path.name for path in HOME.iterdir()) == [
        f"quick-data_seed{data}-seed{seed}" for data in (1, 2) for seed in (4, 6)
    ]
    assert start(job="train", sets=("train.seed=1,2",), seeds="2") == 2
    assert "give one of them" in capsys.readouterr().err


def test_a_mean_of_numbers_that_are_not_finite_is_none() -> None:
    assert pooled([1.0, None]).mean is None
    assert str(pooled([1.0])) == "1.0000"
    assert str(pooled([1.0, 3.0])) == "2.0000 (sd 1.4142)"
