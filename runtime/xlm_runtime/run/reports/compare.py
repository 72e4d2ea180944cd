"""``xlmc compare``: the differences between runs, and their numbers side by side.

Runs that differ in the seed alone are one column, with mean and standard deviation.
"""

import json
from collections.abc import Mapping, Sequence
from difflib import unified_diff
from math import hypot, sqrt
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from attrs import frozen

from xlm_runtime.run.folder.runs import Run, open_run
from xlm_runtime.run.reports.columns import columns
from xlm_runtime.run.reports.comparable import Reason, Side, reasons
from xlm_runtime.run.reports.current import current, settings
from xlm_runtime.run.reports.numbers import Number, numbers, shown, with_joint
from xlm_runtime.run.reports.together import cell, names, pooled
from xlm_runtime.system.errors import UsageError
from xlm_runtime.system.outcome import outcome
from xlm_runtime.system.progress import say

_SEED = "train.seed"
_DIGITS = 12  # of a hash
_QUIET = ("eval.batch", "generate.batch", "train.workers", "train.log_every")  # change no result


@frozen(eq=False)
class Read:
    """A run with the evaluation that counts for it."""

    run: Run
    facts: Mapping[str, Any]
    settings: Mapping[str, Any]
    found: Mapping[str, Any]
    remarks: Sequence[str]

    @property
    def seed(self) -> object:
        """The seed of its training."""
        return self.settings[_SEED]

    @property
    def numbers(self) -> dict[str, Number]:
        """The numbers of its evaluation, joint ones included."""
        return with_joint(numbers(self.found)) if self.found else {}


@frozen
class Column:
    """Runs that differ in the seed alone, under a letter."""

    letter: str
    runs: Sequence[Read]

    @property
    def first(self) -> Read:
        """The run for all that they share."""
        return self.runs[0]

    @property
    def title(self) -> str:
        """The runs and their seeds, in one line."""
        if len(self.runs) == 1:
            return f"{self.letter}: {self.first.run.path}"
        seeds = ", ".join(str(one.seed) for one in self.runs)
        paths = f"{self.first.run.path} and {len(self.runs) - 1} more"
        return f"{self.letter}: {paths}, seeds {seeds}"


def compare(paths: Sequence[Path]) -> int:
    """Print the comparison of runs and return the exit code of the command."""

    def work() -> None:
        for line in comparison(read_runs(paths)):
            say(line)

    return outcome(work)


def read_runs(paths: Sequence[Path], least: int = 2) -> list[Read]:
    """Read runs.  Raises UsageError for a folder without a run, or too few runs."""
    distinct: dict[Path, Path] = {}
    for path in paths:
        distinct.setdefault(path.resolve(), path)
    found = [_read(open_run(path)) for path in distinct.values()]
    if len(found) < least:
        raise UsageError("name two runs or more: xlmc runs lists them")
    return found


def _read(run: Run) -> Read:
    found, remarks = current(run)
    return Read(run, run.facts, settings(run, found), found, remarks)


def grouped(found: Sequence[Read]) -> list[Column]:
    """Group runs that differ in the seed alone, in the order in which they come.

    A run of the same seed as another, a copy or one of another machine, has a column of its own.
    """
    groups: dict[tuple[str, int], list[Read]] = {}
    for one in found:
        shared = _identity(one)
        copy = sum(shared == _identity(o) and o.seed == one.seed for o in found[: found.index(one)])
        groups.setdefault((shared, copy), []).append(one)
    return [Column(_letter(at), each) for at, each in enumerate(groups.values())]


def _identity(one: Read) -> str:
    """Return all that the runs of a column share, as a text."""
    fixed = {key: value for key, value in one.settings.items() if key not in (_SEED, *_QUIET)}
    facts = [
        one.facts.get(key) for key in ("family", "task", "package", "content", "tokenizer", "init")
    ]
    seen = [one.found.get(key) for key in ("examples", "loss_count")]
    return json.dumps([fixed, facts, seen, one.found.get("of", {}).get("data")], sort_keys=True)


def _letter(at: int) -> str:
    return ascii_uppercase[at] if at < len(ascii_uppercase) else f"R{at + 1}"


def comparison(found: Sequence[Read]) -> list[str]:
    """Return the lines of a comparison: runs, spec, settings, data, numbers, and remarks."""
    every = grouped(found)
    lines = [column.title for column in every]
    for title, rows in (("settings", different_settings(every)), ("data", different_data(every))):
        head = [title, *(column.letter for column in every)]
        lines += ["", *(columns(head, rows) if rows else [f"  {title}: the same"])]
    for column in every[1:]:
        lines += ["", *spec_lines(every[0], column)]
    return [*lines, "", *number_lines(every), *remarks(every)]


def spec_lines(one: Column, other: Column) -> list[str]:
    """Return the difference of two specs as a text, or a line if there is none."""
    texts = [spec(column.first.run) for column in (one, other)]
    if diff := list(unified_diff(texts[0], texts[1], one.letter, other.letter, lineterm="", n=2)):
        return [f"  spec, {one.letter} -> {other.letter}:", *(f"    {line}" for line in diff)]
    if one.first.facts["package"] == other.first.facts["package"]:
        return [f"  spec, {one.letter} -> {other.letter}: the same"]
    return [
        f"  spec, {one.letter} -> {other.letter}: the same, but the packages differ: another "
        "version compiled one of them, or it was edited"
    ]


