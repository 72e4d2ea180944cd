"""Sudoku puzzles from tables: a column for the puzzle and one for its solution."""

from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

from xlm_runtime.data import DataOptions
from xlm_runtime.errors import RunError
from xlm_runtime.progress import Watch
from xlm_runtime.rows import Dropped
from xlm_runtime.store import Writer
from xlm_runtime.tasks.counted import more
from xlm_runtime.tasks.encoding import SPLITS, Name
from xlm_runtime.tasks.made import Problem, blocks
from xlm_runtime.tasks.pairs import Pairs, user_pairs
from xlm_runtime.tasks.squares import SQUARE

COLUMNS = ("question", "answer")
_BATCH = 1000


def read(question: str, answer: str) -> Problem | str:
    """A puzzle of 81 characters and its solution, or what is wrong with them."""
    for text, name, known in (
        (question, COLUMNS[0], ".0123456789"),
        (answer, COLUMNS[1], "123456789"),
    ):
        if len(text) != SQUARE.side**2:
            return f"{len(text)} characters in '{name}' instead of {SQUARE.side**2}"
        if strange := set(text) - set(known):
            return f"'{min(strange)}' in '{name}'"
    body = [int(digit) - 1 for digit in answer]
    if not SQUARE.solved(body):
        return "an answer that breaks the rules"
    given = [digit not in ".0" for digit in question]
    if any(kept and q != a for q, a, kept in zip(question, answer, given, strict=True)):
        return "an answer that changes what is given"
    return Problem(body, given)


def own(options: DataOptions) -> Pairs:
    """The table of ``--data``."""
    assert options.data is not None
    return user_pairs(options.data, options.columns, COLUMNS)


def written(pairs: Pairs, folder: Path, vocab: int) -> dict[str, Any]:
    """The puzzles of a table on the disk, and what was done.  Raises RunError for empty splits."""
    dropped, done = Dropped(), 0
    rows = pairs.rows(dropped)
    with ExitStack() as stack:
        writers = {s: stack.enter_context(Writer(folder / s, vocab)) for s in SPLITS}
        watch = stack.enter_context(Watch("reading puzzles", pairs.size))
        while part := list(islice(rows, _BATCH)):
            good: dict[Name, list[Problem]] = {split: [] for split in SPLITS}
            for split, place, question, answer in part:
                found = read(question.strip(), answer.strip())
                if isinstance(found, str):
                    dropped.note(f"{found} in {split}", place)
                else:
                    good[split].append(found)
                done += len(question) + len(answer)
            for split, problems in good.items():
                writers[split].add(**blocks(problems))
            watch.at(min(done, pairs.size))
    sizes = {split: writer.rows for split, writer in writers.items()}
    if empty := [split for split, size in sizes.items() if not size]:
        kept = sum(sizes.values())
        raise RunError(
            f"{pairs.title}: no puzzle is left for {', '.join(empty)} (rows kept: {kept}; dropped: "
            f"{dropped.said}){more(kept)}"
        )
    return {"sizes": sizes, "dropped": dropped.facts()}
