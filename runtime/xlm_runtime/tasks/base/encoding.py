"""From texts to ids on disk: each alone in its row, or packed end to end."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from xlm_runtime.data.lanes import Lanes
from xlm_runtime.data.rows import Dropped
from xlm_runtime.data.store import Block, Writer
from xlm_runtime.system.errors import RunError
from xlm_runtime.system.progress import Watch
from xlm_runtime.tasks.base.counted import Cut, Encoded, Text, Unknown, encoded, more
from xlm_runtime.tasks.base.sources import Row, Source
from xlm_runtime.tasks.base.splits import SPLITS, Name
from xlm_runtime.tokenizers import Tokenizer

PACKED = 2  # the version of `Packing`
PACKING = (  # what it means for numbers
    "texts concatenated into full rows, separated by the tokenizer's end of text, an "
    "ordinary token that opens the text after it; attention stays within a text; a text that is "
    "longer than a row continues in the next, which does not see its beginning; tokens left over "
    "at the end of a split are dropped; bounds are those of rows, and perplexities per token of "
    "a row, "
    "ends of texts counted; a row is cut out of a stream and has no end of its own; a sample is a "
    "row whose tokens see beyond an end of text, as those of no row did in training"
)
EDGES = (  # what else decides the numbers of any text
    "the specials at the edges of a row are those of the family's layout, and count if they are "
    "inside its brackets"
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
    cut: Cut = field(default_factory=lambda: Cut(dict.fromkeys(SPLITS, 0)))
    unknown: Unknown = field(init=False)

    def __post_init__(self) -> None:
        self.unknown = Unknown(self.tokenizer.unknown)

    def run(self, source: Source, folder: Path) -> dict[str, Any]:
        """Fill ``folder`` and return its facts.  Raises RunError if a split remains empty."""
        with ExitStack() as stack:
            about = self.tokenizer.vocabulary.size, self.tokenizer.separator
            writers = {s: stack.enter_context(Writer(folder / s, *about)) for s in SPLITS}
            watch = stack.enter_context(Watch("tokenizing", source.size))
            done = 0
            for split, texts in _batches(source.rows(self.dropped)):
                self._write(writers[split], split, self._encoded(split, texts, source.title))
                done += sum(len(text) for _, text in texts)
                watch.at(done)
        sizes = {split: writer.rows for split, writer in writers.items()}
        if empty := [split for split, size in sizes.items() if size == 0]:
            kept = sum(sizes.values())
            raise RunError(f"{source.title}: {self._shortage(', '.join(empty), kept)}")
        tokens = {split: writer.tokens for split, writer in writers.items()}
        return {"sizes": sizes, "tokens": tokens, **self._counts(), **self.unknown.facts()}

    def _encoded(self, split: Name, texts: list[Text], title: str) -> list[Encoded]:
        """Encode texts, and drop those without a token."""
        rows = encoded(self.tokenizer, [(at, self.clean(text)) for at, text in texts], title)
        for place, row in rows:
            if not row:
                self.dropped.note(f"no token in a text for {split}", place)
        return [(place, row) for place, row in rows if row]

    def _write(self, writer: Writer, split: Name, rows: list[Encoded]) -> None:
        """Write each text, cut at the block."""
        kept, cut = [], []
        for place, row in rows:
            cut.append(len(row) > self.block)
            if cut[-1]:
                self.cut.note(split, place)
            kept.append(row[: self.block])
            self.unknown.note(kept[-1], place)
        writer.add(body=Block.of(kept), cut=flags(cut))

    def _counts(self) -> dict[str, Any]:
        return {"cut": self.cut.facts(), "dropped": self.dropped.facts()}

    def _shortage(self, empty: str, kept: int) -> str:
        """Explain why splits are empty, with a remedy."""
        return (
            f"no text is left for {empty} (rows kept: {kept}; dropped: {self.dropped.said})"
            f"{more(kept)}"
        )


@dataclass
class Packing(Encoding):
    """Concatenated texts, separated by the tokenizer's separator, cut into full rows.

    A text that is longer than the rest of a row continues in the next one; with ``crop`` a window
    of it is a row of its own, beside those of the stream. Tokens left over at the end of a split
    form no row, and are counted. Rows are windows: none has an end of its own.
    """

    crop: bool = False
    documents: dict[str, int] = field(default_factory=_zeros)
    lanes: dict[str, Lanes] = field(init=False)  # of each split

    def __post_init__(self) -> None:
        super().__post_init__()
        separator = self.tokenizer.separator
        assert separator is not None
        self.lanes = {split: Lanes(self.block, separator) for split in SPLITS}

    def _write(self, writer: Writer, split: Name, rows: list[Encoded]) -> None:
        """Write the rows that texts fill up, what was left before them included."""
        texts, windows = list[list[int]](), list[list[int]]()
        for place, whole in rows:
            row = window(whole, self.block) if self.crop else whole
            self.unknown.note(row, place)
            self.documents[split] += 1
            if len(row) < len(whole):
                self.cut.note(split, place)
            (windows if len(row) < len(whole) else texts).append(row)
        full = [*self.lanes[split].rows(texts), *windows]
        ids = np.array(full, np.int64).reshape(-1)
        lengths = np.full(len(full), self.block)
        writer.add(body=Block(ids, lengths), cut=flags([True] * len(full)))

    def _counts(self) -> dict[str, Any]:
        over = {split: lanes.left for split, lanes in self.lanes.items()}
        cut = {"cut": self.cut.facts()} if self.crop else {}
        dropped = {"dropped": self.dropped.facts(), "left_over_tokens": over}
        return {"documents": self.documents, **cut, **dropped}

    def _shortage(self, empty: str, _: int) -> str:
        over = ", ".join(f"{lanes.left} for {split}" for split, lanes in self.lanes.items())
        kept = sum(self.documents.values())
        return (
            f"there is no full row of {self.block} tokens for {empty} (tokens left over: {over}; "
            f"dropped: {self.dropped.said}){more(kept, 'more text, a smaller data.block,')}"
        )


def flags(cut: list[bool]) -> Block:
    """Build the column that marks cut rows: their texts continue beyond them."""
    return Block.of([[int(one)] for one in cut])


def window(row: list[int], size: int) -> list[int]:
    """Return at most ``size`` ids of a row, from a place that a hash of the row determines."""
    if len(row) <= size:
        return row
    digest = blake2b(np.array(row, "<i8").tobytes(), digest_size=8).digest()
    start = int.from_bytes(digest, "big") % (len(row) - size + 1)
    return row[start : start + size]


def _batches(rows: Iterator[Row]) -> Iterator[tuple[Name, list[Text]]]:
    """Yield rows of the same split, up to 1,000 at a time, in their order."""
    waiting: dict[Name, list[Text]] = {split: [] for split in SPLITS}
    for split, place, (text,) in rows:
        waiting[split].append((place, text))
        if len(waiting[split]) == _BATCH:
            yield split, waiting[split]
            waiting[split] = []
    yield from ((split, texts) for split, texts in waiting.items() if texts)
