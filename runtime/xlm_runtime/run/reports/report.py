"""``xlmc report``: one page on some runs, which opens offline and needs no other files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from xlm_runtime.data.rows import lines
from xlm_runtime.run.folder import answers, histories, local
from xlm_runtime.run.reports import compare, curves, figures
from xlm_runtime.run.reports.changes import Piece, changes
from xlm_runtime.run.reports.compare import Column, Read
from xlm_runtime.run.reports.curves import Curve
from xlm_runtime.run.reports.figures import Panel
from xlm_runtime.run.reports.numbers import numbers
from xlm_runtime.run.reports.table import seen
from xlm_runtime.run.reports.together import cell, names
from xlm_runtime.system.atomic import saving, write_text
from xlm_runtime.system.errors import UsageError
from xlm_runtime.system.outcome import outcome
from xlm_runtime.system.progress import say

_TEMPLATE = Path(__file__).with_name("report.html.j2")
_SAMPLES = 8  # predictions of a column
_PANELS = 6  # metrics that are drawn
_MASK = "<mask>"  # as states are spelt


@frozen
class Word:
    """A part of a state; ``kind`` is new, special or empty."""

    text: str
    kind: str


@frozen
class Decoding:
    """The states of one answer."""

    title: str
    states: Sequence[Sequence[Word]]


def report(paths: Sequence[Path], out: Path) -> int:
    """Write a report of runs and return the exit code of the command."""

    def work() -> None:
        figures.check()
        if out.is_dir():
            raise UsageError(f"--out {out}: it is a folder; name a file: --out report.html")
        with saving(out):
            out.parent.mkdir(parents=True, exist_ok=True)
            write_text(out, page(compare.read_runs(paths, least=1)))
        say(f"written to {out}")

    return outcome(work)


def page(found: Sequence[Read]) -> str:
    """Return the page as HTML."""
    every = compare.grouped(found)
    made = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    rows, heads = compare.number_rows(every)
    return made.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        title=" and ".join(
            dict.fromkeys(f"{o.facts['family']} on {o.facts['task']}" for o in found)
        ),
        columns=[_about(column) for column in every],
        heads=heads,
        rows=rows,
        remarks=[line.strip() for line in (*compare.why(every), *compare.remarks(every))],
        training=_figure(_training(every)),
        quality=_figure(_quality(every)),
        sweeps=[_points(column) for column in every if len(_evaluations(column)) > 1],
        settings=compare.different_settings(every),
        data=compare.different_data(every),
        alike="Settings and data are the same." if len(every) > 1 else "One kind of run alone.",
    )


def _about(column: Column) -> dict[str, Any]:
    """Return what the page shows of one column."""
    one = column.first
    facts: Any = local.plain(one.run.data["facts"] if one.run.steps else {})
    return {
        "letter": column.letter,
        "title": column.title.partition(": ")[2],
        "spec": "\n".join(compare.spec(one.run)),
        "facts": [line.strip() for line in lines({k: v for k, v in facts.items() if k != "cache"})],
        "settings": [(key, value) for key, value in one.settings.items()],
        "samples": _samples(one),
        "decodings": _decodings(one),
        "hashes": one.found.get("of", {}),
        "environment": one.facts.get("environment", {}),
    }


def _figure(panels: Sequence[Panel]) -> Markup | None:
    return Markup(figures.svg(panels)) if panels else None


def _training(every: Sequence[Column]) -> list[Panel]:
    """Return a panel of losses for each package, since those of two do not compare."""
    panels: dict[str, list[tuple[int, Curve]]] = {}
    letters: dict[str, list[str]] = {}
    for at, column in enumerate(every):
        package = column.first.facts["package"]
        letters.setdefault(package, []).append(column.letter)
        for number, one in enumerate(column.runs):
            for kind, curve in curves.losses(one.run).items():
                label = f"{column.letter} {kind}" if number == 0 else ""
                line = Curve(label, curve.x, curve.y, dashed=curve.dashed)
                panels.setdefault(package, []).append((at, line))
    return [
        Panel(f"loss of {', '.join(letters[key])}", "step", "loss", drawn, f"loss{at}")
        for at, (key, drawn) in enumerate(panels.items())
    ]


def _evaluations(column: Column) -> list[list[dict[str, Any]]]:
    return curves.points([one.run for one in column.runs])


def _quality(every: Sequence[Column]) -> list[Panel]:
    """Return a panel for each metric of answers, by calls of the network."""
    panels: dict[str, list[tuple[int, Curve]]] = {}
    colour = 0
    for column in every:
        found = _evaluations(column)
        first = numbers(found[0][0]) if found else {}
        kinds = [name for name, one in first.items() if one.kind == "answers"]
        width = 0
        for name in kinds[:_PANELS]:
            drawn = curves.by_calls(found, name)
            for at, curve in enumerate(drawn):
                label = ", ".join(filter(None, (column.letter, curve.label)))
                line = Curve(label, curve.x, curve.y, curve.errors)
                panels.setdefault(name, []).append((colour + at, line))
            width = max(width, len(drawn))
        colour += width
    return [
        Panel(
            name.replace("_", " "),
            "calls of the network for an answer (nfe)",
            name.replace("_", " "),
            drawn,
            f"nfe{at}",
        )
        for at, (name, drawn) in enumerate(panels.items())
    ]


def _points(column: Column) -> tuple[str, list[str], list[list[str]]]:
    """Return the table of the evaluations of a column: title, heads and rows."""
    found = _evaluations(column)
    keys = curves.varying([group[0] for group in found])
    every = [[numbers(one) for one in group] for group in found]
    kept = names([one for each in every for one in each], decoded=True)
    rows = [
        [curves.option(group[0], keys) or "-", *(cell(name, each) for name in kept)]
        for group, each in zip(found, every, strict=True)
    ]
    title = f"{column.letter}, {len(found)} evaluations on {seen(found[0][0])} test examples"
    return title, ["decoder", *(name.replace("_", " ") for name in kept)], rows


def _files(one: Read) -> list[Path]:
    """Return the predictions of a run's own package, the newest first."""
    return [
        one.run.path / name
        for name, about in answers.newest(one.run.path).items()
        if about.get("of", {}).get("package") == one.facts["package"]
        and (one.run.path / name).is_file()
    ]


