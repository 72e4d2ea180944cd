"""What tasks of plain text share: from rows of text to ids on disk, split, cut and counted."""

import re
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from xlm_runtime import files, hub, store, tokenizers
from xlm_runtime.cache import cached, fingerprint
from xlm_runtime.data import DataOptions, Prepared
from xlm_runtime.errors import RunError, UsageError
from xlm_runtime.files import Dropped
from xlm_runtime.progress import Watch
from xlm_runtime.store import Block, Examples, Writer
from xlm_runtime.tasks.english import english
from xlm_runtime.tasks.task import Task
from xlm_runtime.tokenizers import Tokenizer

if TYPE_CHECKING:
    from torchmetrics import MetricCollection

Name = Literal["train", "validation", "test"]
SPLITS: tuple[Name, ...] = ("train", "validation", "test")
_VERSION = 1
_BATCH = 1000
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
    """Texts and the splits they belong to.

    key: plain JSON values that change whenever the texts do. size: characters, roughly.
    """

    title: str
    key: Mapping[str, Any]
    size: int
    rows: Callable[[Dropped], Iterator[tuple[Name, str]]]


def by_hash(text: str, shares: Mapping[Name, float]) -> Name:
    """The split of a text, settled by the text itself: the same text is never in two of them.

    ``shares`` are those of the held-out splits, training has the rest. Spaces make no difference.
    """
    digest = blake2b(" ".join(text.split()).encode(), digest_size=8).digest()
    place = int.from_bytes(digest, "big") / 2**64
    for name, share in shares.items():
        if place < share:
            return name
        place -= share
    return "train"


@dataclass(frozen=True)
class UserRows:
    """The user's rows, the texts of some columns each; ``key`` and ``size`` as of a `Source`."""

    key: Mapping[str, Any]
    size: int
    rows: Callable[[Dropped], Iterator[tuple[Name, tuple[str, ...]]]]


def user_rows(path: Path, roles: Sequence[str], columns: Mapping[str, str]) -> UserRows:
    """The user's file, or a folder in which files or folders are named after splits.

    A held-out split without files takes its share of the training rows, by a hash of the text of
    the first of ``roles``. Raises UsageError.
    """
    parts = parts_of(path)
    if "train" not in parts.values():
        raise UsageError(
            f"--data {path}: no file there is for training; call it train.txt, or put it into a "
            "folder train (and validation, test)"
        )
    tables = {file: files.read(file) for file in parts}
    for table in tables.values():
        files.choose(roles, columns, table.columns, table.path)
    shares = {name: _SHARE for name in SPLITS if name not in parts.values()}
    prints = [[str(f.relative_to(path)), parts[f], fingerprint(f)] for f in parts]
    key = {"files": prints, "columns": dict(columns), "shares": shares}

    def rows(dropped: Dropped) -> Iterator[tuple[Name, tuple[str, ...]]]:
        for file, table in tables.items():
            for texts in table.texts(roles, columns, dropped):
                own = parts[file]
                yield (by_hash(texts[0], shares) if own == "train" else own), texts

    return UserRows(key, sum(f.stat().st_size for f in parts), rows)


def user_source(path: Path, columns: Mapping[str, str]) -> Source:
    """The user's texts; see `user_rows`."""
    found = user_rows(path, ("text",), columns)

    def rows(dropped: Dropped) -> Iterator[tuple[Name, str]]:
        return ((split, text) for split, (text,) in found.rows(dropped))

    return Source(str(path), found.key, found.size, rows)


INSTEAD = (
    "train on a file of your own with --data FILE (text, JSON lines, CSV or Parquet), or use "
    "--preset quick, which needs no network"
)


def hub_source(
    repo: str,
    published: Mapping[str, str],
    revision: str,
    held_out: Mapping[Name, float],
    size: int,
    *,
    column: str = "text",
) -> Source:
    """A column of a data set on the Hub; ``published`` maps its splits to files.

    ``held_out`` are the shares of splits that it lacks, taken from its training texts by hash.
    """
    key: dict[str, Any] = {
        "repo": repo,
        "revision": revision,
        "files": dict(published),
        "held out": dict(held_out),
    }
    key |= {} if column == "text" else {"column": column}

    def rows(dropped: Dropped) -> Iterator[tuple[Name, str]]:
        data: Any = hub.dataset(repo, published, revision, INSTEAD)
        number = 0
        for split in (name for name in SPLITS if name in published):
            hub.has(data[split], (column,), repo, INSTEAD)
            for batch in data[split].iter(batch_size=_BATCH):
                for text in batch[column]:
                    number += 1
                    if found := files.fault(text):
                        dropped.note(f"{found} in {split}", number)
                    else:
                        yield (by_hash(text, held_out) if split == "train" else split), text

    return Source(f"{repo} on the Hub, {revision}", key, size, rows)


