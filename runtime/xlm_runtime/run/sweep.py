"""A sweep: one checkpoint evaluated under several settings of decoding and evaluation.

Each point is an evaluation like any other, kept in ``evaluations.jsonl``; one that is there with
the same hashes of package, weights, data and settings is not done again, and a likelihood is
computed once for all points that differ in the decoder alone.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve

from xlm_runtime.config.config import Config
from xlm_runtime.config.lists import Point, path_of
from xlm_runtime.model.model import Model
from xlm_runtime.run.jobs.evaluation import LOSSES, measure, remember
from xlm_runtime.run.jobs.session import Session
from xlm_runtime.run.reports import measured
from xlm_runtime.run.reports.columns import columns
from xlm_runtime.run.reports.numbers import numbers
from xlm_runtime.run.reports.table import likelihoods, seen
from xlm_runtime.run.reports.together import cell, names
from xlm_runtime.system.atomic import saving
from xlm_runtime.system.progress import say


def sweep(
    session: Session, points: Sequence[Point], configs: Sequence[Config]
) -> list[dict[str, Any]]:
    """Evaluate the checkpoint under each configuration, print a table and return the evaluations.

    ``points`` are the options of the configurations, which the table shows.
    """
    folder, _ = session.key(("eval",))
    known, found = list(measured.every(session.run)), []
    model: Model | None = None
    for number, (point, config) in enumerate(zip(points, configs, strict=True), 1):
        one = evolve(session, config=config)
        sources = one.sources(folder)
        done = next((each for each in known if each.get("of") == sources["of"]), None)
        if done is None:
            say(f"point {number} of {len(points)}: {', '.join(point)}")
            model = model or session.loaded(folder)
            done = _point(one, one.decoding(model), folder, known)
            known.insert(0, done)
        found.append(done)
    for line in table(points, found):
        say(line)
    return found


def _point(
    session: Session, model: Model, folder: Path, known: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Evaluate one point and keep the result."""
    sources = session.sources(folder)
    like = next((one for one in known if _same_likelihood(one, sources)), {})
    losses = {name: like[name] for name in LOSSES if name in like} if like else None
    found = {"checkpoint": folder.name, **measure(session, model, losses), **sources}
    with saving(session.run.path):
        remember(session, found)
    return found


def _same_likelihood(found: Mapping[str, Any], sources: Mapping[str, Any]) -> bool:
    """Return whether an evaluation differs from sources in the decoder at most."""
    apart = [
        (
            {k: v for k, v in one.get("of", {}).items() if k not in ("settings", "metrics")},
            {k: v for k, v in one.get("settings", {}).items() if k != "decoder"},
        )
        for one in (found, sources)
    ]
    return apart[0] == apart[1]


def table(points: Sequence[Point], found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a row for each point: its options, the numbers of its answers, and their costs."""
    paths = [path_of(option) for option in points[0]]
    every = [numbers(one) for one in found]
    kept = names(every, decoded=True)
    head = [*paths, *(name.replace("_", " ") for name in kept)]
    rows = [
        [*(option.partition("=")[2] for option in point), *(cell(name, [one]) for name in kept)]
        for point, one in zip(points, every, strict=True)
    ]
    first = found[0]
    lines = [f"sweep of {first['checkpoint']} on {seen(first)} test examples: {len(points)} points"]
    if len({str(one.get("likelihood")) for one in found}) == 1:
        lines += likelihoods(first)
    return [*lines, *columns(head, rows)]
