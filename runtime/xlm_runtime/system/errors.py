"""Errors for the person at the keyboard: what, where, why, what to do.  No traceback is shown."""


class RunError(Exception):
    """A run that cannot go on.  The message is complete; the command line prints it and exits 4."""

    code = 4


class UsageError(RunError):
    """A wrong command, setting, path or package.  The command line prints it and exits 2."""

    code = 2


class Stopped(BaseException):
    """Training was asked to stop (Ctrl-C, SIGTERM) and has saved a checkpoint."""


def an(noun: str) -> str:
    """A noun with its article."""
    return f"{'an' if noun[:1].lower() in set('aeiou') else 'a'} {noun}"
