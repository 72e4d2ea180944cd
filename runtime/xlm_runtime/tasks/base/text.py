"""The common part of tasks of plain text: from rows of text to ids on disk."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from xlm_runtime import tokenizers
from xlm_runtime.data import store
from xlm_runtime.data.rows import Dropped
from xlm_runtime.data.store import Examples
from xlm_runtime.system.bounds import VOCABULARY
from xlm_runtime.system.cache import Built, cached, fingerprint
from xlm_runtime.system.errors import UsageError
from xlm_runtime.system.progress import Watch
from xlm_runtime.system.strict import short
from xlm_runtime.tasks.base import streaming
from xlm_runtime.tasks.base.encoding import EDGES, PACKED, Encoding, Packing
from xlm_runtime.tasks.base.english import english
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared
from xlm_runtime.tasks.base.published import hub_rows
from xlm_runtime.tasks.base.sources import Source, user_rows
from xlm_runtime.tasks.base.splits import SPLITS
from xlm_runtime.tasks.base.task import Task
from xlm_runtime.tokenizers import Tokenizer

if TYPE_CHECKING:
    from torchmetrics import MetricCollection

_VERSION = 3

INSTEAD = (
    "train on a file of your own with --data FILE (text, JSON lines, CSV or Parquet), or use "
    "--preset quick, which needs no download"
)


def hub_source(
    repo: str, published: Mapping[str, str], size: int, column: str = "text", **more: Any
) -> Source:
    """Return a column of texts of a data set on the Hub; see `hub_rows`."""
    return hub_rows(repo, published, (column,), size, INSTEAD, **more)


class TextTask(Task):
    """A task of plain text.

    It defines the published texts (`published`), their cleaning, the tokenizer and the block of
    each preset, and the origin of its published numbers (``protocols``; under ``data`` for the
    user's texts, which ``--data`` gives). ``--preset quick`` without data reads the documentation
    of Python (`english`). A task that is ``packed`` concatenates texts. Else texts are cut at the
    block, and if none of the user's is that long it shrinks to the longest.
    """

    layout = "text"
    streams = True
    version = 1  # of `clean`
    packing = PACKED  # the version of how rows are packed
    shipped = "the documentation that ships with Python"  # what `quick` reads without data
    blocks: ClassVar[Mapping[str, int]]
    tokenizers: ClassVar[Mapping[str, str]]
    protocols: ClassVar[Mapping[str, str]]

    @abstractmethod
    def published(self) -> Source:
        """Return the published texts; nothing is fetched before its rows are read."""

    def clean(self, text: str) -> str:
        """Clean a text for ``--preset paper``."""
        return text

    def quick_texts(self, options: DataOptions) -> Source:
        """Return the texts of ``--preset quick``, which need no download."""
        file = english(options.cache)
        found = user_rows(file, ("text",), {})
        key = {"english": fingerprint(file), "shares": found.key["shares"]}
        return Source("the documentation that ships with Python", key, found.size, found.rows)

    def encoding(self, tokenizer: Tokenizer, block: int, clean: Callable[[str], str]) -> Encoding:
        """Return the encoding of texts as rows."""
        return (Packing if self.packed else Encoding)(tokenizer, block, clean)

    def prepare(self, options: DataOptions) -> Prepared:
        """Read, clean, tokenize and cut the texts, or find them in the cache."""
        source = self._source(options)
        source = (source.begun() if options.stream else source).fixed(options.cache)
        clean = self.clean if options.preset == "paper" else str
        cleaned = [self.name, self.version] if options.preset == "paper" else []
        read = {"source": source.key, "clean": cleaned, "text": [_VERSION, store.VERSION]}
        tokenizer = self._tokenizer(options, read, source, clean)
        how = tokenizer, options.block or self.blocks[options.preset], clean
        key = {**read, "tokenizer": tokenizer.fingerprint, "block": how[1]}
        key |= {"packed": self.packing} if self.packed else {}

        def build(folder: Path) -> dict[str, Any]:
            return self.encoding(*how).run(source, folder)

        built = cached(options.cache, self.name, key, build)
        found = self._prepared(options, source, tokenizer, built)
        if not options.stream or source.reading is None:
            return found
        stream = streaming.stream(source.reading, options.window, self.encoding(*how))
        return replace(found, stream=stream, facts={**found.facts, "stream": stream.told})

    def _tokenizer(
        self,
        options: DataOptions,
        key: Mapping[str, Any],
        source: Source,
        clean: Callable[[str], str],
    ) -> Tokenizer:
        """Return the tokenizer of the texts; see `tokenizer_for`."""
        name = options.tokenizer or self.tokenizers[options.preset]
        if options.stream and name.startswith("bpe:") and options.kept is None:
            raise UsageError(
                f"data.stream: {name} would be trained on all texts, which a stream does not read: "
                "name a tokenizer with --tokenizer, one on the Hub or a local file"
            )
        own = self.tokenizer(name, options)
        return own or tokenizer_for(name, key, source, clean, options, self.packed)

    def _prepared(
        self, options: DataOptions, source: Source, tokenizer: Tokenizer, built: Built
    ) -> Prepared:
        """Return the texts that are in the cache, with all that is known of them."""
        splits = [Examples(built.folder / split) for split in SPLITS]
        train, validation, test = splits
        longest = max(int(one.lengths.max()) for one in splits)
        room = options.block or self.blocks[options.preset]
        block = longest if self.follows(options) else room
        shown = block if block == room else f"{block}, the longest text (data.block sets another)"
        about = {
            "tokenizer": options.tokenizer or self.tokenizers[options.preset],
            "vocabulary": tokenizer.vocabulary.size,
            "block": shown,
            "protocol": self._protocol(options),
            "cache": str(built.folder),
        }
        facts = {**source.facts, **built.facts, **about}
        return Prepared(
            train=train, validation=validation, test=test, tokenizer=tokenizer, body=block,
            facts=facts,
        )  # fmt: skip

    def follows(self, options: DataOptions) -> bool:
        """Return whether the block shrinks to the longest text: with the user's own data.

        Not if a setting fixes the block, or if rows are packed, and so as long as the block, or
        come from a stream, whose longest is unknown.
        """
        return bool(options.data) and not (self.packed or options.block or options.stream)

    def about(self, options: DataOptions) -> Mapping[str, Any]:
        """Describe source, cleaning, tokenizer, block and protocol."""
        found: dict[str, Any] = {"source": str(options.data or self.shipped)}
        if options.preset == "paper":
            published = self.published()
            found = found if options.data else {"source": published.title, **published.key}
            found |= cleaning(type(self).clean, TextTask.clean)
        return {
            **found,
            "tokenizer": options.tokenizer or self.tokenizers[options.preset],
            "block": options.block or self.blocks[options.preset],
            "protocol": self._protocol(options),
        }

    def metrics(self, _: Prepared) -> "MetricCollection":
        """Return metrics of variety, repetition and length, for texts of words."""
        from xlm_runtime.metrics import collection, language

        return collection(*language.texts())

    def tokenizer(self, name: str, options: DataOptions) -> Tokenizer | None:  # noqa: ARG002
        """Return a tokenizer that only this task knows, by its name; None for other names."""
        return None

    def _protocol(self, options: DataOptions) -> str:
        return f"{self.protocols['data' if options.data else options.preset]}; {EDGES}"

    def _source(self, options: DataOptions) -> Source:
        if options.stream and options.data:
            return streaming.folder(options.data, options.columns)
        if options.data:
            return user_rows(options.data, ("text",), options.columns)
        if options.preset == "paper":
            return self.published()
        return self.quick_texts(options)


def cleaning(own: Callable[..., object], none: Callable[..., object]) -> dict[str, str]:
    """Return the docstring of a task's own cleaning, if it has one, as a fact."""
    return {} if own is none else {"cleaning": " ".join((own.__doc__ or "").split())}


def tokenizer_for(
    name: str,
    key: Mapping[str, Any],
    source: Source,
    clean: Callable[[str], str],
    options: DataOptions,
    packed: bool = False,
) -> Tokenizer:
    """Return a published or local tokenizer, one of letters, or one trained on the texts.

    ``key`` holds all that the texts depend on; a trained one is kept in the cache.
    """
    if name.startswith("letters:"):
        return tokenizers.letters(name[8:], options.specials, parting=packed)
    if not name.startswith("bpe:"):
        return tokenizers.pretrained(
            name, options.specials, instead(options), sharing=options.published, parting=packed
        )
    if not name[4:].isdecimal():
        raise UsageError(f"data.tokenizer={name}: write bpe:NUMBER, as in bpe:4096")
    size = int(name[4:60])  # far out of bounds, but not too long to be read
    if size not in VOCABULARY:
        raise UsageError(f"data.tokenizer=bpe:{short(size)}: the size {VOCABULARY.refusal(size)}")
    if options.kept is not None:
        return tokenizers.load(options.kept)

    def train(folder: Path) -> dict[str, int]:
        with Watch("reading for the tokenizer", source.size) as watch:
            made = tokenizers.bpe(_watched(source, clean, watch), size, ())
        made.save(folder)
        return {"size": made.vocabulary.size}

    built = cached(options.cache, "tokenizers", {**key, "bpe": size}, train)
    made = str(built.folder / "tokenizer.json")
    return tokenizers.pretrained(made, options.specials, parting=packed)


def _watched(source: Source, clean: Callable[[str], str], watch: Watch) -> Iterator[str]:
    """Yield the texts of training, and show the progress."""
    done = 0
    for split, _, texts in source.rows(Dropped()):
        if split == "train":
            yield from map(clean, texts)
        done += sum(map(len, texts))
        watch.at(min(done, source.size))


def instead(options: DataOptions) -> str:
    """Return the remedy for a published tokenizer that cannot be fetched."""
    local = "--set data.tokenizer=bpe:4096 (trained on it; or a local folder or tokenizer.json)"
    if options.data or options.preset == "quick":
        return f"use {local}"
    return f"train on a file of your own: --data FILE with {local}; or use --preset quick"
