"""The page on runs: its parts, and that it needs nothing else; in Chromium by `-m browser`."""

import json
import re
import shutil
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from xlm_runtime.run.folder import histories
from xlm_runtime.run.folder.runs import Run
from xlm_runtime.run.main import run
from xlm_runtime.run.reports import curves, report
from xlm_runtime.system.atomic import write_json

Start = Callable[..., int]
HERE = Path(__file__).parent
HOME = Path("runs/toy/toy_reverse")
SHORT = ("train.steps=40", "train.log_every=10", "generate.samples=0", "eval.draws=1")
BAD = "</script><script>alert(1)</script>"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of two seeds with a sweep, and one of a package whose spec has HTML in it."""
    folder = tmp_path_factory.mktemp("shelf")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(HERE)
        patch.chdir(folder)
        toy, task = HERE / "toy_family", "toy_task:REVERSE"
        assert run(toy, task, sets=SHORT, seeds="2") == 0
        sweep = ("decoder.temperature=0.0,0.5,1.0",)
        assert run(toy, task, job="eval", sets=sweep, seeds="2") == 0
        shutil.copytree(toy, "other", ignore=shutil.ignore_patterns("__pycache__"))
        text = (toy / "toy.xlm").read_text().replace("\n", f"\n  # {BAD}\n", 1)
        Path("other/toy.xlm").write_text(text)
        assert run(Path("other"), task, job="train", sets=SHORT, name="other") == 0
    return folder


@pytest.fixture
def here(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(shelf / "runs", tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Page(HTMLParser):
    """The tags of a page with their attributes, and its texts by id or class of the element."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def ids(self, beginning: str) -> list[str]:
        found = (str(about.get("id", "")) for _, about in self.tags)
        return [name for name in found if name.startswith(beginning)]

    def of(self, kind: str) -> int:
        return sum(kind in str(about.get("class", "")).split() for _, about in self.tags)


def made(*names: str) -> str:
    assert report.report([HOME / name for name in names], Path("out/report.html")) == 0
    return Path("out/report.html").read_text(encoding="utf-8")


def test_a_page_has_all_parts(here: Path) -> None:
    page = Page(made("quick-seed1", "quick-seed2", "other"))
    assert len(page.ids("curve-loss0-")) == 4  # training and validation of two seeds
    assert len(page.ids("curve-loss1-")) == 2
    assert len(page.ids("curve-nfe0-")) == 3  # one for each temperature, which changes no calls
    assert page.of("sweep") == 1
    assert page.of("samples") == 1
    assert page.of("stepper") == histories.FEW
    assert page.of("new") > 0
    for text in (
        "quick-seed1 and 1 more, seeds 1, 2", "nats per token", "(sd ", "temperature=0.5",
        "It was not evaluated.", "family toy", "sizes", "train.learning_rate", "0.003",
    ):  # fmt: skip
        assert text in page.text


def test_a_page_needs_nothing_else_and_runs_no_strange_code(here: Path) -> None:
    file = HOME / "other/predictions.jsonl"
    file.write_text(json.dumps({"prediction": BAD, "prompt": BAD, "target": BAD}) + "\n")
    about = {"key": "", "of": {"package": Run(HOME / "other").facts["package"]}}
    write_json(HOME / "other/predictions.json", {"predictions.jsonl": about})
    write_json(histories.beside(file), {"samples": [{"index": BAD, "states": ["a", BAD]}]})
    text = made("quick-seed1", "other")
    page = Page(text)
    assert page.text.count(BAD) >= 5
    assert [tag for tag, _ in page.tags].count("script") == 1
    for _, about in page.tags:
        assert not {"src", "onclick", "onload", "action"} & about.keys()
        assert str(about.get("href", about.get("xlink:href", "#"))).startswith("#")
    assert not re.search(r"@import|url\((?!#)", text)
    assert str(Path.home()) not in page.text.replace("/tmp", "")
    assert made("quick-seed1", "other") == text  # the same page from the same runs


