"""The tasks by name.  Names are known without importing anything heavy.

A task of one's own is an object in any module, named ``package.module:NAME``; see `task.Task`.
"""

from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING

from xlm_runtime.system import dotted
from xlm_runtime.system.errors import UsageError

if TYPE_CHECKING:
    from xlm_runtime.tasks.base.prepared import DataOptions, Prepared
    from xlm_runtime.tasks.base.task import Task

__all__ = ["DataOptions", "Prepared", "Task", "get", "names"]

_HOMES = {
    "star_easy": "star:EASY",
    "star_medium": "star:MEDIUM",
    "star_hard": "star:HARD",
    "star_back": "star:BACK",
    "sudoku": "sudoku:SUDOKU",
    "sudoku_extreme": "sudoku_extreme:SUDOKU_EXTREME",
    "n_queens_8": "queens:EIGHT",
    "n_queens_10": "queens:TEN",
    "graph_coloring_8": "coloring:EIGHT",
    "graph_coloring_10": "coloring:TEN",
    "cfg": "cfg:CFG",
    "lm1b": "lm1b:LM1B",
    "owt": "owt:OWT",
    "owt_packed": "owt_packed:OWT_PACKED",
    "uniref50": "uniref50:UNIREF50",
    "qm9": "qm9:QM9",
    "tinygsm": "gsm8k:TINYGSM",
    "gsm8k": "gsm8k:GSM8K",
    "math500": "math500:MATH500",
    "jsonl": "jsonl:JSONL",
    "safe": "safe:SAFE",
    "safe_linker": "fragments:LINKER",
    "safe_motif": "fragments:MOTIF",
    "safe_scaffold": "fragments:SCAFFOLD",
    "safe_superstructure": "fragments:SUPERSTRUCTURE",
}


def names() -> tuple[str, ...]:
    """List the tasks that come with xlmc."""
    return tuple(_HOMES)


def get(name: str) -> "Task":
    """Return the task of a name, or of a dotted path ``package.module:NAME``.

    Raises UsageError with the part that is missing.
    """
    if name in _HOMES:
        module, _, attribute = _HOMES[name].partition(":")
        built_in: Task = getattr(import_module(f"{__name__}.{module}"), attribute)
        return built_in
    if ":" in name:
        return _own(name)
    near = get_close_matches(name, _HOMES, n=1)
    hint = f", did you mean '{near[0]}'?" if near else ""
    raise UsageError(
        f"there is no task '{name}'{hint}\n"
        f"tasks: {', '.join(_HOMES)}; or one of your own, as package.module:NAME"
    )


def __getattr__(name: str) -> object:
    """Import `DataOptions`, `Prepared` and `Task` on their first use."""
    homes = {"DataOptions": "prepared", "Prepared": "prepared", "Task": "task"}
    if name not in homes:
        raise AttributeError(f"module {__name__} has no attribute '{name}'")
    found: object = getattr(import_module(f"xlm_runtime.tasks.base.{homes[name]}"), name)
    return found


def _own(name: str) -> "Task":
    from xlm_runtime.tasks.base.task import Task

    return dotted.load(name, Task, "--task")  # type: ignore[type-abstract]
