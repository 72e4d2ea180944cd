"""Examples on disk: the ids of one column end to end in one file, memory-mapped when read."""

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
import numpy.typing as npt
from attrs import frozen

from xlm_runtime.plug import Example
from xlm_runtime.system.bounds import Count, Often
from xlm_runtime.system.reader import read_as

VERSION = 1  # of the files below; part of every key
Ints = npt.NDArray[np.int64]
_INDEX = "columns.json"


@dataclass(frozen=True)
class Block:
    """Some rows of a column: their values end to end, and how many belong to each."""

    flat: Ints
    lengths: Ints

    @staticmethod
    def of(rows: Sequence[Sequence[int]]) -> "Block":
        """Build a block of rows of any lengths."""
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        flat = np.fromiter((x for row in rows for x in row), np.int64, int(lengths.sum()))
        return Block(flat, lengths)

    @staticmethod
    def padded(rows: Ints) -> "Block":
        """Build a block from a matrix in which negative values are padding."""
        kept = rows >= 0
        return Block(rows[kept], kept.sum(1))


class Writer(AbstractContextManager["Writer"]):
    """Writes one split, block by block: ``writer.add(body=block, prompt=block)``.

    Columns are those of `Example`: ``body``, ``prompt``, ``given``, ``draft``, and ``cut`` with one
    number a row. Every block of one call has as many rows as the others, and every call the same
    columns. ``vocab`` sets the width of an id; ``separator`` is the id at which a new document
    begins, where bodies hold several.
    """

    def __init__(self, folder: Path, vocab: int, separator: int | None = None) -> None:
        self._folder = folder
        self._separator = separator
        self._dtype = np.min_scalar_type(vocab - 1)
        self._files: dict[str, tuple[IO[bytes], IO[bytes]]] = {}
        self._ends: dict[str, int] = {}
        self._stack = ExitStack()
        self.rows = 0
        self.tokens = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._open("body")

    def add(self, **columns: Block) -> None:
        """Append rows to each column."""
        for name, block in columns.items():
            if name not in self._files:
                self._open(name)
            values, starts = self._files[name]
            values.write(block.flat.astype(self._dtype).tobytes())
            starts.write((self._ends[name] + block.lengths.cumsum()).astype("<i8").tobytes())
            self._ends[name] += int(block.lengths.sum())
        self.rows += len(columns["body"].lengths)
        self.tokens += int(columns["body"].lengths.sum())

    def _open(self, name: str) -> None:
        ids, starts = (
            self._stack.enter_context((self._folder / f"{name}.{part}").open("wb"))
            for part in ("ids", "starts")
        )
        starts.write(np.zeros(1, "<i8").tobytes())
        self._files[name], self._ends[name] = (ids, starts), 0

    def __exit__(self, *exception: object) -> None:
        self._stack.close()
        index = {
            "dtype": self._dtype.str,
            "columns": list(self._files),
            "rows": self.rows,
            "separator": self._separator,
        }
        (self._folder / _INDEX).write_text(json.dumps(index), encoding="utf-8")


@frozen
class _About:
    """The description of a split: the type of an id, its columns, and the number of rows."""

    dtype: Literal["|u1", "<u2", "<u4", "<u8"]
    columns: list[Literal["body", "prompt", "given", "cut", "draft"]]
    rows: Often
    separator: Count | None = None


class Examples:
    """The examples of one split by place, read from the disk.  They can be pickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        index = read_as(folder / _INDEX, _About)
        self._rows = index.rows
        self._separator = index.separator
        self._columns = {c: _column(folder, c, index.dtype) for c in index.columns}

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, index: int, /) -> Example:
        if not -self._rows <= index < self._rows:
            raise IndexError(f"example {index} of {self._rows} in {self.folder}")
        index %= self._rows
        row = {
            name: values[starts[index] : starts[index + 1]].tolist()
            for name, (values, starts) in self._columns.items()
        }
        given = tuple(map(bool, row.get("given", ())))
        document = documents(row["body"], self._separator)
        cut = any(row.get("cut", ()))
        prompt, draft = row.get("prompt", ()), row.get("draft")
        return Example(index, row["body"], prompt, given, (), document, cut, draft)

    def __iter__(self) -> Iterator[Example]:
        return (self[i] for i in range(self._rows))

    @cached_property
    def lengths(self) -> Ints:
        """The number of body tokens of each example."""
        return np.diff(self._columns["body"][1])

    @cached_property
    def cut(self) -> npt.NDArray[np.bool_] | None:
        """A flag for each text that is cut; None if no text can be."""
        return self._columns["cut"][0].astype(bool) if "cut" in self._columns else None

    def __getstate__(self) -> Path:
        return self.folder

    def __setstate__(self, folder: Path) -> None:
        self.__init__(folder)  # type: ignore[misc]


def documents(body: Sequence[int], separator: int | None) -> Sequence[int]:
    """Return the document number of each token, or nothing; each separator opens a document."""
    if separator is None or separator not in body[1:]:
        return ()
    return list(accumulate(int(token == separator) for token in body))


def _column(folder: Path, name: str, dtype: str) -> tuple[npt.NDArray[Any], Ints]:
    return _mapped(folder / f"{name}.ids", dtype), _mapped(folder / f"{name}.starts", "<i8")


def _mapped(path: Path, dtype: str) -> npt.NDArray[Any]:
    """Map a file as a plain array: np.memmap is slow to slice and rejects empty files."""
    if path.stat().st_size == 0:
        return np.empty(0, dtype)
    return np.asarray(np.memmap(path, dtype, "r"))
