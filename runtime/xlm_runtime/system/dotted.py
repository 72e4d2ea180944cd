"""Objects of the user's own, by a dotted path: ``package.module:NAME``."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from xlm_runtime.system.errors import UsageError, an

T = TypeVar("T")


def load(dotted: str, kind: type[T], option: str) -> T:
    """Import the instance of ``kind`` at ``package.module:NAME``, local or installed.

    ``option`` (``--task``) is the option that names it. Raises UsageError with the part that is
    missing.
    """
    here = str(Path.cwd())  # a console script does not look where it was started
    if here not in sys.path:
        sys.path.append(here)
    path, _, attribute = dotted.partition(":")
    if not all(part.isidentifier() for part in (*path.split("."), attribute)):
        raise UsageError(f"{option} {dotted}: write it as package.module:NAME")
    module = _module(path, f"{option} {dotted}")
    found = getattr(module, attribute, None)
    if isinstance(found, kind):
        return found
    noun = kind.__name__
    ready = [key for key, value in vars(module).items() if isinstance(value, kind)]
    if isinstance(found, type) and issubclass(found, kind):
        problem = f"'{attribute}' is a class; name an instance of it"
    elif found is None:
        problem = f"module {path} has no '{attribute}'"
    else:
        problem = f"'{attribute}' is {an(type(found).__name__)}, not an instance of a {noun}"
    there = ", ".join(ready) or "none"
    raise UsageError(f"{option} {dotted}: {problem} ({noun.lower()}s in it: {there})")


def _module(path: str, asked: str) -> ModuleType:
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
            f"{asked}: {what} (looked in {Path.cwd()} and the installed packages)"
        ) from error
    except (ImportError, SyntaxError) as error:
        raise UsageError(f"{asked}: {path} cannot be imported: {error}") from error
    except BaseException as error:
        error.add_note(f"while importing {path} for {asked}")
        raise
