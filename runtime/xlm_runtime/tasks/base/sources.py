"""Sources of rows, the user's files or data sets on the Hub, and the split of each row."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from xlm_runtime.data import files, hub
from xlm_runtime.data.commits import Repo
from xlm_runtime.data.rows import Dropped, Place, plain
from xlm_runtime.system.cache import fingerprint
from xlm_runtime.system.errors import UsageError
from xlm_runtime.tasks.base.splits import SPLITS, Name

Row = tuple[Name, Place, tuple[str, ...]]
_SHARE = 0.05  # of the user's rows, for each held-out split that has no file of its own
_WORDS: dict[str, Name] = {
    "train": "train",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
}


@dataclass(frozen=True)
class Source:
    """Rows of texts, with the split and the place of each.

    key: plain JSON values that change whenever the rows do; of data sets on the Hub (``repos``)
    after `fixed` has looked up their commits. size: characters, roughly.
    """

    title: str
    key: Mapping[str, Any]
    size: int
    rows: Callable[[Dropped], Iterator[Row]]
    repos: tuple[Repo, ...] = ()

    def fixed(self, cache: Path) -> "Source":
        """Return the source at its present commits, kept below ``cache`` for offline use."""
        for repo in self.repos:
            repo.look_up(cache)
        commits = {repo.name: repo.at for repo in self.repos}
        return replace(self, key={**self.key, "commits": commits}) if commits else self

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
    is the remedy in messages.
    """
    shares = held_out or {}
    key: dict[str, Any] = {
        "files": dict(published),
        "columns": list(columns),
        "held out": dict(shares),
    }
    key |= {"last": last} if last else {}

    def rows(dropped: Dropped, at: str) -> Iterator[Row]:
        data: Any = hub.dataset(repo, published, at, instead)
        for split in (name for name in SPLITS if name in published):
            hub.has(data[split], columns, repo, instead)
            ends = len(data[split]) - (last if split == "train" else 0)
            for place, texts in hub.cells(data[split], columns, split, dropped, as_text):
                if split == "train":
                    yield (by_hash(texts[0], shares) if place.row <= ends else "test"), place, texts
                else:
                    yield split, place, texts

    return hub_read(repo, key, size, rows, revision)


def hub_read(
    repo: str,
    key: Mapping[str, Any],
    size: int,
    rows: Callable[[Dropped, str], Iterator[Row]],
    revision: str = "main",
) -> Source:
    """Open a data set on the Hub; ``rows(dropped, commit)`` reads the part named by ``key``."""
    found = Repo(repo, revision)
    repos = (found,) if hub.is_name(repo) else ()  # else a folder in the form of the Hub
    return Source(
        f"{repo} on the Hub, {revision}",
        {"repo": repo, "revision": revision, **key},
        size,
        lambda dropped: rows(dropped, found.at),
        repos,
    )


def joined(*parts: Source) -> Source:
    """Concatenate the rows of several sources."""

    def rows(dropped: Dropped) -> Iterator[Row]:
        return (row for part in parts for row in part.rows(dropped))

    key = {part.title: dict(part.key) for part in parts}
    title, size = "; ".join(part.title for part in parts), sum(part.size for part in parts)
    return Source(title, key, size, rows, tuple(repo for part in parts for repo in part.repos))