def parts_of(path: Path) -> dict[Path, Name]:
    """Files and their splits, by the name of the file or of a folder on the way to it."""
    if not path.is_dir():
        return {path: "train"}
    found: dict[Path, Name] = {}
    for file in sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith(".")):
        for part in file.relative_to(path).parts:
            word = re.match(r"train|valid|val|dev|test", part.lower())
            if word:
                found[file] = _WORDS[word[0]]
                break
    return found


class TextTask(Task):
    """A task of plain text.

    It says where the published texts are (`published`), how they are cleaned, which tokenizer and
    block go with each preset, and what stands behind its numbers (``protocols``; under ``data`` for
    the user's texts, which ``--data`` gives). ``--preset quick`` without data reads the
    documentation of Python (`english`).
    """

    layout = "text"
    version = 1  # of `clean`
    shipped = "what ships with Python"  # what `quick` reads without data
    blocks: ClassVar[Mapping[str, int]]
    tokenizers: ClassVar[Mapping[str, str]]
    protocols: ClassVar[Mapping[str, str]]

    @abstractmethod
    def published(self) -> Source:
        """The published texts.  Nothing is fetched before its rows are asked for."""

    def clean(self, text: str) -> str:
        """What is done to a text with ``--preset paper``."""
        return text

    def prepare(self, options: DataOptions) -> Prepared:
        """Read, clean, tokenize and cut the texts, or find them in the cache."""
        source = self._source(options)
        name = options.tokenizer or self.tokenizers[options.preset]
        block = options.block or self.blocks[options.preset]
        clean = self.clean if options.preset == "paper" else str
        cleaned = [self.name, self.version] if options.preset == "paper" else []
        read = {"source": source.key, "clean": cleaned, "text": [_VERSION, store.VERSION]}
        tokenizer = self.tokenizer(name, read, source, clean, options)
        key = {**read, "tokenizer": tokenizer.fingerprint, "block": block}

        def build(folder: Path) -> dict[str, Any]:
            facts = _Encoding(tokenizer, block, clean).run(source, folder)
            about = {"tokenizer": name, "vocabulary": tokenizer.vocabulary.size, "block": block}
            return {"source": source.title, **facts, **about}

        built = cached(options.cache, self.name, key, build)
        splits = {split: Examples(built.folder / split) for split in SPLITS}
        protocol = self.protocols["data" if options.data else options.preset]
        more = {"protocol": protocol, "cache": str(built.folder)}
        return Prepared(
            train=splits["train"],
            validation=splits["validation"],
            test=splits["test"],
            tokenizer=tokenizer,
            body=block,
            facts={**built.facts, **more},
        )

    def about(self, options: DataOptions) -> Mapping[str, Any]:
        """Source, cleaning, tokenizer, block and protocol."""
        found: dict[str, Any] = {"source": str(options.data or self.shipped)}
        if options.preset == "paper":
            published = self.published()
            found = found if options.data else {"source": published.title, **published.key}
            found["cleaning"] = (type(self).clean.__doc__ or "").splitlines()[0]
        return {
            **found,
            "tokenizer": options.tokenizer or self.tokenizers[options.preset],
            "block": options.block or self.blocks[options.preset],
            "protocol": self.protocols["data" if options.data else options.preset],
        }

    def metrics(self, _: Prepared) -> "MetricCollection":
        """How varied, how repetitive and how long texts are; of texts that are words."""
        from xlm_runtime.metrics import collection, language

        return collection(*language.texts())

    def tokenizer(
        self,
        name: str,
        key: Mapping[str, Any],
        source: Source,
        clean: Callable[[str], str],
        options: DataOptions,
    ) -> Tokenizer:
        """A published or local tokenizer, or one trained on the training texts and kept.

        ``key`` holds all that the texts depend on.
        """
        return tokenizer_for(name, key, source, clean, options)

    def _source(self, options: DataOptions) -> Source:
        if options.data:
            return user_source(options.data, options.columns)
        if options.columns:
            raise UsageError("data.columns speaks of the file that --data gives, and there is none")
        if options.preset == "paper":
            return self.published()
        file = english(options.cache)
        shipped = user_source(file, {})
        key = {"english": fingerprint(file), "shares": shipped.key["shares"]}
        return Source("the documentation that ships with Python", key, shipped.size, shipped.rows)


