"""Problems from tables: one's own or published ones, a row each, of which a task makes problems."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

from xlm_runtime.data.rows import Dropped, plain
from xlm_runtime.data.store import Writer
from xlm_runtime.system.errors import RunError
from xlm_runtime.system.progress import Watch
from xlm_runtime.tasks.base.counted import more
from xlm_runtime.tasks.base.prepared import DataOptions
from xlm_runtime.tasks.base.problem import Problem, blocks
from xlm_runtime.tasks.base.published import hub_rows
from xlm_runtime.tasks.base.sources import Source, user_rows
from xlm_runtime.tasks.base.splits import SPLITS, Name

VERSION = 3  # of how tables are read
_INSTEAD = (
    "read problems of your own with --data FILE (CSV, JSON lines or Parquet with columns {}), or "
    "make them with {}"
)
_BATCH = 1000
Read = Callable[..., Problem | str]


def own(options: DataOptions, columns: Sequence[str]) -> Source:
    """Return the table of ``--data``."""
    assert options.data is not None
    return user_rows(options.data, columns, options.columns, listed)


def published(
    repo: str,
    files: Mapping[str, str],
    columns: Sequence[str],
    size: int,
    made: str = "--set data.made=true, or --preset quick",
    **more: Any,
) -> Source:
    """Return a table on the Hub; see `hub_rows`.  ``made``: settings that make problems instead."""
    instead = _INSTEAD.format(", ".join(columns), made)
    return hub_rows(repo, files, columns, size, instead, as_text=listed, **more)


def listed(value: object) -> object:
    """Convert whole numbers and nested lists of them to texts with blanks; keep other values."""
    if not isinstance(value, list):
        return plain(value)
    parts, waiting = list[str](), value[::-1]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part[::-1]
        elif isinstance(text := plain(part), str):
            parts.append(text)
        else:
            return value
    return " ".join(parts)


def numbers(text: str) -> list[int] | None:
    """Parse whole numbers separated by blanks, commas and brackets; return None for other texts."""
    if not re.fullmatch(r"[\d\s,\[\]()]*", text, re.ASCII):
        return None
    return [int(digits) for digits in re.findall(r"\d{1,9}", text)]


def written(source: Source, folder: Path, vocab: int, read: Read) -> dict[str, Any]:
    """Write the problems of a table and return the facts.  Raises RunError for empty splits.

    ``read`` makes a problem of the texts of a row, or returns a fault.
    """
    dropped, done = Dropped(), 0
    rows = source.rows(dropped)
    with ExitStack() as stack:
        writers = {s: stack.enter_context(Writer(folder / s, vocab)) for s in SPLITS}
        watch = stack.enter_context(Watch("reading problems", source.size))
        while part := list(islice(rows, _BATCH)):
            good: dict[Name, list[Problem]] = {split: [] for split in SPLITS}
            for split, place, texts in part:
                found = read(*(text.strip() for text in texts))
                if isinstance(found, str):
                    dropped.note(f"{found} in {split}", place)
                else:
                    good[split].append(found)
                done += sum(map(len, texts))
            for split, problems in good.items():
                writers[split].add(**blocks(problems))
            watch.at(done)
    sizes = {split: writer.rows for split, writer in writers.items()}
    if empty := [split for split, size in sizes.items() if not size]:
        kept = sum(sizes.values())
        raise RunError(
            f"{source.title}: no problem is left for {', '.join(empty)} (rows kept: {kept}; "
            f"dropped: {dropped.said}){more(kept)}"
        )
    return {"sizes": sizes, "dropped": dropped.facts()}
