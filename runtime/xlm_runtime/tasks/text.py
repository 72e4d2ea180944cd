"""What tasks of plain text share: from rows of text to ids on disk, split, cut and counted."""

import re
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from xlm_runtime import files, hub, store, tokenizers
from xlm_runtime.cache import cached, fingerprint
from xlm_runtime.data import DataOptions, Prepared
from xlm_runtime.errors import UsageError
from xlm_runtime.rows import Dropped, Place
from xlm_runtime.store import Examples
from xlm_runtime.tasks.encoding import EDGES, PACKED, SPLITS, Encoding, Name, Packing
from xlm_runtime.tasks.english import english
from xlm_runtime.tasks.task import Task
from xlm_runtime.tokenizers import Tokenizer

if TYPE_CHECKING:
    from torchmetrics import MetricCollection

_VERSION = 2
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

    key: plain JSON values that change whenever the texts do. size: characters, roughly. rows: with
    where each stands in the source, which does not change with what others leave out.
    """

    title: str
    key: Mapping[str, Any]
    size: int
    rows: Callable[[Dropped], Iterator[tuple[Name, Place, str]]]


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
    rows: Callable[[Dropped], Iterator[tuple[Name, Place, tuple[str, ...]]]]


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
        files.choose(roles, columns, table)
    shares = {name: _SHARE for name in SPLITS if name not in parts.values()}
    prints = [[str(f.relative_to(path)), f.suffixes, parts[f], fingerprint(f)] for f in parts]
    key = {"files": prints, "columns": dict(columns), "shares": shares}

    def rows(dropped: Dropped) -> Iterator[tuple[Name, Place, tuple[str, ...]]]:
        for file, table in tables.items():
            own, name = parts[file], "" if file == path else str(file.relative_to(path))
            for place, texts in table.texts(roles, columns, dropped, name):
                yield (by_hash(texts[0], shares) if own == "train" else own), place, texts

    return UserRows(key, sum(f.stat().st_size for f in parts), rows)


def user_source(path: Path, columns: Mapping[str, str]) -> Source:
    """The user's texts; see `user_rows`."""
    found = user_rows(path, ("text",), columns)

    def rows(dropped: Dropped) -> Iterator[tuple[Name, Place, str]]:
        return ((split, place, text) for split, place, (text,) in found.rows(dropped))

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
    last: int = 0,
) -> Source:
    """A column of a data set on the Hub; ``published`` maps its splits to files.

    ``held_out`` are the shares of splits that it lacks, taken from its training texts by hash;
    ``last`` is how many of the last training texts are for testing.
    """
    key: dict[str, Any] = {
        "repo": repo,
        "revision": revision,
        "files": dict(published),
        "held out": dict(held_out),
    }
    key |= {} if column == "text" else {"column": column}
    key |= {"last": last} if last else {}

    def rows(dropped: Dropped) -> Iterator[tuple[Name, Place, str]]:
        data: Any = hub.dataset(repo, published, revision, INSTEAD)
        for split in (name for name in SPLITS if name in published):
            hub.has(data[split], (column,), repo, INSTEAD)
            ends = len(data[split]) - (last if split == "train" else 0)
            for place, (text,) in hub.cells(data[split], (column,), split, dropped):
                if split == "train":
                    yield (by_hash(text, held_out) if place.row <= ends else "test"), place, text
                else:
                    yield split, place, text

    return Source(f"{repo} on the Hub, {revision}", key, size, rows)


def parts_of(path: Path) -> dict[Path, Name]:
    """Files and their splits, by the name of the file or of a folder on the way to it."""
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


