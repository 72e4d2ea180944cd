"""From texts to ids on disk: each alone in its row, or packed end to end."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from xlm_runtime.errors import RunError
from xlm_runtime.files import Dropped
from xlm_runtime.progress import Watch
from xlm_runtime.store import Block, Writer
from xlm_runtime.tokenizers import Tokenizer

if TYPE_CHECKING:
    from xlm_runtime.tasks.text import Source

Name = Literal["train", "validation", "test"]
SPLITS: tuple[Name, ...] = ("train", "validation", "test")
PACKED = 1  # the version of `Packing`
PACKING = (  # what it means for numbers
    "texts end to end in rows that are all full, parted by the tokenizer's end of text, an "
    "ordinary token that opens the text after it; attention stays within a text; a text that is "
    "longer than a row goes on in the next, which does not see its beginning; what is left at the "
    "end of a split is dropped; bounds are those of rows, and perplexities per token of a row, "
    "ends of texts counted; a sample is one row whose tokens see beyond an end of text, as those "
    "of no row did in training"
)
EDGES = (  # what else decides the numbers of any text
    "the specials at the edges of a row are those of the family's layout, and count where they "
    "stand inside its brackets"
)
_BATCH = 1000


def _zeros() -> dict[str, int]:
    return dict.fromkeys(SPLITS, 0)


@dataclass
class Encoding:
    """One pass over a source: clean, tokenize, cut, write; and count what happened."""

    tokenizer: Tokenizer
    block: int
    clean: Callable[[str], str]
    dropped: Dropped = field(default_factory=Dropped)
    cut: dict[str, int] = field(default_factory=_zeros)
    texts: dict[str, int] = field(default_factory=_zeros)
    unknown: int = 0

    def run(self, source: "Source", folder: Path) -> dict[str, Any]:
        """Fill ``folder`` and say what was done.  Raises RunError where a split remains empty."""
        with ExitStack() as stack:
            about = self.tokenizer.vocabulary.size, self.tokenizer.separator
            writers = {s: stack.enter_context(Writer(folder / s, *about)) for s in SPLITS}
            watch = stack.enter_context(Watch("tokenizing", source.size))
            done = 0
            for split, texts in _batches(source.rows(self.dropped)):
                self._write(writers[split], split, self._encoded(split, texts))
                done += sum(map(len, texts))
                watch.at(min(done, source.size))
        sizes = {split: writer.rows for split, writer in writers.items()}
        if empty := [split for split, size in sizes.items() if size == 0]:
            kept = sum(sizes.values())
            raise RunError(f"{source.title}: {self._shortage(', '.join(empty), kept)}")
        tokens = {split: writer.tokens for split, writer in writers.items()}
        facts = {"sizes": sizes, "tokens": tokens, **self._counts()}
        return facts if self.tokenizer.unknown is None else facts | {"unknown": self.unknown}

    def _encoded(self, split: Name, texts: list[str]) -> list[list[int]]:
        """The ids of texts; those without any are dropped."""
        rows = self.tokenizer.encode_all([self.clean(text) for text in texts])
        for place, row in enumerate(rows, self.texts[split] + 1):
            if not row:
                self.dropped.note(f"no token in a text for {split}", place)
        self.texts[split] += len(rows)
        return [row for row in rows if row]

    def _write(self, writer: Writer, split: Name, rows: list[list[int]]) -> None:
        """Write each text, cut at the block."""
        self.cut[split] += sum(len(row) > self.block for row in rows)
        kept = [row[: self.block] for row in rows]
        self._count_unknown(kept)
        writer.add(body=Block.of(kept))

    def _count_unknown(self, rows: list[list[int]]) -> None:
        if self.tokenizer.unknown is not None:
            self.unknown += sum(row.count(self.tokenizer.unknown) for row in rows)

    def _counts(self) -> dict[str, Any]:
        return {"cut": self.cut, "dropped": self.dropped.facts()}

    def _shortage(self, empty: str, kept: int) -> str:
        """Why splits are empty, and what to do."""
        return (
            f"no text is left for {empty} (rows kept: {kept}; dropped: {self._reasons}); one row "
            "in 20 goes to each held-out split: give more rows, or a folder with train.*, "
            "validation.* and test.*"
        )

    @property
    def _reasons(self) -> str:
        found = self.dropped.facts().items()
        return "; ".join(f"{why}: {rows['rows']} rows" for why, rows in found) or "none"


@dataclass
class Packing(Encoding):
    """Texts end to end, parted by the tokenizer's separator, in rows that are all full.

    A text that is longer than a row goes on in the next one; with ``crop`` a window of the block's
    size is taken of it first. What is left at the end of a split is no row, and is counted.
    """

    crop: bool = False
    documents: dict[str, int] = field(default_factory=_zeros)
    left: dict[str, list[int]] = field(default_factory=lambda: {split: [] for split in SPLITS})

    def _write(self, writer: Writer, split: Name, rows: list[list[int]]) -> None:
        """Write the rows that texts fill up, what was left before them included."""
        if self.crop:
            self.cut[split] += sum(len(row) > self.block for row in rows)
            rows = [window(row, self.block) for row in rows]
        self._count_unknown(rows)
        ids, separator = self.left[split], self.tokenizer.separator
        assert separator is not None
        for row in rows:
            ids += [separator, *row] if self.documents[split] else row
            self.documents[split] += 1
        count = len(ids) // self.block
        full = np.array(ids[: count * self.block], np.int64)
        writer.add(body=Block(full, np.full(count, self.block)))
        self.left[split] = ids[count * self.block :]

    def _counts(self) -> dict[str, Any]:
        over = {split: len(ids) for split, ids in self.left.items()}
        cut = {"cut": self.cut} if self.crop else {}
        dropped = {"dropped": self.dropped.facts(), "left_over_tokens": over}
        return {"documents": self.documents, **cut, **dropped}

    def _shortage(self, empty: str, _: int) -> str:
        over = ", ".join(f"{len(ids)} for {split}" for split, ids in self.left.items())
        return (
            f"no row of {self.block} tokens is full for {empty} (tokens left over: {over}; "
            f"dropped: {self._reasons}); one text in 20 goes to each held-out split: give more "
            "text, a smaller data.block, or a folder with train.*, validation.* and test.*"
        )


def window(row: list[int], size: int) -> list[int]:
    """At most ``size`` ids of a row, from a place that is settled by the row itself."""
    if len(row) <= size:
        return row
    digest = blake2b(np.array(row, "<i8").tobytes(), digest_size=8).digest()
    start = int.from_bytes(digest, "big") % (len(row) - size + 1)
    return row[start : start + size]


def _batches(rows: Iterator[tuple[Name, str]]) -> Iterator[tuple[Name, list[str]]]:
    """Rows of the same split, up to 1,000 at a time, in their order."""
    waiting: dict[Name, list[str]] = {split: [] for split in SPLITS}
    for split, text in rows:
        waiting[split].append(text)
        if len(waiting[split]) == _BATCH:
            yield split, waiting[split]
            waiting[split] = []
    yield from ((split, texts) for split, texts in waiting.items() if texts)
