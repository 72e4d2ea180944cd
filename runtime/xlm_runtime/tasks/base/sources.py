"""Sources of rows, such as the user's files, and the split of each row."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

from xlm_runtime.data import files
from xlm_runtime.data.commits import Repo
from xlm_runtime.data.rows import Dropped, Place, plain
from xlm_runtime.data.stream import Rows
from xlm_runtime.system.cache import fingerprint
from xlm_runtime.system.errors import UsageError
from xlm_runtime.tasks.base.splits import SPLITS, Name

Row = tuple[Name, Place, tuple[str, ...]]
HEAD = 10_000  # rows at the beginning of a stream, whose lengths are taken for those of all
HELD = 100  # rows that are held out of a stream by their hashes
_SHARE = 0.05  # of the user's rows, for each held-out split that has no file of its own
_WORDS: dict[str, Name] = {
    "train": "train",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
}


def _same(text: str) -> str:
    return text


@dataclass(frozen=True)
class Reading:
    """Rows for training that are read during training.

    beginning: what is read before, as by `Source.rows`: the first of them and held-out rows. size:
    of that, in characters, roughly. take: returns the text for training of the text of a row, or
    None.
    """

    rows: Rows
    beginning: Callable[[Dropped], Iterator[Row]]
    size: int
    take: Callable[[str], str | None] = _same


@dataclass(frozen=True)
class Source:
    """Rows of texts, with the split and the place of each.

    key: plain JSON values that change whenever the rows do; of data sets on the Hub (``repos``)
    after `fixed` has looked up their commits. size: characters, roughly. reading: how its rows for
    training can be streamed; None if they cannot.
    """

    title: str
    key: Mapping[str, Any]
    size: int
    rows: Callable[[Dropped], Iterator[Row]]
    repos: tuple[Repo, ...] = ()
    reading: Reading | None = None

    def fixed(self, cache: Path) -> "Source":
        """Return the source at its present commits, kept below ``cache`` for offline use."""
        for repo in self.repos:
            repo.look_up(cache)
        commits = {repo.name: repo.at for repo in self.repos}
        return replace(self, key={**self.key, "commits": commits}) if commits else self

    def begun(self) -> "Source":
        """Return the beginning of a source that is streamed.  Raises UsageError for another."""
        if self.reading is None:
            raise UsageError(f"data.stream: {self.title}: it is read as a whole, never as a stream")
        key, size = {**self.key, "head": HEAD, "held": HELD}, self.reading.size
        return replace(self, key=key, size=size, rows=self.reading.beginning)

    @property
    def facts(self) -> dict[str, Any]:
        """Title and commits."""
        commits = {repo.name: repo.told for repo in self.repos}
        return {"source": self.title, **({"commits": commits} if commits else {})}


def by_hash(text: str, shares: Mapping[Name, float]) -> Name:
    """Return the split of a text by a hash of the text: equal texts are in the same split.

    ``shares`` are those of the held-out splits, training has the rest. Spaces are ignored.
    """
    digest = blake2b(" ".join(text.split()).encode(), digest_size=8).digest()
    place = int.from_bytes(digest, "big") / 2**64
    for name, share in shares.items():
        if place < share:
            return name
        place -= share
    return "train"


def user_rows(
    path: Path,
    roles: Sequence[str],
    columns: Mapping[str, str],
    as_text: Callable[[object], object] = plain,
) -> Source:
    """Open the user's file, or a folder with files or folders named after splits.

    A row has a text for each of ``roles``. A held-out split without files takes its share of the
    training rows, by a hash of the first text. Raises UsageError.
    """
    parts = parts_of(path)
    if "train" not in parts.values():
        raise UsageError(
            f"--data {path}: no file for training in it; name one train.txt, or put it into a "
            f"folder train (and validation, test)"
        )
    tables = {file: files.read(file) for file in parts}
    for table in tables.values():
        files.choose(roles, columns, table)
    shares = {name: _SHARE for name in SPLITS if name not in parts.values()}
    prints = [[str(f.relative_to(path)), f.suffixes, parts[f], fingerprint(f)] for f in parts]
    key = {"files": prints, "columns": dict(columns), "shares": shares}

    def rows(dropped: Dropped) -> Iterator[Row]:
        for file, table in tables.items():
            own, name = parts[file], "" if file == path else str(file.relative_to(path))
            for place, texts in table.texts(roles, columns, dropped, name, as_text):
                yield (by_hash(texts[0], shares) if own == "train" else own), place, texts

    return Source(str(path), key, sum(f.stat().st_size for f in parts), rows)


def parts_of(path: Path) -> dict[Path, Name]:
    """Return files and their splits, by the name of the file or of a folder on its path."""
    if not path.is_dir():
        return {path: "train"}
    found: dict[Path, Name] = {}
    for file in sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith(".")):
        for part in file.relative_to(path).parts:
            word = re.match(r"(train|valid|val|dev|test)(ing|ation)?(?![a-z])", part.lower())
            if word:
                found[file] = _WORDS[word[1]]
                break
    return found


@dataclass(frozen=True)
class _Then:
    """Two functions of texts, one after the other; None where the first returns that."""

    first: Callable[[str], str | None]
    second: Callable[[str], str | None]

    def __call__(self, text: str) -> str | None:
        found = self.first(text)
        return None if found is None else self.second(found)


def mapped(
    source: Source, key: Mapping[str, Any], convert: Callable[[str], str | None], fault: str
) -> Source:
    """Convert the texts of a source; rows of which ``convert`` makes None are dropped for a fault.

    ``key`` changes whenever the conversion does; ``convert`` can be pickled.
    """

    def through(rows: Callable[[Dropped], Iterator[Row]], dropped: Dropped) -> Iterator[Row]:
        for split, place, (text,) in rows(dropped):
            found = convert(text)
            if found is None:
                dropped.note(fault, place)
            else:
                yield split, place, (found,)

    reading = source.reading and replace(
        source.reading,
        beginning=partial(through, source.reading.beginning),
        take=_Then(source.reading.take, convert),
    )
    rows = partial(through, source.rows)
    return replace(source, key={**source.key, **key}, rows=rows, reading=reading)


def joined(*parts: Source) -> Source:
    """Concatenate the rows of several sources."""

    def rows(dropped: Dropped) -> Iterator[Row]:
        return (row for part in parts for row in part.rows(dropped))

    key = {part.title: dict(part.key) for part in parts}
    title, size = "; ".join(part.title for part in parts), sum(part.size for part in parts)
    return Source(title, key, size, rows, tuple(repo for part in parts for repo in part.repos))