class TextTask(Task):
    """A task of plain text.

    It says where the published texts are (`published`), how they are cleaned, which tokenizer and
    block go with each preset, and what stands behind its numbers (``protocols``; under ``data`` for
    the user's texts, which ``--data`` gives). ``--preset quick`` without data reads the
    documentation of Python (`english`). A task that is ``packed`` puts texts end to end.
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

    def quick_texts(self, options: DataOptions) -> Source:
        """What ``--preset quick`` reads: texts that need no network."""
        file = english(options.cache)
        found = user_source(file, {})
        key = {"english": fingerprint(file), "shares": found.key["shares"]}
        return Source("the documentation that ships with Python", key, found.size, found.rows)

    def encoding(self, tokenizer: Tokenizer, block: int, clean: Callable[[str], str]) -> Encoding:
        """How texts become rows."""
        return (Packing if self.packed else Encoding)(tokenizer, block, clean)

    def prepare(self, options: DataOptions) -> Prepared:
        """Read, clean, tokenize and cut the texts, or find them in the cache."""
        source = self._source(options)
        name = options.tokenizer or self.tokenizers[options.preset]
        block = options.block or self.blocks[options.preset]
        clean = self.clean if options.preset == "paper" else str
        cleaned = [self.name, self.version] if options.preset == "paper" else []
        read = {"source": source.key, "clean": cleaned, "text": [_VERSION, store.VERSION]}
        tokenizer = self.tokenizer(name, options) or tokenizer_for(
            name, read, source, clean, options, self.packed
        )
        key = {**read, "tokenizer": tokenizer.fingerprint, "block": block}
        key |= {"packed": PACKED} if self.packed else {}

        def build(folder: Path) -> dict[str, Any]:
            return self.encoding(tokenizer, block, clean).run(source, folder)

        built = cached(options.cache, self.name, key, build)
        splits = {split: Examples(built.folder / split) for split in SPLITS}
        about = {"tokenizer": name, "vocabulary": tokenizer.vocabulary.size, "block": block}
        more = {"protocol": self._protocol(options), "cache": str(built.folder)}
        return Prepared(
            train=splits["train"],
            validation=splits["validation"],
            test=splits["test"],
            tokenizer=tokenizer,
            body=block,
            facts={"source": source.title, **built.facts, **about, **more},
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
            "protocol": self._protocol(options),
        }

    def metrics(self, _: Prepared) -> "MetricCollection":
        """How varied, how repetitive and how long texts are; of texts that are words."""
        from xlm_runtime.metrics import collection, language

        return collection(*language.texts())

    def tokenizer(self, name: str, options: DataOptions) -> Tokenizer | None:  # noqa: ARG002
        """A tokenizer that the task knows better than others do, by its name; None for others."""
        return None

    def _protocol(self, options: DataOptions) -> str:
        return f"{self.protocols['data' if options.data else options.preset]}; {EDGES}"

    def _source(self, options: DataOptions) -> Source:
        if options.data:
            return user_source(options.data, options.columns)
        if options.preset == "paper":
            return self.published()
        return self.quick_texts(options)


def tokenizer_for(
    name: str,
    key: Mapping[str, Any],
    source: Source,
    clean: Callable[[str], str],
    options: DataOptions,
    packed: bool = False,
) -> Tokenizer:
    """A published or local tokenizer, one of letters, or one trained on the texts and kept.

    ``key`` holds all that the texts depend on.
    """
    if name.startswith("letters:"):
        return tokenizers.letters(name[8:], options.specials, parting=packed)
    if not name.startswith("bpe:"):
        return tokenizers.pretrained(
            name, options.specials, instead(options), sharing=options.published, parting=packed
        )
    if not name[4:].isdecimal():
        raise UsageError(f"data.tokenizer={name}: write bpe:NUMBER, as in bpe:4096")
    if options.kept is not None:
        return tokenizers.load(options.kept)
    size = int(name[4:])

    def train(folder: Path) -> dict[str, int]:
        texts = (clean(text) for split, _, text in source.rows(Dropped()) if split == "train")
        made = tokenizers.bpe(texts, size, ())
        made.save(folder)
        return {"size": made.vocabulary.size}

    built = cached(options.cache, "tokenizers", {**key, "bpe": size}, train)
    made = str(built.folder / "tokenizer.json")
    return tokenizers.pretrained(made, options.specials, parting=packed)


def instead(options: DataOptions) -> str:
    """What to do where a published tokenizer cannot be fetched."""
    local = "--set data.tokenizer=bpe:4096 (trained on it; or a local folder or tokenizer.json)"
    if options.data or options.preset == "quick":
        return f"use {local}"
    return f"train on a file of your own: --data FILE with {local}; or use --preset quick"