def _samples(one: Read) -> list[dict[str, Any]]:
    files = _files(one)
    found = answers.read(one.run.path, files[0])[:_SAMPLES] if files else []
    return [{**sample, **_verdict(sample)} for sample in found]


def _verdict(sample: Mapping[str, Any]) -> dict[str, str]:
    """Return whether an answer is the one of its example, where that has one."""
    target = sample.get("target")
    if target == sample["prediction"]:
        return {"verdict": "right", "mark": "✓"}
    return {"verdict": "wrong", "mark": f"✗ {target}"}


def _decodings(one: Read) -> list[Decoding]:
    """Return the states of a few answers of the newest predictions that have some."""
    for file in _files(one):
        if found := histories.read(file):
            return [
                Decoding(
                    f"answer {each.get('index')}: {each.get('steps')} steps, {each.get('nfe')} "
                    "calls of the network",
                    changed([str(state) for state in each["states"]]),
                )
                for each in found
            ]
    return []


def changed(states: Sequence[str]) -> list[list[Word]]:
    """Split states into words, and mark those that a step has changed."""
    made: list[list[Word]] = []
    before: list[str] | None = None
    for state in states:
        words = state.split()
        pieces = changes(words if before is None else before, words, _MASK)
        made.append([Word(one.id, _kind(one)) for one in pieces if one.kind != "deleted"])
        before = words
    return made


def _kind(piece: Piece[str]) -> str:
    special = piece.id.startswith("<") and piece.id.endswith(">")
    new = piece.kind not in ("kept", "masked")
    return " ".join(kind for kind, true in (("new", new), ("special", special)) if true)