def tokenizer_for(
    name: str,
    key: Mapping[str, Any],
    source: Source,
    clean: Callable[[str], str],
    options: DataOptions,
) -> Tokenizer:
    """A published or local tokenizer, or one trained on the training texts and kept."""
    if not name.startswith("bpe:"):
        return tokenizers.pretrained(
            name, options.specials, instead(options), sharing=options.published
        )
    if not name[4:].isdecimal():
        raise UsageError(f"data.tokenizer={name}: write bpe:NUMBER, as in bpe:4096")
    size = int(name[4:])

    def train(folder: Path) -> dict[str, int]:
        texts = (clean(text) for split, text in source.rows(Dropped()) if split == "train")
        made = tokenizers.bpe(texts, size, ())
        made.save(folder)
        return {"size": made.vocabulary.size}

    built = cached(options.cache, "tokenizers", {**key, "bpe": size}, train)
    return tokenizers.pretrained(str(built.folder / "tokenizer.json"), options.specials)


def instead(options: DataOptions) -> str:
    """What to do where a published tokenizer cannot be fetched."""
    local = "--set data.tokenizer=bpe:4096 (trained on it; or a local folder or tokenizer.json)"
    if options.data or options.preset == "quick":
        return f"use {local}"
    return f"train on a file of your own: --data FILE with {local}; or use --preset quick"


@dataclass
class _Encoding:
    """One pass over a source: clean, tokenize, cut, write; and count what happened."""

    tokenizer: Tokenizer
    block: int
    clean: Callable[[str], str]
    dropped: Dropped = field(default_factory=Dropped)
    cut: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SPLITS, 0))
    unknown: int = 0

    def run(self, source: Source, folder: Path) -> dict[str, Any]:
        """Fill ``folder`` and say what was done.  Raises RunError where a split remains empty."""
        with ExitStack() as stack:
            vocab = self.tokenizer.vocabulary.size
            writers = {s: stack.enter_context(Writer(folder / s, vocab)) for s in SPLITS}
            watch = stack.enter_context(Watch("tokenizing", source.size))
            done = 0
            for split, texts in _batches(source.rows(self.dropped)):
                self._write(writers[split], split, texts)
                done += sum(map(len, texts))
                watch.at(min(done, source.size))
        sizes = {split: writer.rows for split, writer in writers.items()}
        self._check(sizes, source)
        tokens = {split: writer.tokens for split, writer in writers.items()}
        facts = {"sizes": sizes, "tokens": tokens, "cut": self.cut, "dropped": self.dropped.facts()}
        return facts if self.tokenizer.unknown is None else facts | {"unknown": self.unknown}

    def _write(self, writer: Writer, split: Name, texts: list[str]) -> None:
        rows = self.tokenizer.encode_all([self.clean(text) for text in texts])
        self.cut[split] += sum(len(row) > self.block for row in rows)
        for place, row in enumerate(rows, writer.rows + 1):
            if not row:
                self.dropped.note(f"no token in a text for {split}", place)
        kept = [row[: self.block] for row in rows if row]
        if self.tokenizer.unknown is not None:
            self.unknown += sum(row.count(self.tokenizer.unknown) for row in kept)
        writer.add(body=Block.of(kept))

    def _check(self, sizes: Mapping[Name, int], source: Source) -> None:
        empty = [split for split, size in sizes.items() if size == 0]
        if not empty:
            return
        reasons = "; ".join(f"{r}: {f['rows']} rows" for r, f in self.dropped.facts().items())
        raise RunError(
            f"{source.title}: no text is left for {', '.join(empty)} (rows kept: "
            f"{sum(sizes.values())}; dropped: {reasons or 'none'}); one row in 20 goes to each "
            "held-out split: give more rows, or a folder with train.*, validation.* and test.*"
        )


def _batches(rows: Iterator[tuple[Name, str]]) -> Iterator[tuple[Name, list[str]]]:
    """Rows of the same split, up to 1,000 at a time, in their order."""
    waiting: dict[Name, list[str]] = {split: [] for split in SPLITS}
    for split, text in rows:
        waiting[split].append(text)
        if len(waiting[split]) == _BATCH:
            yield split, waiting[split]
            waiting[split] = []
    yield from ((split, texts) for split, texts in waiting.items() if texts)
