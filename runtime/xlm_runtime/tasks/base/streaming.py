"""Training texts that are never read as a whole: they are encoded as training comes to them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path

from xlm_runtime.data import files
from xlm_runtime.data.lanes import Lanes
from xlm_runtime.data.rows import Dropped
from xlm_runtime.data.store import documents
from xlm_runtime.data.stream import FileRows, Mark, Texts, kind_of
from xlm_runtime.plug import Example
from xlm_runtime.system.cache import fingerprint
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.tasks.base.encoding import Encoding, Packing, window
from xlm_runtime.tasks.base.sources import HEAD, HELD, Reading, Row, Source, parts_of
from xlm_runtime.tasks.base.splits import SPLITS, Name
from xlm_runtime.tokenizers import Tokenizer

LANES = 64  # the rows between two rows of the same text
_AT_ONCE = 64  # texts that are encoded together


@dataclass(frozen=True)
class Stream:
    """The examples of training, in their order: a text each, cut at the block."""

    texts: Texts
    tokenizer: Tokenizer
    clean: Callable[[str], str]
    block: int

    @property
    def told(self) -> str:
        """The facts that are known of the stream."""
        return (
            f"{self.texts.rows}, shuffled in windows of {self.texts.window:,} rows; how many there "
            f"are, and how long, is unknown: the sizes and lengths for training are those of the "
            f"first {HEAD:,}; of a split that is held out by hash, the first {HELD} are read"
        )

    def windows(
        self, seed: int, mark: Mark
    ) -> Iterator[tuple[Mark, Iterable[tuple[int, str | list[int]]]]]:
        """Yield windows of what `example` takes, from a mark on; each must be read to its end."""
        return self.texts.windows(seed, mark)

    def example(self, number: int, text: str | list[int]) -> Example:
        """Encode a text.  Raises RunError for one without a token."""
        ((_, ids),) = self._encoded([(number, str(text))])
        return Example(number, body=ids[: self.block], cut=len(ids) > self.block)

    def _encoded(self, texts: list[tuple[int, str]]) -> list[tuple[int, list[int]]]:
        """Encode texts, with their numbers.  Raises RunError for one without a token."""
        every = self.tokenizer.encode_all([self.clean(text) for _, text in texts])
        for (number, text), ids in zip(texts, every, strict=True):
            if not ids:
                raise RunError(
                    f"text {number} of the stream has no token: {text[:40]!r}: leave it out"
                )
        return [(number, ids) for (number, _), ids in zip(texts, every, strict=True)]


@dataclass(frozen=True)
class Packed(Stream):
    """Full rows, cut out of texts in lanes (`Lanes`), which are encoded in the order of training.

    With ``crop`` a window of a text that is longer than a row is a row of its own.
    """

    crop: bool = False

    def windows(
        self, seed: int, mark: Mark
    ) -> Iterator[tuple[Mark, Iterable[tuple[int, str | list[int]]]]]:
        """Yield the rows that each window of texts fills up, numbered over all epochs."""
        separator = self.tokenizer.separator
        assert separator is not None
        lanes, read = Lanes(self.block, separator, LANES), count(mark.read)
        if mark.lanes:
            lanes.load(mark.lanes)
        for at, texts in self.texts.windows(seed, mark):
            here = next(read)
            read = count(here)
            begin = replace(at, read=here, lanes=lanes.state)
            yield begin, map(_numbered, self._rows(lanes, texts), read)

    def example(self, number: int, row: str | list[int]) -> Example:
        """Return a row and its documents."""
        assert not isinstance(row, str)
        return Example(number, row, document=documents(row, self.tokenizer.separator), cut=True)

    def _rows(self, lanes: Lanes, texts: list[tuple[int, str]]) -> Iterator[list[int]]:
        for start in range(0, len(texts), _AT_ONCE):
            for _, ids in self._encoded(texts[start : start + _AT_ONCE]):
                if self.crop and len(ids) > self.block:
                    yield window(ids, self.block)
                else:
                    yield from lanes.rows([ids])


def _numbered(row: list[int], number: int) -> tuple[int, list[int]]:
    return number, row


def stream(reading: Reading, window: int, encoding: Encoding) -> Stream:
    """Return the stream of the rows for training of a source, encoded as by ``encoding``."""
    texts = Texts(reading.rows, max(1, window), reading.take)
    how = texts, encoding.tokenizer, encoding.clean, encoding.block
    return Packed(*how, encoding.crop) if isinstance(encoding, Packing) else Stream(*how)


def folder(path: Path, columns: Mapping[str, str]) -> Source:
    """Return the source of the user's files of which only the beginning is read before training.

    Raises UsageError where one of the splits has no file, or files for training are of several
    kinds.
    """
    parts = _parts(path)
    tables = {file: files.read(file) for file in parts}
    for table in tables.values():
        files.choose(("text",), columns, table)
    prints = [
        [file.name, file.stat().st_size if name == "train" else fingerprint(file), name]
        for file, name in parts.items()
    ]

    def rows(dropped: Dropped) -> Iterator[Row]:
        left = HEAD
        for file, name in parts.items():
            found = tables[file].texts(("text",), columns, dropped, file.name)
            for place, texts in islice(found, left if name == "train" else None):
                left -= name == "train"
                yield name, place, texts

    training = tuple(file for file, name in parts.items() if name == "train")
    kind_of(training)
    (column,) = files.choose(("text",), columns, tables[training[0]])
    size = sum(file.stat().st_size for file, name in parts.items() if name != "train")
    reading = Reading(FileRows(training, column), rows, size)
    key = {"stream": prints, "columns": dict(columns)}
    return Source(str(path), key, size, rows, reading=reading)


def _parts(path: Path) -> dict[Path, Name]:
    parts = parts_of(path) if path.is_dir() else {}
    if missing := [name for name in SPLITS if name not in parts.values()]:
        raise UsageError(
            f"data.stream: --data is a folder with files named train, validation and test, as "
            f"nothing is held out of a stream of files; there is none for {', '.join(missing)}"
        )
    return parts
