"""Tasks whose problems are made, one by one and by index: seeded, and no problem in two splits."""

import sys
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from xlm_runtime import store
from xlm_runtime.cache import cached
from xlm_runtime.data import DataOptions, Prepared
from xlm_runtime.errors import RunError, UsageError
from xlm_runtime.plug import Example
from xlm_runtime.progress import Watch
from xlm_runtime.store import Block, Examples, Writer
from xlm_runtime.tasks.encoding import SPLITS, Name
from xlm_runtime.tasks.task import Task
from xlm_runtime.tokenizers import words

if TYPE_CHECKING:
    from torchmetrics import MetricCollection

_SHARES = 16  # of all problems, one in so many is for testing, and as many for validation
_TRIES = 2_000  # draws for one problem of a split
_CHUNK = 1_000


@dataclass(frozen=True)
class Problem:
    """Places among the words of a task: a prompt, and a body of which some tokens are given."""

    body: Sequence[int]
    given: Sequence[bool] = ()
    prompt: Sequence[int] = ()

    @property
    def asked(self) -> tuple[int, ...]:
        """What tells it from other problems: its prompt in any order, and what is given."""
        pairs = zip(self.body, self.given, strict=False)  # given is empty where nothing is
        return (*sorted(self.prompt), -1, *(x if kept else -1 for x, kept in pairs))


def split_of(problem: Problem) -> Name:
    """Where a problem belongs: settled by what is asked, so that splits share none."""
    name = repr(list(map(int, problem.asked))).encode()
    share = blake2b(name, digest_size=1).digest()[0] % _SHARES
    return "test" if share == 0 else "validation" if share == 1 else "train"


