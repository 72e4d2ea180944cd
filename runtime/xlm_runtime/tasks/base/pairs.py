"""The common part of tasks of prompts and answers: from rows of a table to ids on disk.

A row that is too long is dropped, counted and named, never cut: half an answer is a wrong one.
"""

from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, ClassVar, Literal

from xlm_runtime.data import store
from xlm_runtime.data.rows import Dropped, Place
from xlm_runtime.data.store import Block, Examples, Writer
from xlm_runtime.system.cache import cached
from xlm_runtime.system.errors import RunError
from xlm_runtime.system.progress import Watch
from xlm_runtime.tasks.base.counted import Unknown, encoded, more
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared
from xlm_runtime.tasks.base.published import hub_rows
from xlm_runtime.tasks.base.sources import Row, Source, user_rows
from xlm_runtime.tasks.base.splits import SPLITS, Name
from xlm_runtime.tasks.base.task import Task
from xlm_runtime.tasks.base.text import cleaning, tokenizer_for
from xlm_runtime.tokenizers import Tokenizer

_VERSION = 2
_BATCH = 1000
_INSTEAD = (
    "train on pairs of your own with --data FILE (JSON lines, CSV or Parquet with columns prompt "
    "and target), or use --preset quick, which needs no download"
)
_Pair = tuple[Place, str, str]


def hub_pairs(
    repo: str, published: Mapping[str, str], columns: tuple[str, str], size: int, **more: Any
) -> Source:
    """Return two columns of a data set on the Hub; see `hub_rows`."""
    return hub_rows(repo, published, columns, size, _INSTEAD, **more)


class PairTask(Task):
    """A task whose data are prompts and targets in text.

    ``prompts`` and ``blocks`` are the room for a prompt and for a body, by preset; with the
    presets of ``snug`` a body has no more room than the longest needs. ``protocols`` describes the
    origin of its published numbers (under ``data`` for the user's pairs).
    """

    layout = "seq2seq"
    version = 1  # of `clean`
    snug: ClassVar[Collection[str]] = ()
    prompts: ClassVar[Mapping[str, int]]
    blocks: ClassVar[Mapping[str, int]]
    tokenizers: ClassVar[Mapping[str, str]]
    protocols: ClassVar[Mapping[str, str]]

    def loss(self, options: DataOptions) -> Literal["test", "validation", "none"]:  # noqa: ARG002
        """Return the split of which an evaluation computes the loss; see `Prepared`."""
        return "test"

    def only_judged(self, options: DataOptions) -> str:  # noqa: ARG002
        """Explain why the data, a test split alone, cannot train a model; empty if they can."""
        return ""

    @abstractmethod
    def published(self) -> Source:
        """Return the published pairs; nothing is fetched before its rows are read."""

    @abstractmethod
    def made(self, seed: int) -> Source:
        """Return the pairs of ``--preset quick``, which need no download."""

    def clean(self, split: Name, prompt: str, target: str) -> tuple[str, str]:  # noqa: ARG002
        """Clean a published pair."""
        return prompt, target

    def about(self, options: DataOptions) -> Mapping[str, Any]:
        """Describe source, cleaning, tokenizer, room and protocol."""
        source = None if options.data else self._source(options)
        found: dict[str, Any] = {"source": str(options.data)}
        if source:
            found = {"source": source.title, **source.key}
        if options.preset == "paper":
            found |= cleaning(type(self).clean, PairTask.clean)
        return {
            **found,
            "tokenizer": options.tokenizer or self.tokenizers[options.preset],
            "room": {
                "prompt": options.prompt or self.prompts[options.preset],
                "body": options.block or self.blocks[options.preset],
            },
            "protocol": self.protocols["data" if options.data else options.preset],
        }

    def prepare(self, options: DataOptions) -> Prepared:
        """Read, clean and tokenize the pairs, or find them in the cache."""
        source, about = self._source(options).fixed(options.cache), self.about(options)
        cleaned = [self.name, self.version] if not options.data else []
        read = {"source": source.key, "clean": cleaned, "pairs": [_VERSION, store.VERSION]}
        tokenizer = tokenizer_for(about["tokenizer"], read, source, str, options)
        room, chat, only = about["room"], options.chat, self.only_judged(options)
        key = {**read, "tokenizer": tokenizer.fingerprint, "room": room, "chat": chat}

        def build(folder: Path) -> dict[str, Any]:
            needed = SPLITS[-1:] if only else SPLITS
            encoding = _Encoding(tokenizer, room["prompt"], room["body"], chat, needed)
            size = tokenizer.vocabulary.size
            return {**encoding.run(source, folder), "vocabulary": size}

        built = cached(options.cache, self.name, key, build)
        splits = {s: Examples(built.folder / ("test" if only else s)) for s in SPLITS}
        longest = max(int(one.lengths.max()) for one in splits.values())
        return Prepared(
            train=splits["train"],
            validation=splits["validation"],
            test=splits["test"],
            tokenizer=tokenizer,
            body=longest if options.preset in self.snug and not options.block else room["body"],
            prompt=room["prompt"],
            loss=self.loss(options),
            untrainable=only,
            facts={**about, **source.facts, **built.facts, "cache": str(built.folder)},
        )

    def _source(self, options: DataOptions) -> Source:
        if options.data:
            return user_rows(options.data, ("prompt", "target"), options.columns)
        if options.preset == "quick":
            return self.made(options.seed)
        found = self.published()

        def rows(dropped: Dropped) -> Iterator[Row]:
            return ((s, at, self.clean(s, *pair)) for s, at, pair in found.rows(dropped))

        return replace(found, rows=rows)


