"""The values that the expressions of a decoder may read."""

from xlmc.calculus.evaluate import DERIVED
from xlmc.syntax import ast, query
from xlmc.theory.environment import Environment
from xlmc.theory.environment import environment as of_entries
from xlmc.theory.process import Process
from xlmc.words import numbers, slots
from xlmc.words.answers import NUMBERS, RATES


def environment(section: ast.Section, family: ast.Family) -> Environment:
    """Return what an expression of a decoder may mention."""
    written, grid = query.first(section.entries, ast.Grid), slots.grid(section.entries)
    process = Process.of(family)
    wrong = grid is None or grid.why_not(process) != ""  # its times are then no second mistake
    timed = written is not None and (wrong or (grid is not None and grid.timed))
    names = {"length": "Count"}
    if process.masks or not process.known:
        names["masked"] = "Count"
    if not process.fixed_length:
        names["limit"] = "Count"  # rows grow up to it
    names |= dict.fromkeys(query.heads(family), "Logits")
    names |= dict.fromkeys(numbers.inserting(section, family), NUMBERS)
    names |= dict.fromkeys(numbers.of_masks(family), RATES)
    if timed:
        names |= {"t": "Time", "s": "Time", "steps_left": "Count"}
    schedules = {arrow.survival: arrow for arrow in process.arrows}
    derived = tuple(sorted(DERIVED)) if timed else ()
    return of_entries(section.entries, "in this decoder", names, schedules, derived)