class MadeTask(Task):
    """A task whose problems `draw` makes; `right` says whether an answer is one of the right ones.

    A problem may have many right answers, so that exact match with the one that was drawn means
    little: the metric ``solved`` counts answers that are right. ``chance`` is how often a blind
    answer is, which keeps what is given and draws every other word uniformly.
    """

    version = 1  # of what `draw` makes
    longest_prompt = 0
    train_size: ClassVar[Mapping[str, int]]  # by preset
    held_out: ClassVar[Mapping[str, int]]

    @abstractmethod
    def draw(self, preset: str, rng: np.random.Generator) -> Problem:
        """A problem."""

    @abstractmethod
    def right(self, answer: Sequence[int], example: Example) -> bool:
        """Whether a body answers a problem; it has the right length and keeps what is given."""

    @abstractmethod
    def chance(self, example: Example) -> float:
        """How often a blind answer is right."""

    @abstractmethod
    def words(self, preset: str) -> list[str]:
        """The words of prompts and bodies, in the order of their ids."""

    def about(self, options: DataOptions) -> Mapping[str, Any]:
        """Where problems come from, their words, how many there are, and what is counted."""
        found = {
            "source": f"made with seed {options.seed}",
            "problem": " ".join((sys.modules[type(self).__module__].__doc__ or "").split()),
            "tokenizer": f"a word each: {_short(self.words(options.preset))}",
            "sizes": self._sizes(options),
        }
        return {**found, "protocol": self._protocol()}

    def _sizes(self, options: DataOptions) -> dict[str, int]:
        held_out, train = self.held_out[options.preset], self.train_size[options.preset]
        return {"train": train, "validation": held_out, "test": held_out}

    def split(self, problem: Problem) -> Name:
        """Where a problem belongs."""
        return split_of(problem)

    def metrics(self, _: Prepared) -> "MetricCollection":
        """Whether answers are right, beside how near they are to those that were drawn."""
        from xlm_runtime.metrics import ExactMatch, Solved, TokenAccuracy, collection

        return collection(Solved(self.solves), ExactMatch(), TokenAccuracy())

    def solves(self, answer: Sequence[int], example: Example) -> bool:
        """Whether an answer has the length of the body, keeps what is given, and is right."""
        given = example.given or (False,) * len(example.body)
        if len(answer) != len(example.body):
            return False
        kept = zip(answer, example.body, given, strict=True)
        return all(a == x for a, x, is_given in kept if is_given) and self.right(answer, example)

    def prepare(self, options: DataOptions) -> Prepared:
        """Make the problems, or find them in the cache."""
        if options.data:
            raise UsageError(f"{self.name} makes its problems: it takes no --data")
        if options.tokenizer:
            raise UsageError(f"{self.name} has one id per word: it takes no data.tokenizer")
        labels = self.words(options.preset)
        tokenizer = words(labels, options.specials)
        sizes = self._sizes(options)
        key = {
            "task": [self.name, self.version, store.VERSION],
            "preset": options.preset,
            "sizes": sizes,
            "seed": options.seed,
            "tokenizer": tokenizer.fingerprint,
        }

        def build(folder: Path) -> dict[str, Any]:
            for split in SPLITS:
                found = self._problems(split, sizes[split], options)
                _write(folder / split, split, sizes[split], found, tokenizer.vocabulary.size)
            test = Examples(folder / "test")
            guess = sum(map(self.chance, test)) / len(test)
            return {"sizes": sizes, "source": f"made with seed {options.seed}", "guess": guess}

        built = cached(options.cache, self.name, key, build)
        return self._prepared(built.folder, built.facts, options, tokenizer)

    def _prepared(
        self, folder: Path, facts: Mapping[str, Any], options: DataOptions, tokenizer: Any
    ) -> Prepared:
        splits = {split: Examples(folder / split) for split in SPLITS}
        longest = max(int(splits[split].lengths.max()) for split in SPLITS)
        block = longest if options.block is None else options.block
        if block < longest:
            raise UsageError(f"data.block={block}: a body of {self.name} has {longest} tokens")
        more = {"guess_means": "what is not given drawn uniformly", "cache": str(folder)}
        return Prepared(
            train=splits["train"],
            validation=splits["validation"],
            test=splits["test"],
            tokenizer=tokenizer,
            body=block,
            prompt=self.longest_prompt,
            facts={**facts, "protocol": self._protocol(), **more},
        )

    def _protocol(self) -> str:
        return (
            "solved: the answer has the length of the body, keeps what is given and breaks no "
            "rule, whether or not it is the one that was drawn; no problem is in two splits, and "
            "held-out ones are distinct"
        )

    def _problems(self, split: Name, size: int, options: DataOptions) -> Iterator[Problem]:
        """The problems of a split in their order; held-out ones are distinct."""
        made = (self._problem(split, index, options) for index in count())
        if split == "train":
            return islice(made, size)
        return self._distinct(made, size, split)

    def _distinct(self, made: Iterator[Problem], size: int, split: Name) -> Iterator[Problem]:
        seen: set[tuple[int, ...]] = set()
        for problem in islice(made, 100 * size):
            if len(seen) == size:
                return
            if problem.asked not in seen:
                seen.add(problem.asked)
                yield problem
        if len(seen) < size:
            raise RunError(f"{self.name}: there are fewer than {size} problems for {split}")

    def _problem(self, split: Name, index: int, options: DataOptions) -> Problem:
        for attempt in range(_TRIES):
            stream = [options.seed, SPLITS.index(split), index, attempt]
            problem = self.draw(options.preset, np.random.default_rng(stream))
            if self.split(problem) == split:
                return problem
        raise RunError(f"{self.name}: none of {_TRIES} problems belongs to {split}")


def _write(folder: Path, split: Name, size: int, made: Iterator[Problem], vocab: int) -> None:
    with Writer(folder, vocab) as writer, Watch(f"problems for {split}", size) as watch:
        while part := list(islice(made, _CHUNK)):
            writer.add(**blocks(part))
            watch.at(writer.rows)


def _short(words: Sequence[str]) -> str:
    return " ".join(words[:12]) + (f" ... ({len(words)})" if len(words) > 12 else "")


def blocks(problems: Sequence[Problem]) -> dict[str, Block]:
    """Problems as columns of `store.Writer`."""
    columns: dict[str, Callable[[Problem], Sequence[int]]] = {
        "body": lambda p: p.body,
        "given": lambda p: p.given,
        "prompt": lambda p: p.prompt,
    }
    return {name: Block.of([get(p) for p in problems]) for name, get in columns.items()}
