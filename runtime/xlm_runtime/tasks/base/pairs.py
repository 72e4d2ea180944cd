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
_Texts = tuple[Place, tuple[str, ...]]


def hub_pairs(
    repo: str, published: Mapping[str, str], columns: tuple[str, str], size: int, **more: Any
) -> Source:
    """Return two columns of a data set on the Hub; see `hub_rows`."""
    return hub_rows(repo, published, columns, size, _INSTEAD, **more)


class PairTask(Task):
    """A task whose data are prompts and targets in text.

    ``prompts`` and ``blocks`` are the room for a prompt and for a body, by preset; with the
    presets of ``snug`` a body has no more room than the longest needs. ``protocols`` describes the
    origin of its published numbers (under ``data`` for the user's pairs). ``roles`` maps what a row
    has to columns of examples; where the user names one, a row also has a draft.
    """

    layout: Literal["text", "seq2seq"] = "seq2seq"
    version = 1  # of `clean`
    roles: ClassVar[Mapping[str, str]] = {"prompt": "prompt", "target": "body"}
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
        roles = self._roles(options)
        read |= {"roles": [*roles]} if "draft" in roles else {}
        tokenizer = tokenizer_for(about["tokenizer"], read, source, str, options)
        room, chat, only = about["room"], options.chat, self.only_judged(options)
        key = {**read, "tokenizer": tokenizer.fingerprint, "room": room, "chat": chat}

        def build(folder: Path) -> dict[str, Any]:
            needed = SPLITS[-1:] if only else SPLITS
            encoding = _Encoding(tokenizer, roles, room, chat, needed)
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

    def _roles(self, options: DataOptions) -> Mapping[str, str]:
        """Return what a row has, and the columns of examples that it becomes."""
        return {**self.roles, **({"draft": "draft"} if "draft" in options.columns else {})}

    def _source(self, options: DataOptions) -> Source:
        if options.data:
            return user_rows(options.data, [*self._roles(options)], options.columns)
        if options.preset == "quick":
            return self.made(options.seed)
        found = self.published()

        def rows(dropped: Dropped) -> Iterator[Row]:
            return ((s, at, self.clean(s, *pair)) for s, at, pair in found.rows(dropped))

        return replace(found, rows=rows)


@dataclass
class _Encoding:
    """One pass over rows: tokenize, drop what is too long, write; and count what happened.

    roles: what a row has, and the columns that it becomes.  room: for a prompt, and for a body,
    which is also that for a draft.
    """

    tokenizer: Tokenizer
    roles: Mapping[str, str]
    room: Mapping[str, int]
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
                    some = [(at, texts) for s, at, texts in part if s == split]
                    if some:
                        self._write(writers[split], split, some, source.title)
                done += sum(map(len, chain.from_iterable(texts for *_, texts in part)))
                watch.at(done)
        sizes = {split: writer.rows for split, writer in writers.items()}
        self._check(sizes, source)
        tokens = {split: writer.tokens for split, writer in writers.items()}
        facts = {"sizes": sizes, "tokens": tokens, "dropped": self.dropped.facts()}
        return facts | self.unknown.facts()

    def _write(self, writer: Writer, split: Name, rows: list[_Texts], title: str) -> None:
        columns = [
            self._encoded(role, [(place, texts[k]) for place, texts in rows], title)
            for k, role in enumerate(self.roles)
        ]
        kept = []
        for (place, _), *ids in zip(rows, *columns, strict=True):
            fault = self._fault(ids)
            if fault:
                self.dropped.note(f"{fault} in {split}", place)
            else:
                kept.append(ids)
                self.unknown.note([*chain.from_iterable(ids)], place)
        names = enumerate(self.roles.values())
        writer.add(**{name: Block.of([ids[k] for ids in kept]) for k, name in names})

    def _encoded(self, role: str, texts: list[tuple[Place, str]], title: str) -> list[list[int]]:
        """Return the ids of some texts, of prompts in the chat template if there is one."""
        if self.chat and role == "prompt":
            return [self.tokenizer.chat(text) for _, text in texts]
        return [ids for _, ids in encoded(self.tokenizer, texts, title)]

    def _fault(self, row: list[list[int]]) -> str | None:
        """Return the reason why a row cannot be used; None if it can."""
        pairs = [*zip(self.roles, row, strict=True)]
        for role, ids in pairs:
            if not ids:
                return f"a {role} without a token"
        for role, ids in pairs:
            room = self.room["prompt" if role == "prompt" else "body"]
            if len(ids) > room:
                return f"a {role} of more than {room} tokens"
        return None

    def _check(self, sizes: Mapping[Name, int], source: Source) -> None:
        empty = [split for split in self.needed if sizes[split] == 0]
        if not empty:
            return
        kept = sum(sizes.values())
        raise RunError(
            f"{source.title}: no pair is left for {', '.join(empty)} (rows kept: {kept}; dropped: "
            f"{self.dropped.said}){more(kept)}"
        )
