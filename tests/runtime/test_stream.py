"""Streams of texts: every example once, the same for all devices and workers, taken up exactly."""

import gzip
import json
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from attrs import evolve
from safetensors.torch import load_file

from xlm_runtime.config.config import Train
from xlm_runtime.data.commits import Repo
from xlm_runtime.data.rows import Dropped
from xlm_runtime.data.stream import FileRows, HubRows, Mark, Texts
from xlm_runtime.model.model import Model
from xlm_runtime.run.main import run
from xlm_runtime.system.errors import RunError
from xlm_runtime.tasks import owt_packed, safe
from xlm_runtime.tasks.base import published, streaming
from xlm_runtime.tasks.base.prepared import DataOptions
from xlm_runtime.tasks.base.streaming import Packed, Stream
from xlm_runtime.train import stream as streams
from xlm_runtime.train.stream import Parts

MLM = Path(__file__).parents[2] / "examples/mlm"
ROWS, WINDOW = 53, 10
LETTERS = "data.tokenizer=letters:abcdefghijklmnopqrstuvwxyz0123456789"
SETS = (
    "data.stream=true", "data.window=7", LETTERS, "train.steps=6", "train.batch=8",
    "train.checkpoint_every=2", "train.validate_every=6", "generate.samples=0", "model.size=tiny",
)  # fmt: skip


def texts(first: int, count: int) -> list[str]:
    return [f"row {first + i} {'ab' * (i % 9)}" for i in range(count)]


EVERY = texts(0, 30) + texts(30, ROWS - 30)


def jsonl(path: Path, rows: list[str]) -> None:
    path.write_text("".join(json.dumps({"text": row, "n": i}) + "\n" for i, row in enumerate(rows)))


def parquet(path: Path, rows: list[str]) -> None:
    pq.write_table(pa.table({"text": rows}), path, row_group_size=4)


def lines(path: Path, rows: list[str]) -> None:
    with gzip.open(path, "wt") as file:
        file.write("\n".join([*rows[:3], "", "   ", *rows[3:]]) + "\n")


def odd(text: str) -> str | None:
    """Leave out what begins with `left`."""
    return None if text.startswith("left") else text


@pytest.fixture(
    params=[("jsonl", jsonl), ("parquet", parquet), ("txt.gz", lines), ("hub", parquet)]
)
def found(request: pytest.FixtureRequest, tmp_path: Path) -> Texts:
    """The same rows in files, and on the Hub, where some are held out and the last ones are not."""
    suffix, write = request.param
    rest = texts(30, ROWS - 30)
    if suffix == "hub":
        write(tmp_path / "train-0.parquet", ["left out", *texts(0, 30)])
        write(tmp_path / "train-1.parquet", [*rest[:-1], "left", rest[-1], *texts(ROWS, 6)])
        return Texts(
            HubRows(Repo(str(tmp_path)), "train-*.parquet", ("text",), "", last=6), WINDOW, odd
        )
    write(tmp_path / f"train-0.{suffix}", texts(0, 30))
    write(tmp_path / f"train-1.{suffix}", rest)
    return Texts(FileRows(tuple(sorted(tmp_path.glob("train*"))), "text"), WINDOW, odd)


def read(found: Texts, count: int, mark: Mark | None = None) -> list[tuple[Mark, list]]:
    return [*islice(found.windows(1, mark or Mark()), count)]


def test_every_row_is_there_once_in_each_epoch(found: Texts) -> None:
    windows = read(found, 12)  # six of each epoch, the last one of three rows
    epochs = [[row for _, rows in windows[i : i + 6] for row in rows] for i in (0, 6)]
    for rows in epochs:
        assert sorted(rows) == [*enumerate(EVERY)]
    assert epochs[0] != epochs[1]
    numbers = [[number for number, _ in rows] for _, rows in windows]
    assert all(max(rows) - min(rows) < WINDOW for rows in numbers)
    assert numbers[0] != sorted(numbers[0])
    assert [mark.read for mark, _ in windows] == [0, 10, 20, 30, 40, 50, 53, 63, 73, 83, 93, 103]


