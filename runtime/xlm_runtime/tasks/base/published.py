"""Data sets on the Hub as sources: all of their rows, or those for training as a stream."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xlm_runtime.data import hub
from xlm_runtime.data.commits import Repo
from xlm_runtime.data.rows import Dropped, plain
from xlm_runtime.data.stream import HubRows
from xlm_runtime.tasks.base.sources import HEAD, HELD, Reading, Row, Source, by_hash
from xlm_runtime.tasks.base.splits import SPLITS, Name

_TEXT = 4_000  # characters of a text, roughly


@dataclass(frozen=True, kw_only=True)
class _Splits:
    """The rows of a data set, each with its split; the fields are those of `hub_rows`."""

    repo: Repo
    published: Mapping[str, str]
    columns: Sequence[str]
    instead: str
    held_out: Mapping[Name, float] = field(default_factory=dict)
    last: int = 0
    as_text: Callable[[object], object] = plain

    def rows(self, dropped: Dropped) -> Iterator[Row]:
        """Yield all rows."""
        data = self._data(self.published)
        for split in (name for name in SPLITS if name in self.published):
            ends = len(data[split]) - (self.last if split == "train" else 0)
            for place, texts in self._cells(data[split], split, dropped):
                if split == "train":
                    yield (self.split(texts[0]) if place.row <= ends else "test"), place, texts
                else:
                    yield split, place, texts

    def beginning(self, dropped: Dropped) -> Iterator[Row]:
        """Yield the first rows for training, and held-out ones.

        Of a split that is held out by hash these are the first, of others all.
        """
        left: dict[str, int] = {"train": HEAD} | dict.fromkeys(self.held_out, HELD)
        data, _ = self.training.open()
        for place, texts in self._cells(data, "train", dropped):
            split = self.split(texts[0])
            if left[split]:
                left[split] -= 1
                yield split, place, texts
            if not any(left.values()):
                break
        held = {name: files for name, files in self.published.items() if name != "train"}
        for name, part in (self._data(held, streaming=True) if held else {}).items():
            yield from ((name, *cell) for cell in self._cells(part, name, dropped))
        if self.last:
            where = self.repo.name, self.published["train"], self.repo.at, self.instead
            part, before = hub.ending(*where, self.last)
            yield from (("test", *cell) for cell in self._cells(part, "train", dropped, before))

    @property
    def training(self) -> HubRows:
        """The rows of the files for training, those that are held out by hash among them."""
        files, columns = self.published["train"], tuple(self.columns)
        return HubRows(self.repo, files, columns, self.instead, last=self.last)

    def split(self, text: str) -> Name:
        """Return the split of a row of the files for training, by a hash of its first text."""
        return by_hash(text, self.held_out)

    def trained(self, text: str) -> str | None:
        """Return a text of the files for training; None for one that is held out."""
        return text if self.split(text) == "train" else None

    def _data(self, files: Mapping[str, str], *, streaming: bool = False) -> Any:
        repo = self.repo
        return hub.dataset(repo.name, files, repo.at, self.instead, streaming=streaming)

    def _cells(self, data: Any, split: str, dropped: Dropped, before: int = 0) -> Iterator[Any]:
        hub.has(data, self.columns, self.repo.name, self.instead)
        return hub.cells(data, self.columns, split, dropped, self.as_text, before)


def hub_rows(
    repo: str,
    published: Mapping[str, str],
    columns: Sequence[str],
    size: int,
    instead: str,
    *,
    revision: str = "main",
    held_out: Mapping[Name, float] | None = None,
    last: int = 0,
    as_text: Callable[[object], object] = plain,
) -> Source:
    """Read columns of a data set on the Hub; ``published`` maps its splits to files.

    ``held_out`` are the shares of splits that it lacks, taken from its training rows by a hash of
    the first column; ``last`` is how many of the last training rows are for testing. ``instead``
    is the remedy in messages. A column alone can be streamed.
    """
    shares = held_out or {}
    key: dict[str, Any] = {
        "files": dict(published),
        "columns": list(columns),
        "held out": dict(shares),
    }
    key |= {"last": last} if last else {}
    found = _Splits(
        repo=Repo(repo, revision), published=published, columns=columns, instead=instead,
        held_out=shares, last=last, as_text=as_text,
    )  # fmt: skip
    reading = None
    if len(columns) == 1 and "train" in published:
        reading = Reading(found.training, found.beginning, HEAD * _TEXT, found.trained)
    return hub_read(found.repo, key, size, found.rows, reading)


def hub_read(
    repo: Repo,
    key: Mapping[str, Any],
    size: int,
    rows: Callable[[Dropped], Iterator[Row]],
    reading: Reading | None = None,
) -> Source:
    """Open a data set on the Hub; ``rows(dropped)`` reads the part named by ``key``, at `Repo.at`.

    ``reading`` reads those for training as a stream.
    """
    repos = (repo,) if hub.is_name(repo.name) else ()  # else a folder in the form of the Hub
    key = {"repo": repo.name, "revision": repo.branch, **key}
    return Source(f"{repo.name} on the Hub, {repo.branch}", key, size, rows, repos, reading)
