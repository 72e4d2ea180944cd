"""``xlmc generate``: whose texts they are, where they go, and what is refused."""

import fcntl
import io
import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from attrs import evolve

import xlm_runtime
from xlm_runtime.system.errors import UsageError
from xlm_runtime.use import generating, main, prompts
from xlm_runtime.use.options import Options
from xlm_runtime.use.prompts import Prompt
from xlmc.commands.cli import execute

ASKED = ("a b c d", "h g f e", "a a a a", "c c d b")  # the toy network sees padding
HOT = ("decoder.temperature=2",)
Generate = Callable[..., int]


@pytest.fixture
def generate(trained: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Generate:
    """``generate(out=..., number=...)`` of the toy run, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def begin(**options: object) -> int:
        options = {"what": str(trained), "prompts": ASKED} | options
        return main.generate(Options(**options))

    return begin


def lines(path: Path | str) -> list[dict[str, object]]:
    return [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]


def piped(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


# Texts


def test_texts_are_those_of_python_for_any_batch_and_number(
    generate: Generate, trained: Path
) -> None:
    for number, batch in ((1, 64), (3, 1), (3, 2), (2, 64)):
        out = Path(f"{number}-{batch}.jsonl")
        assert generate(number=number, batch=batch, out=out, seed=5, sets=HOT) == 0
    wanted = xlm_runtime.load(trained).generate(list(ASKED), seed=5, temperature=2)
    assert [one["prediction"] for one in lines("1-64.jsonl")] == wanted
    assert lines("3-1.jsonl") == lines("3-2.jsonl")
    first = [one for one in lines("3-1.jsonl") if one["candidate"] == 0]
    assert [one["prediction"] for one in first] == wanted
    some = [one for one in lines("3-1.jsonl") if one["candidate"] != 2]
    assert some == lines("2-64.jsonl")
    assert {one["prediction"] for one in lines("3-1.jsonl")} > set(wanted)


def test_candidates_of_equal_prompts_are_others(generate: Generate) -> None:
    assert generate(out=Path("o.jsonl"), prompts=("a b a b",) * 2, number=9, sets=HOT) == 0
    first, second = (
        [one["prediction"] for one in lines("o.jsonl") if one["id"] == i] for i in (0, 1)
    )
    assert first != second
    assert first[1:] != second[:-1]


def test_records(generate: Generate, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate(out=Path("-"), prompts=("a b c d",), number=2, likelihood=True) == 0
    printed = capsys.readouterr()
    one, other = map(json.loads, printed.out.splitlines())
    assert one.keys() == {
        "id", "candidate", "prompt", "prediction", "nfe", "log_likelihood",
        "log_likelihood_error", "tokens", "claim", "given",
    }  # fmt: skip
    assert (one["id"], one["candidate"], other["candidate"], one["claim"]) == (0, 0, 1, "tight")
    assert "generate" not in printed.out


def test_distinct_candidates_are_ranked(generate: Generate) -> None:
    assert generate(out=Path("all.jsonl"), number=40, sets=HOT, likelihood=True) == 0
    assert generate(out=Path("unlike.jsonl"), number=40, sets=HOT, distinct=True) == 0
    every, unlike = lines("all.jsonl"), lines("unlike.jsonl")
    for id_ in range(len(ASKED)):
        drawn = [one["prediction"] for one in every if one["id"] == id_]
        kept = [one for one in unlike if one["id"] == id_]
        assert {one["prediction"]: one["count"] for one in kept} == {
            text: drawn.count(text) for text in drawn
        }
        worth = [float(str(one["log_likelihood"])) for one in kept]
        assert worth == sorted(worth, reverse=True)
        known = {one["prediction"]: one["log_likelihood"] for one in every if one["id"] == id_}
        assert {one["prediction"]: one["log_likelihood"] for one in kept} == pytest.approx(known)
    assert len(unlike) < len(every)


def test_settings_of_the_decoder(generate: Generate, trained: Path) -> None:
    assert generate(out=Path("a.jsonl"), decoder="greedy") == 0
    assert generate(out=Path("b.jsonl"), sets=("decoder=greedy",)) == 0
    assert generate(out=Path("c.jsonl"), sets=("decoder.temperature=0",)) == 0
    wanted = xlm_runtime.load(trained).generate(list(ASKED), decoder="greedy")
    for name in "abc":
        assert [one["prediction"] for one in lines(f"{name}.jsonl")] == wanted


# Files


def test_a_file_goes_on_where_it_ended(generate: Generate) -> None:
    how = {"number": 3, "batch": 1, "sets": HOT, "out": Path("out.jsonl")}
    assert generate(**how) == 0
    whole = Path("out.jsonl").read_bytes()
    about = Path("out.jsonl.about.json").read_bytes()
    ends = [i + 1 for i, byte in enumerate(whole) if byte == 10]
    for kept in (0, 1, 10, *ends, *(end - 3 for end in ends)):
        Path("out.jsonl").write_bytes(whole[:kept])
        assert generate(**how | {"batch": 2}) == 0
        assert Path("out.jsonl").read_bytes() == whole
    assert Path("out.jsonl.about.json").read_bytes() == about


def test_the_best_candidate_is_the_first_of_the_distinct_ones(generate: Generate) -> None:
    how = {"number": 12, "sets": HOT}
    assert generate(**how, out=Path("all.jsonl"), distinct=True) == 0
    assert generate(**how, out=Path("best.jsonl"), best=True) == 0
    first = {one["id"]: one for one in reversed(lines("all.jsonl"))}
    assert lines("best.jsonl") == [first[id_] for id_ in range(len(ASKED))]
    whole = Path("best.jsonl").read_text()
    Path("best.jsonl").write_text(whole.splitlines(keepends=True)[0])
    assert generate(**how, out=Path("best.jsonl"), best=True) == 0
    assert Path("best.jsonl").read_text() == whole


def test_a_file_of_distinct_candidates_goes_on(generate: Generate) -> None:
    how = {"number": 9, "distinct": True, "sets": HOT, "out": Path("out.jsonl")}
    assert generate(**how) == 0
    whole, every = Path("out.jsonl").read_text(), lines("out.jsonl")
    second = next(i for i, one in enumerate(every) if one["id"] == 1)
    assert len({str(one["id"]) for one in every}) < len(every)
    for kept in range(second + 3):
        Path("out.jsonl").write_text("".join(whole.splitlines(keepends=True)[:kept]))
        assert generate(**how) == 0
        for one, other in zip(lines("out.jsonl"), every, strict=True):
            assert one["prediction"] == other["prediction"]
            assert one["log_likelihood"] == pytest.approx(other["log_likelihood"], rel=1e-5)


def test_an_interrupted_command_leaves_whole_prompts(
    generate: Generate, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert generate(out=Path("whole.jsonl"), number=2, batch=1) == 0
    real, left = generating._records, [2]

    def records(*parts: object) -> object:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return real(*parts)  # type: ignore[arg-type]

    monkeypatch.setattr(generating, "_records", records)
    assert generate(out=Path("out.jsonl"), number=2, batch=1) == 130
    assert "goes on from there" in capsys.readouterr().err
    assert len(lines("out.jsonl")) == 4
    monkeypatch.setattr(generating, "_records", real)
    assert generate(out=Path("out.jsonl"), number=2, batch=1) == 0
    assert "2 of 4 prompts are in out.jsonl already" in capsys.readouterr().err
    assert Path("out.jsonl").read_bytes() == Path("whole.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"seed": 2}, r"of other settings \(seed 1 -> 2\)"),
        ({"sets": ("decoder.temperature=0.5",)}, r"settings \(decoder.temperature 0.0 -> 0.5\)"),
        ({"prompts": (*ASKED, "b")}, "of other prompts"),
        ({"likelihood": True}, r"settings \(likelihood false -> 32\)"),
    ],
)
def test_a_file_of_another_command_is_left_alone(
    generate: Generate, change: dict[str, object], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    same = {"out": Path("out.jsonl"), "sets": ("decoder.temperature=0",)}
    assert generate(**same) == 0
    whole = Path("out.jsonl").read_bytes()
    assert generate(**same | change) == 2
    said = capsys.readouterr().err
    assert "--out out.jsonl is there, and is of other" in said
    assert re.search(why, said)
    assert Path("out.jsonl").read_bytes() == whole


def test_no_file_is_overwritten(generate: Generate, capsys: pytest.CaptureFixture[str]) -> None:
    out = Path("out.jsonl")

    def refused(why: str) -> None:
        before = out.read_bytes()
        assert generate(out=out) == 2
        assert why in capsys.readouterr().err
        assert out.read_bytes() == before

    out.write_text("mine")
    refused("is there, and not of this command")
    out.unlink()
    assert generate(out=out) == 0
    whole = out.read_text("utf-8")
    out.write_text(whole + whole.splitlines()[0] + "\n", "utf-8")
    refused("was changed since it was written")
    out.write_text("rubbish\n" + whole, "utf-8")
    refused("'rubbish\\n' is no record")
    out.write_text(whole, "utf-8")
    with out.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        refused("another process writes to it")
    assert generate(out=Path("no/out.jsonl")) == 2
    assert not Path("no").exists()


def test_a_refused_command_leaves_no_file(generate: Generate) -> None:
    assert generate(out=Path("out.jsonl"), prompts=("a", "x")) == 2
    assert generate(out=Path("out.jsonl"), sets=("decoder.x=1",)) == 2
    assert list(Path().iterdir()) == []


# Prompts


def test_prompts_of_files_and_pipes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    texts = [Prompt(0, "a b"), Prompt(1, "c")]
    (tmp_path / "p.txt").write_text("a b\n\nc\n")
    assert prompts.given((), (), tmp_path / "p.txt") == texts
    piped(monkeypatch, "a b\n\nc")
    assert prompts.given((), (), None) == texts
    rows = '{"id": "q", "prompt": "a b", "length": 5}\n\n{"text": "c"}\n'
    (tmp_path / "p.jsonl").write_text(rows)
    wanted = [Prompt("q", "a b", 5), Prompt(1, "c")]
    assert prompts.given((), (), tmp_path / "p.jsonl") == wanted
    piped(monkeypatch, rows)
    assert prompts.given((), (), Path("-")) == wanted
    piped(monkeypatch, "")
    assert prompts.given((), (), None) == []
    piped(monkeypatch, "b")
    assert prompts.given(("a",), ("[GAP]",), None) == [Prompt(0, "a"), Prompt(1, "[GAP]")]


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (
            '{"id": 1, "prompt": "a"}\n{"id": 1, "prompt": "b"}',
            "line 2: the id 1 is that of line 1",
        ),
        ('{"id": 1, "prompt": 3}', "line 1: `prompt` is a text, and got 3"),
        ('{"promt": "a"}', "line 1: `prompt` is a text, and it has: promt"),
        ('{"prompt": "a", "id": true}', "line 1: `id` is a whole number or a text, got True"),
        ('{"prompt": "a", "id": 1.5}', "line 1: `id` is a whole number or a text, got 1.5"),
        ('{"prompt": "a", "length": 0}', "line 1: `length` is a whole number of at least 1, got 0"),
        ('{"prompt": "a"}\nb', "line 2 is not JSON"),
        ("\n", "there is no prompt in it"),
    ],
)
def test_mistakes_in_files_of_prompts(rows: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    piped(monkeypatch, rows)
    with pytest.raises(UsageError, match=why):
        prompts.given((), (), Path("-"))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"prompts": ()}, "answers prompts: give --prompt"),
        ({"file": Path("p.txt")}, "leave --prompt and --infill out"),
        ({"infills": ("a",)}, "--infill 'a' has no hole"),
        ({"infills": ("a [GAP]",)}, "this run answers prompts, and fills no holes"),
        ({"prompts": ("a\udcff",)}, "no text in UTF-8"),
        ({"length": 3}, "--length: the layout of the run predicts where a text ends"),
        ({"number": 0}, "--num 0: must be at least 1"),
        ({"best": True}, "--best is the likeliest of several candidates: set --num"),
        ({"seed": -1}, "--seed -1: must be at least 0"),
        ({"stops": ("",)}, "--stop: a text that is not empty"),
        ({"stops": ("a",), "distinct": True}, "--distinct: a likelihood is that of whole texts"),
        ({"draws": 1, "likelihood": True}, "--draws 1: a standard error needs at least 2"),
        ({"sets": ("train.steps=5",)}, "--set train.steps=5: only the decoder can be set here"),
        ({"decoder": "greddy"}, "--decoder greddy: the decoders are default, greedy"),
        ({"ckpt": "frist"}, "there is no checkpoint 'frist'"),
    ],
)
def test_mistakes(
    generate: Generate,
    change: dict[str, object],
    why: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    piped(monkeypatch, "")
    assert generate(**change) == 2
    assert why in capsys.readouterr().err


# Runs


def test_runs_by_many_names(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = trained.parents[2].parent
    monkeypatch.chdir(root)
    names: Sequence[str] = (
        "runs", "runs/toy", "runs/toy/toy_reverse", str(trained), f"{trained}/package",
        f"{trained}/checkpoints/step-00000060", str(Path(__file__).parent / "toy_family"),
    )  # fmt: skip
    for name in names:
        assert execute(["generate", name, "--prompt", "a b c d", "--decoder", "greedy"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == len(names)
    assert len(set(printed)) == 1
    assert printed[0].startswith("a b c d → ")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nothing", "there is no run at nothing: it is no folder here, and no OWNER/NAME"),
        ("runs/tye", "there is no run at runs/tye: .*there are: runs/toy/toy_reverse/quick-seed1"),
        ("empty", "there is no run at empty, and none below it: train one"),
        ("file", "file is a file: name the folder of a run"),
        ("toy.xlm", "toy.xlm is a spec; build it first"),
        ("other", "no run in runs was trained with the package other as it is now; name a run"),
    ],
)
def test_runs_that_are_not_there(
    trained: Path, name: str, why: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("file").touch()
    Path("toy.xlm").touch()
    Path("other").mkdir()
    Path("other/__init__.py").touch()
    Path("runs").symlink_to(trained.parents[1].parent)
    with pytest.raises(UsageError, match=why):
        xlm_runtime.load(name)


def test_a_package_that_has_changed_names_its_runs(
    trained: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("runs").symlink_to(trained.parents[1].parent)
    Path("toy").mkdir()
    for file in (trained / "package").glob("*.py"):
        (Path("toy") / file.name).write_bytes(file.read_bytes() + b"# changed\n")
    with pytest.raises(UsageError, match="was trained with the package toy as it is now; name a"):
        xlm_runtime.load("toy")


def test_options_are_checked_from_python_as_well(trained: Path) -> None:
    with pytest.raises(UsageError, match="--batch 0"):
        generating.generate(evolve(Options(what=str(trained)), batch=0))
