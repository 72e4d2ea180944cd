"""A problem with a right answer, and the split that it belongs to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from xlm_runtime.data.store import Block
from xlm_runtime.tasks.base.splits import Name

SHARES = 16  # of all problems, one in so many is for testing, and as many for validation


@dataclass(frozen=True)
class Problem:
    """Places among the words of a task: a prompt, and a body of which some tokens are given."""

    body: Sequence[int]
    given: Sequence[bool] = ()
    prompt: Sequence[int] = ()

    @property
    def asked(self) -> tuple[int, ...]:
        """The identity of a problem: its prompt in any order, and its given words."""
        pairs = zip(self.body, self.given, strict=False)  # given is empty where nothing is
        return (*sorted(self.prompt), -1, *(x if kept else -1 for x, kept in pairs))


def split_of(problem: Problem) -> Name:
    """Return the split of a problem: a function of its question, so that splits share none."""
    name = repr(list(map(int, problem.asked))).encode()
    share = blake2b(name, digest_size=1).digest()[0] % SHARES
    return "test" if share == 0 else "validation" if share == 1 else "train"


def blocks(problems: Sequence[Problem]) -> dict[str, Block]:
    """Arrange problems as columns of `store.Writer`."""
    columns: dict[str, Callable[[Problem], Sequence[int]]] = {
        "body": lambda p: p.body,
        "given": lambda p: p.given,
        "prompt": lambda p: p.prompt,
    }
    return {name: Block.of([get(p) for p in problems]) for name, get in columns.items()}
