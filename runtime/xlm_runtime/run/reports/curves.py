"""Curves of runs: losses by training step, and quality by calls of the network."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from xlm_runtime.run.folder.runs import Run
from xlm_runtime.run.reports import measured
from xlm_runtime.run.reports.current import evaluations
from xlm_runtime.run.reports.numbers import Number, numbers
from xlm_runtime.run.reports.together import pooled
from xlm_runtime.system.reader import damaged, read_table


@frozen
class Curve:
    """Points of one line.  ``errors`` are standard errors, or deviations over seeds, if known."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    errors: Sequence[float | None] = ()
    dashed: bool = False


def losses(run: Run) -> dict[str, Curve]:
    """Return the losses of training and validation by step; empty without a log.

    Raises RunError for a damaged one.
    """
    file = run.path / "logs/metrics.csv"
    if not file.is_file():
        return {}
    head, *rows = read_table(file) or [[]]
    found = {}
    for kind in ("train", "validation"):
        if {"step", f"{kind}/loss"} <= {*head}:
            places = head.index("step"), head.index(f"{kind}/loss")
            pairs = [[row[at] for at in places] for row in rows if len(row) == len(head)]
            try:
                points = [(float(step), float(loss)) for step, loss in pairs if loss]
            except ValueError as error:
                raise damaged(file, f"a row has no number: {error}") from error
            if points:
                x, y = zip(*sorted(points), strict=True)
                found[kind] = Curve(kind, x, y, dashed=kind == "validation")
    return found


def points(runs: Sequence[Run]) -> list[list[dict[str, Any]]]:
    """Return the evaluations of some runs that compare with each other, by their settings.

    Each entry has an evaluation of each run, under equal settings of decoder and evaluation; the
    runs are those of several seeds. All are on the same examples: those of the most evaluations.
    """
    every = [_known(run) for run in runs]
    shared = [key for key in every[0] if all(key in one for one in every)]
    sizes = Counter(_examples(every[0][key]) for key in shared)
    chosen = max(sizes, key=lambda one: (sizes[one], one[0]), default=None)
    return [[one[key] for one in every] for key in shared if _examples(every[0][key]) == chosen]


def _examples(found: Mapping[str, Any]) -> tuple[int, str]:
    """Return the number of examples of an evaluation, and the hash of its data."""
    return found["examples"], str(found["of"].get("data"))


def _known(run: Run) -> dict[str, dict[str, Any]]:
    """Return the evaluations of a run by a digest of settings and data, the first the oldest."""
    found: dict[str, dict[str, Any]] = {}
    for one in reversed(evaluations(run, list(measured.every(run)))):
        settings = {k: v for k, v in one.get("settings", {}).items() if k != "train"}
        found[measured.digest([settings, one["of"].get("data")])] = one
    return found


def varying(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """List the settings that differ among evaluations: ``decoder``, its params, ``eval.*``."""
    flat = [_flat(one) for one in found]
    keys = dict.fromkeys(key for one in flat for key in one)
    return [key for key in keys if len({str(one[key]) for one in flat if key in one}) > 1]


def _flat(found: Mapping[str, Any]) -> dict[str, Any]:
    rest = found.get("settings", {}).get("eval", {})
    others = {f"eval.{key}": value for key, value in rest.items() if key != "batch"}
    return {"decoder": found.get("decoder", ""), **found.get("decoder_params", {}), **others}


def option(found: Mapping[str, Any], keys: Sequence[str]) -> str:
    """Describe the params of an evaluation: ``steps=8, temperature=0.7``."""
    flat = _flat(found)
    return ", ".join(f"{key}={flat[key]}" for key in keys if key in flat)


def by_calls(every: Sequence[Sequence[Mapping[str, Any]]], name: str) -> list[Curve]:
    """Return lines of a number by calls of the network.

    A line joins the points that differ only in the param that changes the calls the most often.
    """
    keys = varying([one[0] for one in every])
    changes = {key: _changes(every, keys, key) for key in keys}
    along = max((key for key in keys if changes[key]), key=lambda key: changes[key], default="")
    others = [key for key in keys if key != along]
    lines: dict[str, list[tuple[float, float, float | None]]] = {}
    for group in every:
        found = [numbers(one) for one in group]
        if not all(name in one and "nfe" in one for one in found):
            continue
        calls, quality = (pooled([one[key].value for one in found]) for key in ("nfe", name))
        if calls.mean is not None and quality.mean is not None:
            error = quality.sd if len(found) > 1 else found[0][name].error
            point = (calls.mean, quality.mean, error)
            lines.setdefault(option(group[0], others), []).append(point)
    made = []
    for label, line in lines.items():
        x, y, errors = zip(*sorted(line, key=lambda point: point[0]), strict=True)
        made.append(Curve(label, x, y, errors))
    return made


def _changes(every: Sequence[Sequence[Mapping[str, Any]]], keys: Sequence[str], key: str) -> int:
    """Count the numbers of calls among points that differ in one param alone."""
    calls: dict[str, set[float | None]] = {}
    for group in every:
        others = option(group[0], [one for one in keys if one != key])
        nfe: Number | None = numbers(group[0]).get("nfe")
        calls.setdefault(others, set()).add(nfe.value if nfe else None)
    return sum(len(values) - 1 for values in calls.values())
