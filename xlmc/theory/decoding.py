"""The values that the expressions of a decoder may read."""

from xlmc.calculus.evaluate import DERIVED
from xlmc.syntax import ast, query
from xlmc.theory.environment import Environment
from xlmc.theory.environment import environment as of_entries
from xlmc.theory.process import Process


def environment(section: ast.Section, family: ast.Family) -> Environment:
    """Return what an expression of a decoder may mention."""
    grid = query.first(section.entries, ast.Grid)
    process = Process.of(family)
    events = grid is not None and isinstance(grid.value, ast.Name) and grid.value.id == "events"
    timed = grid is not None and (not events or process.clocks > 1)  # which have no events
    names = {"length": "Count"}
    if process.masks or not process.known:
        names["masked"] = "Count"
    if not process.fixed_length:
        names["limit"] = "Count"  # rows grow up to it
    for head in query.heads(family).values():
        names[head.name] = "Logits"
    if timed:
        names |= {"t": "Time", "s": "Time", "steps_left": "Count"}
    schedules = {arrow.survival: arrow for arrow in process.arrows}
    derived = tuple(sorted(DERIVED)) if timed else ()
    return of_entries(section.entries, "in this decoder", names, schedules, derived)