@pytest.mark.many
@pytest.mark.parametrize("at", [1, 3, 5, 6, 8])
def test_a_mark_takes_up_reading_exactly(found: Texts, at: int) -> None:
    windows = read(found, 12)
    again = read(found, 12 - at, windows[at][0])
    assert [rows for _, rows in again] == [rows for _, rows in windows[at:]]
    assert [mark.read for mark, _ in again] == [mark.read for mark, _ in windows[at:]]


def test_another_seed_is_another_order(found: Texts) -> None:
    ((_, one),), ((_, two),) = read(found, 1), [*islice(found.windows(2, Mark()), 1)]
    assert one != two
    assert sorted(one) == sorted(two)


def encode_all(texts: list[str]) -> list[list[int]]:
    return [[ord(letter) for letter in text] for text in texts]


LETTERED = SimpleNamespace(encode_all=encode_all, separator=0)


def dealt(
    stream: Stream, monkeypatch: pytest.MonkeyPatch, devices: int, workers: int, start: int = 0
) -> list[list[int]]:
    """The rows of each step, those of all devices together."""
    train = Train(batch=12, device_batch=3, devices=devices, steps=8)
    steps: list[list[int]] = [[] for _ in range(train.steps)]
    for rank in range(devices):
        monkeypatch.setattr(streams, "rank", lambda rank=rank: rank)
        turns: list[list[list[int]]] = []
        for worker in range(workers):
            info = SimpleNamespace(id=worker, num_workers=workers)
            monkeypatch.setattr(streams, "get_worker_info", lambda info=info: info)
            parts = Parts(stream, train, start * train.accumulate, start * train.batch)
            turns.append([[e.index for e in examples] for examples, _ in parts])
        count = (train.steps - start) * train.accumulate
        for turn in range(count):  # a loader takes from one worker after the other
            part = turns[turn % workers][turn // workers]
            steps[start + turn // train.accumulate] += part
        assert sum(map(len, turns)) == count
    return [sorted(step) for step in steps]


@pytest.mark.slow
def test_devices_and_workers_share_the_same_rows(
    found: Texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stream in (Stream(found, LETTERED, str, 8), Packed(found, LETTERED, str, 16)):
        alone = dealt(stream, monkeypatch, 1, 1)
        first = [row for step in alone[:4] for row in step]
        assert len({*first}) == len(first) == 48  # none twice in the first epoch of 53
        for devices, workers in ((2, 1), (4, 1), (1, 2), (2, 3)):
            assert dealt(stream, monkeypatch, devices, workers) == alone
        later = dealt(stream, monkeypatch, 2, 2, start=3)
        assert later[3:] == alone[3:]


def packed(found: Texts, crop: bool = False, mark: Mark | None = None) -> list[tuple[Mark, list]]:
    stream = Packed(found, LETTERED, str, 16, crop)
    windows = islice(stream.windows(1, mark or Mark()), 12)
    return [(begin, [stream.example(*row) for row in rows]) for begin, rows in windows]


@pytest.mark.parametrize("crop", [False, True])
def test_packed_rows_have_each_token_once(
    found: Texts, monkeypatch: pytest.MonkeyPatch, crop: bool
) -> None:
    """The rows of a lane are its texts end to end, those of two epochs but for what is left."""
    monkeypatch.setattr(streaming, "LANES", 3)
    rows = [row for _, window in packed(found, crop) for row in window]
    assert [row.index for row in rows] == [*range(len(rows))]
    assert {len(row.body) for row in rows} == {16}
    assert all(
        row.cut and row.body[1:].count(0) == max(row.document, default=0) - row.document[0]
        for row in rows
        if row.document
    )
    long = {text for text in EVERY if len(text) > 16} if crop else set()
    windows = [row for row in rows if crop and any("".join(map(chr, row.body)) in t for t in long)]
    lanes = [row for row in rows if row not in windows]
    whole = ["".join(chr(i) for row in lanes[k::3] for i in row.body) for k in range(3)]
    complete = [text for lane in whole for text in lane.split("\0")[:-1]]
    short = [text for text in EVERY if text not in long]
    assert len(complete) > 2 * len(short) - 9
    assert {*complete} <= {*short}
    assert max(map(complete.count, short)) == 2  # once in each epoch
    assert len(windows) == 2 * len(long)


@pytest.mark.many
@pytest.mark.parametrize("at", [1, 5, 6, 8])
def test_packed_rows_are_taken_up_at_a_mark(found: Texts, at: int) -> None:
    windows = packed(found)
    again = packed(found, mark=windows[at][0])
    assert [rows for _, rows in again][: 12 - at] == [rows for _, rows in windows[at:]]
    assert [mark.read for mark, _ in again][: 12 - at] == [mark.read for mark, _ in windows[at:]]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of texts, of which a row behind all that are needed is not JSON."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XLM_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "data"
    folder.mkdir()
    jsonl(folder / "train-0.jsonl", texts(0, 11_000))
    jsonl(folder / "train-1.jsonl", texts(11_000, 200))
    with (folder / "train-1.jsonl").open("a") as file:
        file.write("{broken\n")
    for name in ("validation", "test"):
        jsonl(folder / f"{name}.jsonl", texts(50_000, 20))
    return folder


def train(data: Path, name: str, *sets: str, task: str = "lm1b", **options: object) -> int:
    options = {"job": "train", "data": data, **options}
    return run(MLM, task, name=name, sets=(*SETS, *sets), **options)


def weights(name: str, task: str = "lm1b") -> dict[str, torch.Tensor]:
    folder = Path("runs/mlm") / task / name / "checkpoints/step-00000006"
    return load_file(folder / "raw.safetensors")


@pytest.mark.slow
@pytest.mark.parametrize(("task", "first"), [("lm1b", 21), ("owt_packed", 23)])
def test_a_run_that_is_stopped_goes_on_from_a_mark(
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    task: str,
    first: int,
) -> None:
    assert train(data, "whole", "data.block=24", task=task) == 0
    said = capsys.readouterr().out
    assert "how many there are, and how long, is unknown" in said
    assert "block: 24" in said
    real, seen = Model.loss, list[int]()

    def loss(self: Model, batch: object, noise: object) -> object:
        if noise.step == 4:  # type: ignore[attr-defined]
            raise RunError("stopped")
        return real(self, batch, noise)

    monkeypatch.setattr(Model, "loss", loss)
    assert train(data, "torn", "data.block=24", task=task) == 4
    monkeypatch.setattr(Model, "loss", real)
    opened = Texts._opened
    monkeypatch.setattr(
        Texts, "_opened", lambda self, mark: (seen.append(mark.read), opened(self, mark))[1]
    )
    assert train(data, "torn", "data.block=24", task=task) == 0
    assert seen == [first]  # the last window before row 24: two batches may be under way
    whole, torn = weights("whole", task), weights("torn", task)
    assert all(torch.equal(torn[name], weight) for name, weight in whole.items())


def hub(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder in the form of a data set on the Hub, of which `owt_packed` holds rows out."""
    rows = texts(0, 400)
    (folder / "plain_text").mkdir(parents=True)
    parquet(folder / "plain_text/train-0.parquet", rows[:250])
    parquet(folder / "plain_text/train-1.parquet", rows[250:])
    monkeypatch.setattr(owt_packed, "REPO", str(folder))
    monkeypatch.setattr(owt_packed, "LAST", 180)  # those of a file and of a part of another
    monkeypatch.setattr(owt_packed, "HELD_OUT", {"validation": 0.2})


def test_a_data_set_on_the_hub_has_the_splits_that_it_has_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub(tmp_path, monkeypatch)
    monkeypatch.setattr(published, "HEAD", 50)
    monkeypatch.setattr(published, "HELD", 9)
    source = owt_packed.OWT_PACKED.published()
    whole, begun = [*source.rows(Dropped())], [*source.begun().rows(Dropped())]
    for name, most in (("train", 50), ("validation", 9), ("test", 180)):
        assert [row for row in begun if row[0] == name] == [r for r in whole if r[0] == name][:most]
    assert source.reading is not None
    _, rows = next(Texts(source.reading.rows, 999, source.reading.take).windows(1, Mark()))
    assert {text for _, text in rows} == {text for name, _, (text,) in whole if name == "train"}


@pytest.mark.usefixtures("data")
def test_a_run_trains_on_a_data_set_of_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hub(tmp_path / "hub", monkeypatch)
    sets = (*SETS, "data.block=24", "train.warmup=1")
    assert run(MLM, "owt_packed", job="train", preset="paper", name="hub", sets=sets) == 0
    assert (
        f"stream: the data set {tmp_path}/hub, shuffled in windows of 7" in capsys.readouterr().out
    )
    assert weights("hub", "owt_packed")


def test_molecules_of_a_stream_are_written_as_those_of_a_whole(data: Path, tmp_path: Path) -> None:
    pytest.importorskip("rdkit")
    molecules = ["CCO", "c1ccccc1CCN", "no molecule", "CC(=O)Oc1ccccc1C(=O)O"]
    jsonl(data / "train-0.jsonl", molecules)
    (data / "train-1.jsonl").unlink()
    options = DataOptions(preset="quick", cache=tmp_path, data=data, stream=True)
    source = safe.SAFE._source(options)
    read = {text for name, _, (text,) in source.rows(Dropped()) if name == "train"}
    assert source.reading is not None
    _, rows = next(Texts(source.reading.rows, 9, source.reading.take).windows(1, Mark()))
    assert {text for _, text in rows} == read
    assert len(read) == 3
    assert read.isdisjoint(molecules[1:])


def test_workers_change_nothing(data: Path) -> None:
    assert train(data, "none") == 0
    assert train(data, "two", "train.workers=2", "train.device_batch=4") == 0
    none, two = weights("none"), weights("two")
    assert all((two[k] - w).abs().max() < 1e-4 for k, w in none.items() if w.is_floating_point())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sets": ("data.tokenizer=bpe:300",)}, "would be trained on all texts"),
        ({"data": None}, "data.stream: there is no --data"),
        ({"missing": "test"}, "there is none for test"),
        ({"task": "gsm8k"}, "does not read texts one by one"),
        ({"task": "qm9", "preset": "paper", "data": None}, "read as a whole, never as a stream"),
        ({"rename": "train.csv"}, "files for training of one kind are streamed"),
    ],
)
def test_what_cannot_be_streamed_is_refused(
    data: Path, capsys: pytest.CaptureFixture[str], change: dict[str, object], said: str
) -> None:
    if "missing" in change:
        (data / f"{change['missing']}.jsonl").unlink()
    if "rename" in change:
        (data / "train-1.jsonl").unlink()
        (data / "train-0.jsonl").rename(data / str(change["rename"]))
        (data / str(change["rename"])).write_text("text\nabc\nabd\n")
    options = {"job": "train", "data": change.get("data", data), "name": "n"}
    options |= {"preset": change["preset"]} if "preset" in change else {}
    sets = (*SETS, *change.get("sets", ()))  # type: ignore[misc]
    assert run(MLM, str(change.get("task", "lm1b")), sets=sets, **options) == 2
    assert said in capsys.readouterr().err
    assert not Path("runs").exists()


def test_a_row_that_cannot_be_read_ends_the_run_in_words(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "HEAD", 100)
    rows = (data / "train-1.jsonl").read_text().splitlines()
    (data / "train-0.jsonl").write_text("\n".join(rows[:150]) + "\n")
    (data / "train-1.jsonl").write_text("\n".join([*rows[:120], "{broken"]) + "\n")
    assert train(data, "bad", "train.batch=64", "data.window=100") == 4
    said = capsys.readouterr().err
    assert "train-1.jsonl: a row cannot be read" in said
    assert "Traceback" not in said


def test_marks_do_not_pass_what_is_used() -> None:
    train = evolve(Train(), batch=4, steps=5)
    windows = [
        (Mark(0, i * 3, i * 3, {"i": i}), [(i * 3 + j, "ab") for j in range(3)]) for i in range(9)
    ]
    stream = SimpleNamespace(windows=lambda *_: iter(windows), example=lambda n, _: n)
    loader = streams.Streaming(
        Parts(stream, train, 0, 0), lambda rows: SimpleNamespace(rows=rows), 0
    )
    marks = [loader.state_dict()["mark"]["read"] for _ in loader]
    assert marks == [0, 0, 3, 6, 9]  # one batch is fetched ahead, and may not be used
    assert all(mark <= 4 * max(0, i - 1) for i, mark in enumerate(marks))
