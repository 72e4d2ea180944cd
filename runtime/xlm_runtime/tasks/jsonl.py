"""The user's own data: pairs of prompts and targets, or texts, whichever ``--data`` holds.

    xlmc run out/ilm --task jsonl --data my.jsonl --columns prompt=question,target=answer

JSON lines, CSV, Parquet or text, a file or a folder with ``train.*``, ``validation.*`` and
``test.*``. With columns for prompt and target it is ``seq2seq``, with one of texts ``text``;
``draft=COLUMN`` names one of drafts, for families that make texts of them. Rows
of one file go to splits by a hash of their prompt or text, 5 % to each held-out split. Rows of more
than 512 tokens (`data.block`) are dropped if they are pairs, and cut if they are texts; both are
counted.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import ClassVar

from xlm_runtime.data import files
from xlm_runtime.system.errors import UsageError
from xlm_runtime.tasks.base.pairs import PairTask
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared
from xlm_runtime.tasks.base.sources import Source, parts_of
from xlm_runtime.tasks.base.task import READING, Task
from xlm_runtime.tasks.base.text import TextTask

_ROOM = {"quick": 512, "paper": 512}
_TOKENIZER = {"quick": "bpe:4096", "paper": "bpe:4096"}
_NONE = (
    "task jsonl reads your own data: --data FILE, and if its columns have other names --columns "
    "prompt=COLUMN,target=COLUMN or --columns text=COLUMN"
)


class OwnPairs(PairTask):
    """Pairs of the user's."""

    name = "jsonl"
    title = "Your own pairs of prompts and targets"
    snug: ClassVar[Collection[str]] = ("quick", "paper")
    prompts: ClassVar[Mapping[str, int]] = _ROOM
    blocks: ClassVar[Mapping[str, int]] = _ROOM
    tokenizers: ClassVar[Mapping[str, str]] = _TOKENIZER
    protocols: ClassVar[Mapping[str, str]] = {
        "data": "exact match and token accuracy of the target's tokens; pairs beyond the room are "
        "dropped, in the test split too; splits by file or by hash of the prompt"
    }
    quick: ClassVar[Mapping[str, float | int | str]] = READING

    def published(self) -> Source:
        """Raise UsageError: there are no published pairs."""
        raise UsageError(_NONE)

    def made(self, _: int) -> Source:
        """Raise UsageError: there are no made pairs."""
        raise UsageError(_NONE)


class OwnRepairs(OwnPairs):
    """Texts of the user's, each with a draft that it is made of."""

    title = "Your own texts and their drafts"
    layout = "text"
    roles: ClassVar[Mapping[str, str]] = {"text": "body"}
    prompts: ClassVar[Mapping[str, int]] = dict.fromkeys(_ROOM, 0)
    protocols: ClassVar[Mapping[str, str]] = {
        "data": "every row alone; texts and drafts beyond the room are dropped, in the test split "
        "too; splits by file or by hash of the text"
    }


class OwnTexts(TextTask):
    """Texts of the user's."""

    name = "jsonl"
    title = "Your own texts"
    blocks: ClassVar[Mapping[str, int]] = _ROOM
    tokenizers: ClassVar[Mapping[str, str]] = _TOKENIZER
    protocols: ClassVar[Mapping[str, str]] = {
        "data": "every row alone, cut at the block; splits by file or by hash of the row"
    }
    quick: ClassVar[Mapping[str, float | int | str]] = READING

    def published(self) -> Source:
        """Raise UsageError: there are no published texts."""
        raise UsageError(_NONE)


class Jsonl(Task):
    """Pairs, texts, or texts and their drafts, depending on the columns of the file."""

    name = "jsonl"
    title = "Your own pairs or texts: --data FILE"
    layout = "seq2seq"
    quick: ClassVar[Mapping[str, float | int | str]] = READING

    def given(self, data: Path | None, columns: Mapping[str, str]) -> Task:
        """Return the task of pairs if the file has prompts and targets, else of texts.

        Texts have drafts where a column of them is named.

        Raises UsageError if it has neither.
        """
        if data is None:
            return self
        if columns.keys() & {"prompt", "target"}:
            return OwnPairs()
        texts = OwnRepairs() if "draft" in columns else OwnTexts()
        if "text" in columns:
            return texts
        table = files.read(next(iter(parts_of(data)), data))
        if {"prompt", "target"} <= set(table.head):
            return OwnPairs()
        if "text" in table.head:
            return texts
        there = table.columns  # of all rows: a column may begin late
        if {"prompt", "target"} <= set(there):
            return OwnPairs()
        if "text" in there or len(there) == 1:
            return texts
        raise UsageError(
            f"--data {data}: which of its columns ({', '.join(there)}) should be read? Write "
            "--columns prompt=COLUMN,target=COLUMN for pairs, --columns text=COLUMN for texts"
        )

    def prepare(self, _: DataOptions) -> Prepared:
        """Raise UsageError: there are no data."""
        raise UsageError(_NONE)


JSONL = Jsonl()