def test_states_are_those_of_the_predictions(here: Path) -> None:
    folder = HOME / "quick-seed1"
    found = histories.read(folder / "predictions.jsonl")
    lines = [json.loads(line) for line in (folder / "predictions.jsonl").read_text().splitlines()]
    assert [one["index"] for one in found] == [line["index"] for line in lines[: histories.FEW]]
    for one, line in zip(found, lines, strict=False):
        assert one["states"][-1] == f"{line['prompt']} {line['prediction']}".strip()
        assert len(one["states"]) == one["steps"] + 1
        assert "history" not in line
    words = report.changed(["a <mask>", "a b", "a c b"])
    assert [[word.kind for word in state] for state in words] == [
        ["", "special"], ["", "new"], ["", "new", ""],
    ]  # fmt: skip


def test_long_decodings_are_thinned() -> None:
    history = tuple((i,) for i in range(1000))
    kept = histories._some(history)
    assert (len(kept), kept[0], kept[-1]) == (200, (0,), (999,))
    assert histories._some(history[:5]) == [*history[:5]]
    assert not histories.affordable(64, 1024)


def test_lines_join_what_changes_the_calls() -> None:
    every = [
        [{
            "claim": {}, "decoder": "d", "decoder_params": {"steps": steps, "heat": heat},
            "answers": {"right": steps + heat, "right_error": 1.0}, "decoding": {"nfe": steps},
        }]
        for steps in (8, 2, 4) for heat in (0.5, 1.0)
    ]  # fmt: skip
    lines = curves.by_calls(every, "right")
    assert [line.label for line in lines] == ["heat=0.5", "heat=1.0"]
    assert [(*line.x,) for line in lines] == [(2, 4, 8)] * 2
    assert [(*line.y,) for line in lines] == [(2.5, 4.5, 8.5), (3.0, 5.0, 9.0)]
    assert {error for line in lines for error in line.errors} == {1.0}


def test_the_curve_of_training_is_that_of_the_log(here: Path) -> None:
    found = curves.losses(Run(HOME / "quick-seed1"))
    assert [*found["train"].x] == [10, 20, 30, 40]
    assert [*found["validation"].x] == [40]
    shutil.rmtree(HOME / "quick-seed1/logs")
    assert "There is no log of the training" in made("quick-seed1")


def test_what_cannot_be_reported_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(code: int, why: str, *names: str, out: str = "r.html") -> None:
        assert report.report([HOME / name for name in names], Path(out)) == code
        assert why in capsys.readouterr().err
        assert not Path("r.html").exists()

    refused(2, "there is no run at", "quick-sed1")
    refused(2, "it is a folder", "quick-seed1", out="runs")
    (HOME / "quick-seed1/logs/metrics.csv").write_text("step,train/loss\nx,y\n")
    refused(4, "metrics.csv is damaged", "quick-seed1")
    (HOME / "quick-seed2/evaluations.jsonl").write_text("{\n")
    refused(4, "evaluations.jsonl is damaged", "quick-seed2")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    refused(2, "pip install 'xlmc[report]'", "other")


@pytest.mark.browser
def test_the_page_works_in_a_browser(here: Path) -> None:
    """Curves are drawn, nothing is fetched, no script fails, and decoding is stepped through."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    made("quick-seed1", "quick-seed2", "other")
    faults: list[str] = []
    requests: list[str] = []
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "console",
            lambda message: faults.append(message.text) if message.type == "error" else None,
        )
        page.on("request", lambda request: requests.append(request.url))
        page.goto(Path("out/report.html").absolute().as_uri())
        boxes = [
            one.bounding_box()
            for one in page.locator("[id^='curve-loss0'], [id^='curve-nfe0']").all()
        ]
        assert len(boxes) == 7
        assert all(box and box["width"] > 3 and box["height"] > 3 for box in boxes)
        stepper = page.locator(".stepper").first
        states = stepper.locator(".states > li")
        assert states.count() == 6
        assert [states.nth(i).is_visible() for i in range(6)] == [False] * 5 + [True]
        assert "<mask>" not in states.nth(5).inner_text()
        stepper.get_by_role("button", name="◀").click()
        assert states.nth(4).is_visible()
        assert states.nth(4).inner_text().count("<mask>") == 1
        stepper.locator("input").fill("0")
        assert states.nth(0).inner_text().count("<mask>") == 5
        browser.close()
    assert not faults
    assert [url.partition(":")[0] for url in requests] == ["file"]
