"""Compares two recordings of `tests/same_record.py`, and prints what differs."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import torch

Table = Mapping[tuple[str, str, str], Any]
KINDS = ("build", "file", "claims", "weights", "batch", "loss", "gradient", "likelihood", "decoder")
LINES = 6  # of differences, a package and kind
ERROR = "error: "
ADDED = ("claims", "batch")  # kinds of which this tree may have more


@dataclass
class Report:
    """Counts of cases by package, kind and outcome: `equal`, `rounded`, `refused`, `differs`.

    refused: both revisions have the same error.
    """

    bound: float
    history: str
    names: set[str]
    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    worst: dict[str, float] = field(default_factory=dict)
    work: dict[str, list[int]] = field(default_factory=dict)
    files: Counter[str] = field(default_factory=Counter)
    added: Counter[str] = field(default_factory=Counter)

    def differs(self, package: str, kind: str, case: str, text: str) -> None:
        """Count a difference, and print it if few of its kind were printed."""
        key = (package, kind, "differs")
        self.counts[key] += 1
        if self.counts[key] <= LINES:
            print(f"{package} {kind} {case}: {text}", flush=True)
        elif self.counts[key] == LINES + 1:
            print(f"{package} {kind}: more differ", flush=True)

    def total(self, outcome: str, kind: str = "", package: str = "") -> int:
        """The number of cases with an outcome, of a kind or package or of all."""
        return sum(
            count
            for (name, what, how), count in self.counts.items()
            if how == outcome and kind in ("", what) and package in ("", name)
        )

    @property
    def failed(self) -> bool:
        """Something differs, or nothing was compared."""
        return bool(self.total("differs")) or not sum(self.counts.values())


def compare(report: Report, base: Mapping[str, Table], here: Mapping[str, Table]) -> None:
    """Compare the tables of all packages."""
    for name in base.keys() & here.keys():
        _package(report, name, base[name], here[name])
    for name in sorted(base.keys() - here.keys() - _known(report)):
        report.differs(name, "build", "", "this tree has no such package")
    for name in sorted(here.keys() - base.keys()):
        print(f"{name}: the base has no such package")


def _known(report: Report) -> set[str]:
    return {name for name, kind, _ in report.counts if kind == "build"}


def _package(report: Report, name: str, base: Table, here: Table) -> None:
    for key in sorted(base.keys() | here.keys()):
        kind, layout, case = key
        place = f"{layout} {case}".strip()
        if kind == "work":
            pair = report.work.setdefault(name, [0, 0])
            pair[0] += base.get(key, 0)
            pair[1] += here.get(key, 0)
        elif key not in base and kind in ADDED:
            report.added[f"{kind} {place}"] += 1
        elif key not in base or key not in here:
            side = "the base" if key not in base else "this tree"
            report.differs(name, kind, place, f"{side} has no such case")
            report.files[case] += kind == "file"
        else:
            _case(report, name, kind, place, base[key], here[key])


def _case(report: Report, name: str, kind: str, place: str, base: Any, here: Any) -> None:
    if report.history == "settled" and kind == "decoder":
        base, here = settled(base), settled(here)
    far = apart(base, here, scale(kind, base))
    report.worst[kind] = max(report.worst.get(kind, 0.0), far)
    if far > report.bound:
        report.files[place] += kind == "file"
        report.differs(name, kind, place, told(kind, base, here, far))
    elif far:
        report.counts[name, kind, "rounded"] += 1
    else:
        failed = kind != "claims" and isinstance(base, str) and base.startswith(ERROR)
        report.counts[name, kind, "refused" if failed else "equal"] += 1


def scale(kind: str, value: Any) -> float:
    """The size to which differences are relative; 0 for that of each value itself."""
    if kind == "loss" and isinstance(value, Mapping):
        return abs(float(value["total"]))
    if kind == "gradient":
        return float(value[:, 1].norm())
    return 0.0


def apart(base: Any, here: Any, size: float = 0.0) -> float:
    """The largest difference of numbers, relative; infinite where anything else differs."""
    if type(base) is not type(here):
        return float("inf")
    if isinstance(base, torch.Tensor):
        return _far(base, here, size)
    if isinstance(base, float):
        return _far(torch.tensor(base), torch.tensor(here), size)
    if isinstance(base, Mapping):
        pairs = [(base[key], here[key]) for key in base] if base.keys() == here.keys() else None
    elif isinstance(base, list | tuple):
        pairs = list(zip(base, here, strict=True)) if len(base) == len(here) else None
    else:
        return 0.0 if base == here else float("inf")
    if pairs is None:
        return float("inf")
    return max((apart(a, b, size) for a, b in pairs), default=0.0)


def _far(base: torch.Tensor, here: torch.Tensor, size: float) -> float:
    if base.shape != here.shape or base.dtype != here.dtype:
        return float("inf")
    unlike = ~((base == here) | ((base != base) & (here != here)))
    if not unlike.any():
        return 0.0
    if not base.is_floating_point():
        return float("inf")
    distance = float((base.double() - here.double())[unlike].abs().max())
    size = size or float(base.double().abs().max())
    far = distance / max(size, 1e-12)
    return far if far == far else float("inf")


def settled(value: Any) -> Any:
    """A sample whose history has no state twice in a row."""
    if not isinstance(value, Mapping):
        return value
    return {**value, "history": [state for state, _ in groupby(value["history"])]}


def told(kind: str, base: Any, here: Any, far: float) -> str:
    """A difference in words."""
    if kind == "file":
        return "other bytes"
    if isinstance(base, Mapping) and isinstance(here, Mapping):
        parts = [str(key) for key in {**base, **here} if apart(base.get(key), here.get(key))]
        words = "" if far == float("inf") else f" by {far:.1e}"
        if kind == "claims":
            base, here = ({key: one.get(key) for key in parts} for one in (base, here))
            words = f"\n    was {_short(base)}\n    and is {_short(here)}"
        return f"{', '.join(parts)} differ{words}"
    if far == float("inf"):
        return f"was {_short(base)}\n    and is {_short(here)}"
    return f"apart by {far:.1e}"


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 300 else f"{text[:300]}..."


def shown(report: Report) -> str:
    """The report as two tables, and a line of totals."""
    return "\n".join([*_by_package(report), "", *_by_kind(report), _last(report)])


def _by_package(report: Report) -> Iterator[str]:
    yield f"{'package':14}{'cases':>7}{'equal':>7}{'rounded':>9}{'refused':>9}{'differ':>8}  tokens"
    for name in sorted({package for package, _, _ in report.counts}):
        work = report.work.get(name, [0, 0])
        counts = [report.total(how, package=name) for how in OUTCOMES]
        tokens = f"  {work[0]} -> {work[1]}" if any(work) else ""
        yield f"{name:14}{sum(counts):7}{_row(counts)}{tokens}"


OUTCOMES = ("equal", "rounded", "refused", "differs")


def _row(counts: list[int]) -> str:
    return f"{counts[0]:7}{counts[1]:9}{counts[2]:9}{counts[3]:8}"


def _by_kind(report: Report) -> Iterator[str]:
    yield f"{'kind':14}{'cases':>7}{'equal':>7}{'rounded':>9}{'refused':>9}{'differ':>8}  at most"
    for kind in KINDS:
        counts = [report.total(how, kind) for how in OUTCOMES]
        if any(counts):
            worst = report.worst.get(kind, 0.0)
            yield f"{kind:14}{sum(counts):7}{_row(counts)}  {worst:.1e}"
    for name, count in sorted(report.added.items()):
        yield f"{name} is new in {count} packages"
    for name, count in sorted(report.files.items()):
        if count:
            yield f"file {name} differs in {count} packages"


def _last(report: Report) -> str:
    counts = {how: report.total(how) for how in OUTCOMES}
    total = sum(counts.values())
    same = counts["equal"] + counts["rounded"] + counts["refused"]
    kinds = [f"{kind} {n}" for kind in KINDS if (n := report.total("differs", kind))]
    of = f" ({', '.join(kinds)})" if kinds else ""
    return f"{total} cases compared, {same} equal, {counts['differs']} differ{of}"
