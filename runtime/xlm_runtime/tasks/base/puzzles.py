"""Sudoku puzzles of nine by nine as rows of a table: a puzzle and its solution, 81 characters."""

from xlm_runtime.tasks.base.problem import Problem
from xlm_runtime.tasks.base.squares import SQUARE

COLUMNS = ("question", "answer")


def read(question: str, answer: str) -> Problem | str:
    """Parse a puzzle of 81 characters and its solution, or return its fault."""
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
        return "an answer that changes given values"
    return Problem(body, given)
