"""``xlmc runs``: the runs below a folder, filtered and sorted."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from attrs import field, frozen

from xlm_runtime.config.settings import parse_sets
from xlm_runtime.run.folder.runs import Run, below
from xlm_runtime.run.reports.columns import columns
from xlm_runtime.run.reports.current import current, settings
from xlm_runtime.run.reports.numbers import Number, numbers, shown
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.system.outcome import outcome
from xlm_runtime.system.progress import say
from xlm_runtime.train.saved import INDEX

_FACTS = ("family", "task", "preset", "data")
_LIKELIHOODS = ("joint_perplexity", "perplexity")
_WIDE = 60  # characters of the settings of a run


@frozen
class Entry:
    """A run as it is listed.  ``damaged`` is the reason why it cannot be read, or empty."""

    path: Path
    facts: Mapping[str, Any] = field(factory=dict)
    settings: Mapping[str, Any] = field(factory=dict)
    numbers: Mapping[str, Number] = field(factory=dict)
    remarks: Sequence[str] = ()
    steps: str = ""
    touched: float = 0.0
    damaged: str = ""

    def value(self, key: str) -> object:
        """Return a fact, a setting or the value of a number; None if there is none."""
        if key in self.numbers:
            return self.numbers[key].value
        return self.facts.get(key, self.settings.get(key))


def list_runs(
    folder: Path, family: str | None, task: str | None, where: Sequence[str], sort: str | None
) -> int:
    """Print the runs below a folder and return the exit code of the command."""

    def work() -> None:
        if not folder.is_dir():
            raise UsageError(f"{folder}: there is no such folder; runs are made by xlmc run")
        found = [entry(path) for path in sorted(_paths(folder))]
        chosen = _filtered(found, family, task, where)
        for line in lines(_sorted(chosen, sort), sort):
            say(line)
        if not found:
            say(f"there is no run in {folder}")
        elif not chosen:
            say(f"none of the {len(found)} runs in {folder} is such a run")

    return outcome(work)


def _paths(folder: Path) -> set[Path]:
    """Return the folders of runs at or below a folder, those that lost a file included."""
    marks = ("run.json", "config.json", f"checkpoints/{INDEX}")
    found = {
        file.parents[mark.count("/")] for mark in marks for file in below(folder, f"**/{mark}")
    }
    return {path for path in found if not found.intersection(path.parents)}


def entry(path: Path) -> Entry:
    """Read a run for the list; one that cannot be read has the reason."""
    run = Run(path)
    try:
        facts = run.facts
        if not facts:
            return Entry(path, damaged="it has no run.json")
        config, steps = run.config, run.steps
        found, remarks = current(run)
        return Entry(
            path,
            facts=facts,
            settings=settings(run, found),
            numbers=numbers(found) if found else {},
            remarks=remarks,
            steps=f"{steps}/{config.train.steps}",
            touched=run.touched,
        )
    except (RunError, OSError) as error:
        return Entry(path, damaged=" ".join(str(error).split()))


def _filtered(
    found: Sequence[Entry], family: str | None, task: str | None, where: Sequence[str]
) -> list[Entry]:
    """Select entries by the filters; damaged ones stay if there is no filter."""
    wanted = [(one.path, one.value) for one in parse_sets(where)]
    wanted += [(key, value) for key, value in (("family", family), ("task", task)) if value]
    _check_keys([key for key, _ in wanted], found, "--where")
    return [one for one in found if all(one.value(key) == value for key, value in wanted)]


def _sorted(found: Sequence[Entry], sort: str | None) -> list[Entry]:
    """Sort entries by a number or a setting, the smallest first; ``-NAME``: the largest first.

    Without a name, the newest come first. Entries without the number come last.
    """
    if sort is None:
        return sorted(found, key=lambda one: one.touched, reverse=True)
    key, down = sort.removeprefix("-"), sort.startswith("-")
    _check_keys([key], found, "--sort")
    having = [one for one in found if isinstance(one.value(key), int | float)]
    texts = [one for one in found if isinstance(one.value(key), str)]
    having.sort(key=lambda one: float(str(one.value(key))), reverse=down)
    texts.sort(key=lambda one: str(one.value(key)), reverse=down)
    return [*having, *texts, *(one for one in found if one not in having and one not in texts)]


def _check_keys(keys: Sequence[str], found: Sequence[Entry], option: str) -> None:
    """Check that some run has each key.  Raises UsageError with the nearest one."""
    known = {key for one in found for key in (*one.numbers, *_FACTS, *one.settings)}
    for key in keys if found else ():
        if key not in known:
            near = get_close_matches(key, known, n=1) or [
                one for one in sorted(known) if one.endswith(f".{key}")
            ]
            hint = f"; did you mean '{near[0]}'?" if near else f": {', '.join(sorted(known))}"
            raise UsageError(f"{option} {key}: no run has a number or setting of this name{hint}")


def lines(found: Sequence[Entry], sort: str | None = None) -> list[str]:
    """Return a line for each run, and one for each remark."""
    special = _special(found)
    key = (sort or "").removeprefix("-")
    extra = [key] if any(key in one.numbers for one in found) else []
    head = ["run", "steps", *extra, "answers", "likelihood", "settings"]
    rows, remarks = [], []
    for one in found:
        if one.damaged:
            remarks.append(f"damaged: {one.path}: {one.damaged}")
            continue
        mark = "*" if one.remarks else ""
        rows.append(
            [
                f"{one.path}{mark}",
                one.steps,
                *(str(one.numbers[name]) if name in one.numbers else "-" for name in extra),
                *_main(one),
                special[one.path],
            ]
        )
        remarks += [f"* {one.path}: {remark}" for remark in one.remarks]
    return [*(columns(head, rows) if rows else []), *remarks]


def _main(one: Entry) -> tuple[str, str]:
    """Return the first number of answers and the perplexity that compares, with their names."""
    first = next((n for n in one.numbers.values() if n.kind == "answers"), None)
    likely = next((one.numbers[n] for n in _LIKELIHOODS if n in one.numbers), None)
    return _titled(first), _titled(likely)


def _titled(number: Number | None) -> str:
    return "-" if number is None else f"{number.title} {shown(number.value, number.error)}"


def _special(found: Sequence[Entry]) -> dict[Path, str]:
    """Return the settings in which each run differs from others of its family and task."""
    made = {}
    for one in found:
        pair = (one.facts.get("family"), one.facts.get("task"))
        others = [
            o for o in found if (o.facts.get("family"), o.facts.get("task")) == pair and o.settings
        ]
        text = ", ".join(_differing(one, others))
        made[one.path] = text if len(text) <= _WIDE else f"{text[:_WIDE]}..."
    return made


def _differing(one: Entry, others: Sequence[Entry]) -> Iterator[str]:
    for key, value in one.settings.items():
        if any(other.settings.get(key) != value for other in others):
            yield f"{key}={value}"
