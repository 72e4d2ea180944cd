"""The tasks by name.  Names are known without importing anything heavy.

A task of one's own is an object in any module, named ``package.module:NAME``; see `task.Task`.
"""

import sys
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from xlm_runtime.errors import UsageError

if TYPE_CHECKING:
    from xlm_runtime.data import DataOptions, Prepared
    from xlm_runtime.tasks.task import Task

__all__ = ["DataOptions", "Prepared", "Task", "get", "names"]

_HOMES = {
    "star_easy": "star:EASY",
    "star_medium": "star:MEDIUM",
    "star_hard": "star:HARD",
    "star_back": "star:BACK",
    "sudoku": "sudoku:SUDOKU",
    "n_queens_8": "queens:EIGHT",
    "n_queens_10": "queens:TEN",
    "graph_coloring_8": "coloring:EIGHT",
    "graph_coloring_10": "coloring:TEN",
    "lm1b": "lm1b:LM1B",
    "owt": "owt:OWT",
}


def names() -> tuple[str, ...]:
    """The tasks that come with xlmc."""
    return tuple(_HOMES)


def get(name: str) -> "Task":
    """The task of a name, or of a dotted path ``package.module:NAME``.

    Raises UsageError where there is none, saying what was missing.
    """
    if name in _HOMES:
        module, _, attribute = _HOMES[name].partition(":")
        built_in: Task = getattr(import_module(f"{__name__}.{module}"), attribute)
        return built_in
    if ":" in name:
        here = str(Path.cwd())  # a console script does not look where it was started
        if here not in sys.path:
            sys.path.append(here)
        return _task(name)
    near = get_close_matches(name, _HOMES, n=1)
    hint = f", did you mean '{near[0]}'?" if near else ""
    raise UsageError(
        f"there is no task '{name}'{hint}\n"
        f"tasks: {', '.join(_HOMES)}; or one of your own, as package.module:NAME"
    )


def __getattr__(name: str) -> object:
    """`DataOptions`, `Prepared` and `Task`, imported when they are asked for."""
    homes = {"DataOptions": "data", "Prepared": "data", "Task": "tasks.task"}
    if name not in homes:
        raise AttributeError(f"module {__name__} has no attribute '{name}'")
    found: object = getattr(import_module(f"xlm_runtime.{homes[name]}"), name)
    return found


def _task(dotted: str) -> "Task":
    from xlm_runtime.tasks.task import Task

    path, _, attribute = dotted.partition(":")
    module = _module(path, dotted)
    found = getattr(module, attribute, None)
    if isinstance(found, Task):
        return found
    ready = [key for key, value in vars(module).items() if isinstance(value, Task)]
    if isinstance(found, type) and issubclass(found, Task):
        problem = f"'{attribute}' is a class; name an instance of it"
    elif found is None:
        problem = f"module {path} has no '{attribute}'"
    else:
        problem = f"'{attribute}' is a {type(found).__name__}, not an instance of a Task"
    raise UsageError(f"--task {dotted}: {problem} (tasks in it: {', '.join(ready) or 'none'})")


def _module(path: str, dotted: str) -> ModuleType:
    try:
        return import_module(path)
    except ModuleNotFoundError as error:
        missing = error.name or path
        own = path == missing or path.startswith(f"{missing}.")
        what = (
            f"there is no module {missing}"
            if own
            else f"{path} needs {missing}, which is not there"
        )
        raise UsageError(
            f"--task {dotted}: {what} (looked in {Path.cwd()} and the installed packages)"
        ) from error
    except (ImportError, SyntaxError) as error:
        raise UsageError(f"--task {dotted}: {path} cannot be imported: {error}") from error
    except BaseException as error:
        error.add_note(f"while importing {path} for --task {dotted}")
        raise
