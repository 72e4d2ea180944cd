"""The input of a metric: one answer, and its example."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from xlm_runtime.plug import Example
from xlm_runtime.tokenizers import Tokenizer


@dataclass(frozen=True)
class Answer:
    """A generated body, as ids and as text.

    ids: the body up to its end, unpadded. example: what it answers; in a task of plain texts, an
    empty example. `said`: the answer as it was written, where ids do not show all of it.
    """

    ids: Sequence[int]
    example: Example
    tokenizer: Tokenizer
    said: str | None = None

    @cached_property
    def text(self) -> str:
        """The answer."""
        return self.tokenizer.decode(self.ids) if self.said is None else self.said

    @cached_property
    def prompt(self) -> str:
        """The text of the prompt."""
        return self.tokenizer.decode(self.example.prompt)

    @cached_property
    def target(self) -> str:
        """The body of the example."""
        return self.tokenizer.decode(self.example.body)


def documents(answer: Answer) -> list[str]:
    """Return the texts that an answer concatenates; one, if nothing separates them."""
    return answer.tokenizer.documents(answer.text)
