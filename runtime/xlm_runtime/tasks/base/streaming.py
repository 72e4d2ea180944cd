"""Training texts that are never read as a whole: they are encoded as training comes to them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from xlm_runtime.data import files
from xlm_runtime.data.rows import Dropped
from xlm_runtime.data.stream import Mark, Texts, kind_of
from xlm_runtime.plug import Example
from xlm_runtime.system.cache import fingerprint
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.tasks.base.sources import Row, Source, parts_of
from xlm_runtime.tasks.base.splits import SPLITS, Name
from xlm_runtime.tokenizers import Tokenizer

HEAD = 10_000  # rows of the beginning, whose lengths are taken for those of all


@dataclass(frozen=True)
class Stream:
    """The examples of training, in their order."""

    texts: Texts
    tokenizer: Tokenizer
    clean: Callable[[str], str]
    block: int

    @property
    def told(self) -> str:
        """The facts that are known of the stream."""
        return (
            f"{len(self.texts.files)} files, shuffled in windows of {self.texts.window:,}; how "
            "many rows they have, and how long they are, is unknown: the sizes and lengths for "
            f"training are those of the first {HEAD:,}"
        )

    def windows(self, seed: int, mark: Mark) -> Iterator[tuple[Mark, list[tuple[int, str]]]]:
        """Yield the windows of texts from a mark on."""
        return self.texts.windows(seed, mark)

    def example(self, number: int, text: str) -> Example:
        """Encode a text, cut at the block.  Raises RunError for one without a token."""
        ids = self.tokenizer.encode(self.clean(text))
        if not ids:
            raise RunError(f"text {number} of the stream has no token: {text[:40]!r}: leave it out")
        return Example(number, body=ids[: self.block], cut=len(ids) > self.block)


def source(path: Path | None, columns: Mapping[str, str]) -> Source:
    """Return the held-out rows of a folder, and the first of those for training.

    Raises UsageError where one of the splits has no file.
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

    size = sum(file.stat().st_size for file, name in parts.items() if name != "train")
    key = {"stream": prints, "columns": dict(columns), "head": HEAD}
    return Source(str(path), key, size, rows)


def stream(
    path: Path | None,
    columns: Mapping[str, str],
    window: int,
    tokenizer: Tokenizer,
    clean: Callable[[str], str],
    block: int,
) -> Stream:
    """Return the stream of the training files of a folder.  Raises UsageError."""
    found = tuple(file for file, name in _parts(path).items() if name == "train")
    kind_of(found)
    (column,) = files.choose(("text",), columns, files.read(found[0]))
    return Stream(Texts(found, column, max(1, window)), tokenizer, clean, block)


def _parts(path: Path | None) -> dict[Path, Name]:
    parts = parts_of(path) if path is not None and path.is_dir() else {}
    if missing := [name for name in SPLITS if name not in parts.values()]:
        raise UsageError(
            f"data.stream: --data is a folder with files named train, validation and test, as "
            f"nothing is held out of a stream; there is none for {', '.join(missing)}"
        )
    return parts
