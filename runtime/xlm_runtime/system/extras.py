"""Libraries that an extra of xlmc installs, imported where they are needed."""

from importlib import import_module
from typing import Any

from xlm_runtime.system.errors import UsageError


def needed(module: str, extra: str, what: str) -> Any:
    """Import a module for ``what``, which is named in words.  Raises UsageError without it.

    The message has the command that installs ``extra``.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{what} needs {error.name}, which is not installed: pip install 'xlmc[{extra}]'"
        ) from error
