"""Tasks whose problems are made, one by one and by index: seeded, and no problem in two splits."""

import sys
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from xlm_runtime.data import store
from xlm_runtime.data.store import Examples, Writer
from xlm_runtime.plug import Example
from xlm_runtime.system.cache import cached
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.system.progress import Watch
from xlm_runtime.tasks.base import tables
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared, roomy
from xlm_runtime.tasks.base.problem import Problem, blocks, split_of
from xlm_runtime.tasks.base.sources import Source
from xlm_runtime.tasks.base.splits import SPLITS, Name
from xlm_runtime.tasks.base.task import Task
from xlm_runtime.tokenizers import words

if TYPE_CHECKING:
    from torchmetrics import MetricCollection

_TRIES = 2_000  # draws for one problem of a split
_CHUNK = 1_000


class MadeTask(Task):
    """A task whose problems `draw` makes; `right` decides whether an answer solves one.

    A problem may have many right answers, so that exact match with the drawn one means little: the
    metric ``solved`` counts right answers. ``chance`` is the rate of a uniform guess, which keeps
    the given words and draws every other one uniformly.

    Problems are read instead from tables with ``columns``: the user's with ``--data``, those that
    are `published` with ``--preset paper``. `row` makes a problem of a row. They are as with
    preset paper whatever the preset.
    """

    makes = True
    version = 1  # of what `draw` makes
    longest_prompt = 0
    columns: ClassVar[Sequence[str]]
    train_size: ClassVar[Mapping[str, int]]  # by preset
    held_out: ClassVar[Mapping[str, int]]

    @abstractmethod
    def draw(self, preset: str, rng: np.random.Generator) -> Problem:
        """Draw a problem."""

    @abstractmethod
    def right(self, answer: Sequence[int], example: Example) -> bool:
        """Return whether a body solves a problem; it has the right length and keeps given words."""

    @abstractmethod
    def chance(self, example: Example) -> float:
        """Return the chance that a uniform guess solves a problem."""

    @abstractmethod
    def words(self, preset: str) -> list[str]:
        """List the words of prompts and bodies, in the order of their ids."""

    @abstractmethod
    def row(self, *texts: str) -> Problem | str:
        """Build the problem of a row, whose texts are those of ``columns``, or return its fault."""

    def published(self) -> Source | None:
        """Return the table of preset paper; None if its problems are made."""
        return None

    def about(self, options: DataOptions) -> Mapping[str, Any]:
        """Describe the problems: their origin, words, numbers, and the protocol."""
        return {
            **self._origin(options),
            "problem": " ".join((sys.modules[type(self).__module__].__doc__ or "").split()),
            "protocol": self._protocol(),
        }

    def _origin(self, options: DataOptions) -> Mapping[str, Any]:
        words = f"a word each: {_short(self.words(options.preset))}"
        if options.data:
            return {"source": str(options.data), "columns": list(self.columns)}
        if table := self._published(options):
            return {"source": table.title, **table.key}
        made = f"made with seed {options.seed}"
        return {"source": made, "tokenizer": words, "sizes": self._sizes(options)}

    def _sizes(self, options: DataOptions) -> dict[str, int]:
        held_out, train = self.held_out[options.preset], self.train_size[options.preset]
        return {"train": train, "validation": held_out, "test": held_out}

    def split(self, problem: Problem) -> Name:
        """Return the split of a problem."""
        return split_of(problem)

    def metrics(self, _: Prepared) -> "MetricCollection":
        """Return the metrics: solved problems, and the match with the drawn answers."""
        from xlm_runtime.metrics import ExactMatch, Solved, TokenAccuracy, collection

        return collection(Solved(self.solves), ExactMatch(), TokenAccuracy())

    def solves(self, answer: Sequence[int], example: Example) -> bool:
        """Return whether an answer has the body's length, keeps given words, and is right."""
        given = example.given or (False,) * len(example.body)
        if len(answer) != len(example.body):
            return False
        kept = zip(answer, example.body, given, strict=True)
        return all(a == x for a, x, is_given in kept if is_given) and self.right(answer, example)

    def prepare(self, options: DataOptions) -> Prepared:
        """Make the problems, or read them, or find them in the cache."""
        if options.tokenizer:
            raise UsageError(
                f"{self.name} has one id per word: neither data.tokenizer nor weights with one fit"
            )
        table = tables.own(options, self.columns) if options.data else self._published(options)
        if table is not None:
            return self._read(table.fixed(options.cache), options)
        tokenizer = words(self.words(options.preset), options.specials)
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
            source = {"source": f"made with seed {options.seed}"}
            return {"sizes": sizes, **source, **self._looked_at(folder)}

        built = cached(options.cache, self.name, key, build)
        return self._prepared(built.folder, built.facts, options, tokenizer)

    def _published(self, options: DataOptions) -> Source | None:
        return self.published() if options.preset == "paper" and not options.made else None

    def _read(self, table: Source, options: DataOptions) -> Prepared:
        """Prepare the problems of a table, as with preset paper whatever the preset."""
        tokenizer = words(self.words("paper"), options.specials)
        size = tokenizer.vocabulary.size
        key = {"table": [tables.VERSION, store.VERSION], **table.key, "vocabulary": size}

        def build(folder: Path) -> dict[str, Any]:
            facts = tables.written(table, folder, size, self.row)
            return {**facts, **self._looked_at(folder)}

        built = cached(options.cache, self.name, key, build)
        return self._prepared(built.folder, {**table.facts, **built.facts}, options, tokenizer)

    def _looked_at(self, folder: Path) -> dict[str, Any]:
        """Return the rate of a guess, and the shares of repeated problems and answers."""
        train, test = Examples(folder / "train"), Examples(folder / "test")
        answers = {tuple(one.body) for one in train}
        again = sum(tuple(one.body) in answers for one in test) / len(test)
        asked = {Problem(one.body, one.given, one.prompt).asked for one in train}
        return {
            "guess": sum(map(self.chance, test)) / len(test),
            "distinct_training_problems": len(asked),
            "distinct_training_answers": len(answers),
            "test_answers_among_those": again,
        }

    def _prepared(
        self, folder: Path, facts: Mapping[str, Any], options: DataOptions, tokenizer: Any
    ) -> Prepared:
        splits = {split: Examples(folder / split) for split in SPLITS}
        longest = max(int(splits[split].lengths.max()) for split in SPLITS)
        more = {"guess_means": "what is not given drawn uniformly", "cache": str(folder)}
        return Prepared(
            train=splits["train"],
            validation=splits["validation"],
            test=splits["test"],
            tokenizer=tokenizer,
            body=roomy("block", options.block, longest, self.name),
            prompt=roomy("prompt", options.prompt, self.longest_prompt, self.name),
            facts={**facts, "protocol": self._protocol(), **more},
        )

    def _protocol(self) -> str:
        return (
            "solved: the answer has the length of the body, keeps what is given and breaks no "
            "rule, whether or not it is the one that was drawn; made: no problem is in two splits, "
            "and held-out ones are distinct; training problems are a fixed set, drawn with repeats "
            "and read again and again; answers are not held out: that of a test problem may be one "
            "of training, to another question; of a table: splits by file or by hash of the first "
            "column, and repeats are kept"
        )

    def _problems(self, split: Name, size: int, options: DataOptions) -> Iterator[Problem]:
        """Yield the problems of a split in their order; held-out ones are distinct."""
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
