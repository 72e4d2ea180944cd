"""Errors for the person at the keyboard: what, where, why, what to do.  No traceback is shown."""

from collections.abc import Sequence


class RunError(Exception):
    """A run that cannot go on.  The message is complete; the command line prints it and exits 4."""

    code = 4


class UsageError(RunError):
    """A wrong command, setting, path or package.  The command line prints it and exits 2."""

    code = 2


class Stopped(BaseException):
    """The end of training by Ctrl-C or SIGTERM, after a checkpoint is saved."""


def an(noun: str) -> str:
    """Return a noun with its article."""
    return f"{'an' if noun[:1].lower() in set('aeiou') else 'a'} {noun}"


def some(names: Sequence[str], most: int) -> str:
    """Return names as a list, of which at most so many are spelt out: ``a, b, and 3 more``."""
    more = f", and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
