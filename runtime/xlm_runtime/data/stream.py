"""Rows that are read as they are needed, in an order that can be taken up anywhere.

They are read by `datasets`, whose own shuffle buffer loses its rows where a run resumes; so rows
are shuffled in windows: each so many consecutive rows, by a permutation that seed, epoch and place
decide. Where a window begins there is a mark, from which reading can be taken up.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from xlm_runtime.data import hub
from xlm_runtime.data.commits import Repo
from xlm_runtime.data.lanes import State
from xlm_runtime.data.rows import fault, plain
from xlm_runtime.system.errors import RunError, UsageError

KINDS = {
    ".jsonl": "json",
    ".ndjson": "json",
    ".parquet": "parquet",
    ".txt": "text",
    ".text": "text",
    "": "text",
}


@dataclass(frozen=True)
class Mark:
    """The begin of a window: rows of the epoch before it, examples before it, and how to go on.

    state: that of the reader of rows. lanes: that of `Lanes`, where rows are packed.
    """

    epoch: int = 0
    place: int = 0
    read: int = 0
    state: Mapping[str, Any] = field(default_factory=dict)
    lanes: State = ()


class Rows(Protocol):
    """Rows that have a text, in their order; as a string, their title in messages."""

    def open(self) -> tuple[Any, str]:
        """Return an `IterableDataset` of all rows, and the column of the texts."""


@dataclass(frozen=True)
class FileRows:
    """The rows of a column of some files of one kind."""

    files: tuple[Path, ...]
    column: str

    def __str__(self) -> str:
        return ", ".join(map(str, self.files))

    def open(self) -> tuple[Any, str]:
        """Open the files.  Raises UsageError for files of several kinds."""
        from datasets import load_dataset

        kind, names = kind_of(self.files), [str(file) for file in self.files]
        return load_dataset(kind, data_files=names, split="train", streaming=True), self.column


@dataclass(frozen=True)
class HubRows:
    """The rows for training of a data set on the Hub, or of a folder in its form.

    files: a pattern of their Parquet files. columns: of which the first that there is has the
    texts. most: how many rows are read; None for all. last: how many at the end are not. instead:
    the remedy in messages.
    """

    repo: Repo
    files: str
    columns: tuple[str, ...]
    instead: str
    most: int | None = None
    last: int = 0

    def __str__(self) -> str:
        return f"the data set {self.repo.name}"

    def open(self) -> tuple[Any, str]:
        """Open the data set at its commit.  Raises RunError."""
        name, at, most = self.repo.name, self.repo.at, self.most
        data = hub.dataset(name, {"train": self.files}, at, self.instead, streaming=True)["train"]
        column = hub.first(data, self.columns, name, self.instead)
        if self.last:
            most = sum(hub.counts(name, self.files, at, self.instead).values()) - self.last
        return (data if most is None else data.take(most)), column


@dataclass(frozen=True)
class Texts:
    """The texts of rows, again and again.

    take: returns the text that is trained on for one that was read; None if there is none.
    """

    rows: Rows
    window: int
    take: Callable[[str], str | None]

    def windows(self, seed: int, mark: Mark) -> Iterator[tuple[Mark, list[tuple[int, str]]]]:
        """Yield windows from a mark on: the mark of each, and its texts in their shuffled order.

        A text comes with its number in the epoch. Rows without a text are left out. Raises RunError
        if there is none at all, or if a row cannot be read.
        """
        data, texts = self._opened(mark)
        while True:
            state = data.state_dict()
            mark = Mark(mark.epoch, mark.place, mark.read, state)
            rows = list(islice(texts, self.window))
            if rows:
                order = np.random.default_rng([seed, mark.epoch, mark.place])
                yield mark, [(mark.place + i, rows[i]) for i in order.permutation(len(rows))]
                mark = Mark(mark.epoch, mark.place + len(rows), mark.read + len(rows))
                continue
            if not mark.place:
                raise RunError(f"{self.rows}: no row has a text")
            mark = Mark(mark.epoch + 1, 0, mark.read)
            data, texts = self._opened(mark)

    def _opened(self, mark: Mark) -> tuple[Any, Iterator[str]]:
        """Open the rows where a mark is; return them and their texts."""
        logging.getLogger("datasets").setLevel(logging.CRITICAL)  # errors are reported below
        data, column = self.rows.open()
        if mark.state:
            data.load_state_dict(dict(mark.state))
        return data, self._texts(data, column)

    def _texts(self, data: Any, column: str) -> Iterator[str]:
        """Yield the texts; `iter`, since in a worker its plain iteration reads some files alone."""
        unreadable: tuple[type[Exception], ...] = (*hub.failures(), ValueError)
        try:
            for row in data.iter(batch_size=1):
                (value,) = row.get(column, (None,))
                text = plain(value)
                if fault(text) is None and (taken := self.take(str(text))) is not None:
                    yield taken
        except unreadable as error:
            raise RunError(f"{self.rows}: a row cannot be read: {error}") from error


def kind_of(files: Sequence[Path]) -> str:
    """Return what `datasets` calls the format of files.  Raises UsageError for several or none."""
    suffixes = {[*(s.lower() for s in f.suffixes if s.lower() != ".gz"), ""][0] for f in files}
    kinds = {KINDS.get(suffix) for suffix in suffixes}
    if len(kinds) == 1 and None not in kinds:
        return str(kinds.pop())
    named = ", ".join(sorted(suffix or "none" for suffix in suffixes))
    raise UsageError(
        f"data.stream: files for training of one kind are streamed, .jsonl, .parquet or .txt (text "
        f"also with .gz), and here are suffixes {named}"
    )