@dataclass
class _Encoding:
    """One pass over pairs: tokenize, drop what is too long, write; and count what happened."""

    tokenizer: Tokenizer
    prompt: int
    body: int
    chat: bool
    needed: Sequence[Name]
    dropped: Dropped = field(default_factory=Dropped)
    unknown: Unknown = field(init=False)

    def __post_init__(self) -> None:
        self.unknown = Unknown(self.tokenizer.unknown)

    def run(self, source: Source, folder: Path) -> dict[str, Any]:
        """Fill ``folder`` and return its facts.  Raises RunError if a split remains empty."""
        with ExitStack() as stack:
            vocab = self.tokenizer.vocabulary.size
            writers = {s: stack.enter_context(Writer(folder / s, vocab)) for s in SPLITS}
            watch = stack.enter_context(Watch("tokenizing", source.size))
            rows, done = source.rows(self.dropped), 0
            while part := list(islice(rows, _BATCH)):
                for split in SPLITS:
                    pairs = [(at, p, t) for s, at, (p, t) in part if s == split]
                    if pairs:
                        self._write(writers[split], split, pairs, source.title)
                done += sum(map(len, chain.from_iterable(pair for *_, pair in part)))
                watch.at(done)
        sizes = {split: writer.rows for split, writer in writers.items()}
        self._check(sizes, source)
        tokens = {split: writer.tokens for split, writer in writers.items()}
        facts = {"sizes": sizes, "tokens": tokens, "dropped": self.dropped.facts()}
        return facts | self.unknown.facts()

    def _write(self, writer: Writer, split: Name, pairs: list[_Pair], title: str) -> None:
        questions = [(place, prompt) for place, prompt, _ in pairs]
        if self.chat:
            prompts = [(place, self.tokenizer.chat(prompt)) for place, prompt in questions]
        else:
            prompts = encoded(self.tokenizer, questions, title)
        kept = []
        bodies = encoded(self.tokenizer, [(place, target) for place, _, target in pairs], title)
        for (place, prompt), (_, body) in zip(prompts, bodies, strict=True):
            fault = self._fault(prompt, body)
            if fault:
                self.dropped.note(f"{fault} in {split}", place)
            else:
                kept.append((prompt, body))
                self.unknown.note([*prompt, *body], place)
        writer.add(body=Block.of([b for _, b in kept]), prompt=Block.of([p for p, _ in kept]))

    def _fault(self, prompt: list[int], body: list[int]) -> str | None:
        """Return the reason why a pair cannot be used; None if it can."""
        if not prompt or not body:
            return f"a {'target' if prompt else 'prompt'} without a token"
        if len(prompt) > self.prompt:
            return f"a prompt of more than {self.prompt} tokens"
        return f"a target of more than {self.body} tokens" if len(body) > self.body else None

    def _check(self, sizes: Mapping[Name, int], source: Source) -> None:
        empty = [split for split in self.needed if sizes[split] == 0]
        if not empty:
            return
        kept = sum(sizes.values())
        raise RunError(
            f"{source.title}: no pair is left for {', '.join(empty)} (rows kept: {kept}; dropped: "
            f"{self.dropped.said}){more(kept)}"
        )