def spec(run: Run) -> list[str]:
    """Return the lines of the spec of a run, then those of its parents."""
    family = run.facts["family"]
    files = sorted(run.package.glob("*.xlm"), key=lambda file: (file.stem != family, file.name))
    return [line for file in files for line in file.read_text("utf-8", "replace").splitlines()]


def different_settings(every: Sequence[Column]) -> list[list[str]]:
    """Return a row for each setting that is not the same in all columns."""
    keys = dict.fromkeys(key for column in every for key in column.first.settings)
    rows = []
    for key in keys:
        alone = key != _SEED or all(len(column.runs) == 1 for column in every)
        values = [column.first.settings.get(key, "-") for column in every]
        if alone and any(value != values[0] for value in values):
            rows.append([key, *(_said(value) for value in values)])
    return rows


def _said(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if value in ("", True, False) else str(value)


def different_data(every: Sequence[Column]) -> list[list[str]]:
    """Return a row for each fact about the data that is not the same in all columns."""
    rows = []
    for key in ("task", "preset", "data"):
        values = [str(column.first.facts.get(key) or "-") for column in every]
        rows += [[key, *values]] if len(set(values)) > 1 else []
    if len({column.first.facts.get("content") for column in every}) > 1:
        rows += _prints(every)
    return rows


def _prints(every: Sequence[Column]) -> list[list[str]]:
    """Return a row for each hash of a split that is not the same in all columns."""
    prints = [column.first.found.get("splits", {}) for column in every]
    rows = []
    for split in ("train", "validation", "test"):
        for kind in ("texts", "tokens"):
            values = [str(one.get(split, {}).get(kind, "unknown"))[:_DIGITS] for one in prints]
            rows += [[f"{split} {kind}, hash", *values]] if len(set(values)) > 1 else []
    return rows


def number_lines(every: Sequence[Column]) -> list[str]:
    """Return the table of numbers, and the reasons why some do not compare."""
    if not any(column.first.found for column in every):
        return ["  numbers: no run was evaluated"]
    rows, heads = number_rows(every)
    return [*columns(heads, rows), *why(every)]


def number_rows(every: Sequence[Column]) -> tuple[list[list[str]], list[str]]:
    """Return a row for each number with a cell for each column, and the heads.

    Of two columns there is the difference; a star marks what does not compare with the first.
    """
    found = [[one.numbers for one in column.runs] for column in every]
    apart_from = [why_not(every[0], column) for column in every]
    rows = []
    for name in names([one for each in found for one in each]):
        kind = next(one[name].kind for each in found for one in each if name in one)
        if kind == "joint" and not any(
            "joint" in one.first.found.get("likelihood", {}) for one in every
        ):
            continue  # they are those of the likelihood
        apart = [any(reason.concerns(name, kind) for reason in reasons) for reasons in apart_from]
        cells = [cell(name, each) + " *" * odd for each, odd in zip(found, apart, strict=True)]
        if len(every) == 2:
            cells.append("" if apart[1] else _difference(name, found))
        rows.append([name.replace("_", " "), *cells])
    heads = ["numbers", *(column.letter for column in every)]
    return rows, heads + (["B - A"] if len(every) == 2 else [])


def _difference(name: str, found: Sequence[Sequence[Mapping[str, Number]]]) -> str:
    """Format the difference of two columns with its standard error, as of independent numbers."""
    values, errors = [], []
    for each in found:
        if not all(name in one for one in each):
            return ""
        whole = pooled([one[name].value for one in each])
        if len(each) == 1:
            errors.append(each[0][name].error)
        else:
            errors.append(None if whole.sd is None else whole.sd / sqrt(whole.runs))
        values.append(whole.mean)
    if values[0] is None or values[1] is None:
        return ""
    known = [error for error in errors if error is not None]
    return shown(values[1] - values[0], hypot(*known) if len(known) == 2 else None)


def why_not(one: Column, other: Column) -> list[Reason]:
    """Return the reasons why numbers of two columns do not compare."""
    sides = [Side(column.first.facts, column.first.found) for column in (one, other)]
    if one is other or not all(side.found for side in sides):
        return []
    return reasons(*sides)


def why(every: Sequence[Column]) -> list[str]:
    """Return a line for each reason why numbers do not compare with those of the first column."""
    lines = []
    shown_names = {name for column in every for name in column.first.numbers}
    for column in every[1:]:
        for reason in why_not(every[0], column):
            if reason.names and not shown_names.intersection(reason.names):
                continue
            what = reason.names or reason.kinds
            lines.append(
                f"  * {every[0].letter} and {column.letter}, {', '.join(what).replace('_', ' ')}: "
                f"{reason.text}"
            )
    return lines


def remarks(every: Sequence[Column]) -> list[str]:
    """Return the remarks on runs, and on the errors that are shown."""
    lines = [
        f"  {one.run.path}: {remark}"
        for column in every
        for one in column.runs
        for remark in one.remarks
    ]
    bounds = [
        column.letter
        for column in every
        if column.first.found.get("claim", {}).get("value") == "bound"
    ]
    if bounds:
        lines.append(
            f"  likelihoods of {', '.join(bounds)} are bounds: the true numbers are not larger; "
            "of two bounds the smaller need not have the smaller true number"
        )
    if any(len(column.runs) > 1 for column in every):
        lines.append("  sd: the standard deviation over seeds (n - 1)")
        lines.append("  ±, of a difference of means over seeds: the standard error of these means")
    return [
        *lines,
        "  ±: the standard error over test examples; of a difference, as of independent numbers",
    ]
