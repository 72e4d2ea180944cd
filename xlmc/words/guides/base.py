"""The base of the ways to guide answers."""

from attrs import frozen

from xlmc.syntax import ast, query
from xlmc.words.base import Word


@frozen
class Hidden:
    """A part of a row that an answer can do without: its name, and where a layout has it.

    ``lack`` says that no layout has it, ``example`` is one that does.
    """

    name: str
    meaning: str
    lack: str
    example: str

    def there(self, family: ast.Family) -> bool:
        """Return whether some layout has such a part."""
        raise NotImplementedError


@frozen
class Prompt(Hidden):
    """The prompt, before the brackets."""

    def there(self, family: ast.Family) -> bool:
        """Return whether some layout has a prompt."""
        slots = [slot.name for one in query.layouts(family) for slot in one.slots]
        return "prompt" in slots


@frozen
class Given(Hidden):
    """The tokens that are given inside the brackets."""

    def there(self, family: ast.Family) -> bool:
        """Return whether some layout keeps what is given."""
        return any(one.keeping is not None for one in query.layouts(family))


HIDDEN = (
    Prompt(
        "prompt",
        "what is before the brackets is masked",
        "no layout has a prompt",
        "seq2seq : prompt bos [body eos pad]",
    ),
    Given(
        "given",
        "the given tokens of the body are masked",
        "no layout keeps what is given",
        "infill : bos [body] eos keeping given",
    ),
)


class Guide(Word):
    """A way to move answers away from those that are given without some part of the row."""

    slot = "a guide"
