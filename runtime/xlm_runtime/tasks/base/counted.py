"""Counts of the rows of a task that were cut, or that have tokens outside the vocabulary."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from xlm_runtime.data.rows import Named, Place
from xlm_runtime.system.errors import UsageError
from xlm_runtime.tokenizers import Tokenizer

Text = tuple[Place, str]
Encoded = tuple[Place, list[int]]


@dataclass
class Cut:
    """Texts that were cut: how many of each split, and which were the first."""

    splits: dict[str, int]
    named: Named = field(default_factory=Named)

    def note(self, split: str, place: Place) -> None:
        """Record that the text at ``place`` is longer than its room."""
        self.splits[split] += 1
        self.named.note(place)

    def facts(self) -> dict[str, Any]:
        """Return the cut rows of each split, and the first of all if there are some."""
        return {**self.splits, **({"first": self.named.first} if self.named.rows else {})}


@dataclass
class Unknown:
    """Tokens that a vocabulary lacks: how many, and the rows that they are in."""

    token: int | None
    tokens: int = 0
    named: Named = field(default_factory=Named)

    def note(self, ids: Sequence[int], place: Place) -> None:
        """Count the unknown ids of a row."""
        count = 0 if self.token is None else ids.count(self.token)
        if count:
            self.tokens += count
            self.named.note(place)

    def facts(self) -> dict[str, Any]:
        """Return the counts; empty if every text can be spelled."""
        if self.token is None:
            return {}
        rows = {"rows": self.named.rows, "first": self.named.first} if self.tokens else {}
        return {"unknown": {"tokens": self.tokens, **rows}}


def encoded(tokenizer: Tokenizer, texts: Sequence[Text], title: str) -> list[Encoded]:
    """Encode texts.  Raises UsageError, which names the row, for words without an id."""
    try:
        rows = tokenizer.encode_all([text for _, text in texts])
    except UsageError:
        for place, text in texts:
            try:
                tokenizer.encode(text)
            except UsageError as error:
                raise UsageError(f"{title}: row {place.shown}: {error}") from error
        raise
    return [(place, row) for (place, _), row in zip(texts, rows, strict=True)]


def more(kept: int, wanted: str = "more different rows,") -> str:
    """Return the remedy for an empty split; empty if no row was kept."""
    if not kept:
        return ""
    return (
        f"; of different rows one in 20 goes to each held-out split: give {wanted} or a folder "
        "with train.*, validation.* and test.*"
    )
