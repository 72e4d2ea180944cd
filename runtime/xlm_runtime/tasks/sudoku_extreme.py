"""Hard sudoku, and tables of puzzles.

Read from ``brozonoyer/sapientinc-sudoku-extreme-timvink-sudoku-solver`` on the Hub (columns
``question`` and ``answer``: 81 characters, ``.`` or ``0`` for an empty cell; the data of Wang et
al. 2025, arXiv:2506.21734), or from a table of one's own with ``--data``. With ``--preset quick``
squares of six by six are made, which naked singles alone (`Square.singles`) do not solve: of the
four by four of task `sudoku` they solve every one.

They are made as the published ones: a few hundred hard puzzles, each in random disguises (digits
renamed, rows and columns exchanged where the rules allow it). Splits share no disguise of a puzzle.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from xlm_runtime import store
from xlm_runtime.cache import cached
from xlm_runtime.data import DataOptions, Prepared
from xlm_runtime.errors import RunError, UsageError
from xlm_runtime.files import Dropped
from xlm_runtime.plug import Example
from xlm_runtime.progress import Watch
from xlm_runtime.store import Examples, Writer
from xlm_runtime.tasks.encoding import SPLITS, Name
from xlm_runtime.tasks.made import Problem, blocks, split_of
from xlm_runtime.tasks.pairs import Pairs, hub_pairs
from xlm_runtime.tasks.sudoku import SQUARES, Square, Sudoku
from xlm_runtime.tasks.text import user_rows
from xlm_runtime.tokenizers import words

REPO = "brozonoyer/sapientinc-sudoku-extreme-timvink-sudoku-solver"
FILES = {name: f"data/{name}-*.parquet" for name in ("train", "test")}
COLUMNS = ("question", "answer")
HELD_OUT: dict[Name, float] = {"validation": 1 / 3000}
HEIGHT, SIDE = 2, 6  # of the boxes and of the square of `quick`
MIDDLE = Square(SIDE, HEIGHT)
PUZZLES = 400  # of `quick`, before they are disguised
_VERSION = 1
_BATCH = 1000


class SudokuExtreme(Sudoku):
    """Puzzles that singles do not solve."""

    name = "sudoku_extreme"
    title = "hard sudoku, and puzzles of your own with --data (quick: 6 by 6)"
    train_size: ClassVar[Mapping[str, int]] = {"quick": 16_000}
    held_out: ClassVar[Mapping[str, int]] = {"quick": 256}

    def prepare(self, options: DataOptions) -> Prepared:
        """The puzzles, read or made."""
        if not options.data and options.preset == "quick":
            return super().prepare(options)
        if options.tokenizer:
            raise UsageError(f"{self.name} has one id per digit: it takes no data.tokenizer")
        if options.columns and not options.data:
            raise UsageError("data.columns speaks of the file that --data gives, and there is none")
        pairs = _user(options) if options.data else self.published()
        tokenizer = words(self.words("paper"), options.specials)
        key = {"puzzles": [_VERSION, store.VERSION], **pairs.key}

        def build(folder: Path) -> dict[str, Any]:
            facts = _written(pairs, folder, tokenizer.vocabulary.size)
            test = Examples(folder / "test")
            return {**facts, "guess": sum(map(self.chance, test)) / len(test)}

        found = {**key, "vocabulary": tokenizer.vocabulary.size}
        built = cached(options.cache, self.name, found, build)
        return self._prepared(built.folder, built.facts, options, tokenizer)

    def published(self) -> Pairs:
        """The data set on the Hub."""
        return hub_pairs(REPO, FILES, "main", COLUMNS, HELD_OUT, 700_000_000)

    def about(self, options: DataOptions) -> Mapping[str, Any]:
        """Source and protocol."""
        if options.preset == "quick" and not options.data:
            return super().about(options)
        source = str(options.data) if options.data else self.published().title
        return {"source": source, "protocol": self._protocol()}

    def words(self, preset: str) -> list[str]:
        """The digits."""
        side = SIDE if preset == "quick" else SQUARES["paper"].side
        return [str(1 + digit) for digit in range(side)]

    def draw(self, preset: str, rng: np.random.Generator) -> Problem:  # noqa: ARG002
        """One of the hard puzzles in a random disguise."""
        body, cells = hard(int(rng.integers(PUZZLES)))
        places, digits = _places(rng), rng.permutation(SIDE).tolist()
        return Problem([digits[body[i]] for i in places], [cells[i] >= 0 for i in places])

    def split(self, problem: Problem) -> Name:
        """By what no disguise changes, so that all disguises of a puzzle are in the same split."""
        return split_of(Problem((), prompt=invariant(problem)))

    def right(self, answer: Sequence[int], _: Example) -> bool:
        """Whether every row, column and box holds every digit once."""
        square = MIDDLE if len(answer) == SIDE**2 else SQUARES["paper"]
        return square.solved(answer)

    def _protocol(self) -> str:
        return (
            f"{super()._protocol()}; quick: no puzzle is solved by naked singles alone, and splits "
            "share no disguise of a puzzle; published and own puzzles: it is not checked that a "
            "solution is the only one, and any is right"
        )


@cache
def hard(number: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """A solved square, and a puzzle (-1: empty) of which nothing more can be left out."""
    rng = np.random.default_rng([0, number])
    while True:
        body = next(MIDDLE.solutions([-1] * SIDE**2, rng))
        cells = list(body)
        for i in rng.permutation(SIDE**2).tolist():
            if MIDDLE.stays_unique(cells, i, body[i]):
                cells[i] = -1
        if not MIDDLE.singles(cells):
            return body, tuple(cells)


def _places(rng: np.random.Generator) -> list[int]:
    """Where each cell of a disguise comes from: rows move within bands, bands as a whole."""
    width = SIDE // HEIGHT
    rows = [HEIGHT * b + r for b in rng.permutation(width) for r in rng.permutation(HEIGHT)]
    columns = [width * s + c for s in rng.permutation(HEIGHT) for c in rng.permutation(width)]
    return [int(r * SIDE + c) for r in rows for c in columns]


def invariant(problem: Problem) -> list[int]:
    """Numbers that are the same for every disguise of a puzzle: what is given, counted."""
    width = SIDE // HEIGHT
    pairs = zip(problem.body, problem.given, strict=True)
    square = np.array([digit if kept else -1 for digit, kept in pairs]).reshape(SIDE, SIDE)
    given = square >= 0
    counts = [
        sorted(np.bincount(square[given], minlength=SIDE).tolist()),
        *sorted(sorted(band) for band in given.sum(1).reshape(width, HEIGHT).tolist()),
        *sorted(sorted(stack) for stack in given.sum(0).reshape(HEIGHT, width).tolist()),
    ]
    digest = blake2b(repr(counts).encode(), digest_size=6).digest()
    return list(digest)


def read(question: str, answer: str) -> Problem | str:
    """A puzzle of 81 characters and its solution, or what is wrong with them."""
    square = SQUARES["paper"]
    for text, name, known in (
        (question, COLUMNS[0], ".0123456789"),
        (answer, COLUMNS[1], "123456789"),
    ):
        if len(text) != square.side**2:
            return f"{len(text)} characters in '{name}' instead of {square.side**2}"
        if strange := set(text) - set(known):
            return f"'{min(strange)}' in '{name}'"
    body = [int(digit) - 1 for digit in answer]
    if not square.solved(body):
        return "an answer that breaks the rules"
    given = [digit not in ".0" for digit in question]
    if any(kept and q != a for q, a, kept in zip(question, answer, given, strict=True)):
        return "an answer that changes what is given"
    return Problem(body, given)


def _user(options: DataOptions) -> Pairs:
    assert options.data is not None
    found = user_rows(options.data, COLUMNS, options.columns)

    def rows(dropped: Dropped) -> Iterator[tuple[Name, str, str]]:
        return ((split, *texts) for split, texts in found.rows(dropped))  # type: ignore[misc]

    return Pairs(str(options.data), found.key, found.size, rows)


def _written(pairs: Pairs, folder: Path, vocab: int) -> dict[str, Any]:
    """The puzzles of a table on the disk, and what was done.  Raises RunError for empty splits."""
    dropped, done = Dropped(), 0
    numbered = enumerate(pairs.rows(dropped), 1)
    with ExitStack() as stack:
        writers = {s: stack.enter_context(Writer(folder / s, vocab)) for s in SPLITS}
        watch = stack.enter_context(Watch("reading puzzles", pairs.size))
        while part := list(islice(numbered, _BATCH)):
            good: dict[Name, list[Problem]] = {split: [] for split in SPLITS}
            for number, (split, question, answer) in part:
                found = read(question.strip(), answer.strip())
                if isinstance(found, str):
                    dropped.note(f"{found} in {split}", number)
                else:
                    good[split].append(found)
                done += len(question) + len(answer)
            for split, problems in good.items():
                writers[split].add(**blocks(problems))
            watch.at(min(done, pairs.size))
    sizes = {split: writer.rows for split, writer in writers.items()}
    reasons = dropped.facts()
    if empty := [split for split, size in sizes.items() if not size]:
        said = "; ".join(f"{why}: {f['rows']} rows" for why, f in reasons.items()) or "none"
        what = f"no puzzle is left for {', '.join(empty)} (dropped: {said})"
        raise RunError(f"{pairs.title}: {what}")
    return {"source": pairs.title, "sizes": sizes, "dropped": reasons}


SUDOKU_EXTREME = SudokuExtreme()
