"""Rows of files that are read as they are needed, in an order that can be taken up anywhere.

They are read by `datasets`, whose own shuffle buffer loses its rows where a run resumes; so rows
are shuffled in windows: each so many consecutive rows, by a permutation that seed, epoch and place
decide. Where a window begins there is a mark, from which reading can be taken up.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

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
    """The begin of a window: rows of the epoch before it, rows read in all, and how to go on."""

    epoch: int = 0
    place: int = 0
    read: int = 0
    state: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Texts:
    """The texts of a column of some files, again and again."""

    files: tuple[Path, ...]
    column: str
    window: int

    def windows(self, seed: int, mark: Mark) -> Iterator[tuple[Mark, list[tuple[int, str]]]]:
        """Yield windows from a mark on: the mark of each, and its texts in their shuffled order.

        A text comes with its number in the epoch. Rows without a text are left out. Raises RunError
        if there is none at all.
        """
        data = self._opened(mark)
        texts = self._texts(data)
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
                raise RunError(f"{', '.join(map(str, self.files))}: no row has a text")
            mark = Mark(mark.epoch + 1, 0, mark.read)
            data = self._opened(mark)
            texts = self._texts(data)

    def _opened(self, mark: Mark) -> Any:
        """Open the files where a mark is."""
        from datasets import load_dataset

        logging.getLogger("datasets").setLevel(logging.CRITICAL)  # errors are reported below
        kind, names = kind_of(self.files), [str(file) for file in self.files]
        data = load_dataset(kind, data_files=names, split="train", streaming=True)
        if mark.state:
            data.load_state_dict(dict(mark.state))
        return data

    def _texts(self, data: Any) -> Iterator[str]:
        """Yield the texts; `iter`, since in a worker its plain iteration reads some files alone."""
        try:
            for row in data.iter(batch_size=1):
                (value,) = row.get(self.column, (None,))
                text = plain(value)
                if fault(text) is None:
                    yield str(text)
        except (OSError, ValueError) as error:
            names = ", ".join(map(str, self.files))
            raise RunError(f"{names}: a row cannot be read: {error}") from error


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
