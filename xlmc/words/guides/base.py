"""The base of the ways to guide answers."""

from attrs import frozen

from xlmc.syntax import ast, query
from xlmc.theory.process import Process
from xlmc.words.base import Word


@frozen
class Hidden:
    """A part of a row that an answer can do without: its name, and where a layout has it.

    ``lack`` is the message that no layout has it, ``example`` a layout that does.
    """

    name: str
    meaning: str
    lack: str
    example: str

    def there(self, family: ast.Family) -> bool:
        """Return whether some layout has the part that guidance leaves out."""
        raise NotImplementedError

    def why_not(self, family: ast.Family, process: Process) -> tuple[str, str]:
        """Return why no answer can be without it, and a hint; two times "" if one can."""
        del family, process
        return "", ""


@frozen
class Prompt(Hidden):
    """The prompt, before the brackets."""

    def there(self, family: ast.Family) -> bool:
        """Return whether some layout has a prompt."""
        slots = [slot.name for one in query.layouts(family) for slot in one.slots]
        return "prompt" in slots

    def why_not(self, family: ast.Family, process: Process) -> tuple[str, str]:
        """Return why the first gap would have no token to its left."""
        if process.masks or not process.drops or around_prompt(family)[1]:
            return "", ""
        why = "the first gap is read at the token to its left, which belongs to the prompt"
        return why, "put an anchor between them: `cls prompt bos [body]`"


@frozen
class Given(Hidden):
    """The tokens that are given inside the brackets."""

    def there(self, family: ast.Family) -> bool:
        """Return whether some layout keeps what is given."""
        return any(one.keeping is not None for one in query.layouts(family))

    def why_not(self, family: ast.Family, process: Process) -> tuple[str, str]:
        """Return why no answer is like that without the given tokens."""
        del family
        if process.replaces:
            why = "this noise has no masks to hide them, and without them other tokens would move"
            return why, "write `without = prompt`"
        if process.masks or not process.drops:
            return "", ""
        why = "without the given tokens the gaps next to them do not exist, and cannot be compared"
        return why, "write `without = prompt`"


def around_prompt(family: ast.Family) -> tuple[int, int]:
    """Return how many specials of a layout are before its prompt, and between it and the brackets.

    Only one layout has a prompt.
    """
    for one in query.layouts(family):
        names = [slot.name for slot in one.slots if not slot.free]
        if "prompt" in names:
            start = next(i for i, slot in enumerate(one.slots) if slot.free)
            return names.index("prompt"), start - names.index("prompt") - 1
    return 0, 0


HIDDEN = (
    Prompt(
        "prompt",
        "the prompt: masked with all before the brackets, or taken out where there are no masks",
        "no layout has a prompt",
        "seq2seq : prompt bos [body eos pad]",
    ),
    Given(
        "given",
        "the given tokens of the body: masked, or taken out where there are no masks",
        "no layout keeps given tokens",
        "infill : bos [body] eos keeping given",
    ),
)


class Guide(Word):
    """A way to move answers away from those that are given without some part of the row."""

    slot = "a guide"
