"""The exit code of a command, and its failure in words."""

import sys
from collections.abc import Callable

from xlm_runtime.system import failures
from xlm_runtime.system.errors import RunError, Stopped
from xlm_runtime.system.progress import complain, say


def outcome(work: Callable[[], None], stopped: str = "") -> int:
    """Run the work of a command and return its exit code.

    0: done. 2: what the user gave is wrong. 4: it failed. 130: stopped, with the line ``stopped``
    where it was by Ctrl-C. Errors that are neither the user's nor the machine's are raised.
    """
    try:
        work()
    except RunError as error:
        complain(error)
        return error.code
    except Stopped:
        say("stopped; the state is saved, and the same command resumes from there")
        return 130
    except KeyboardInterrupt:
        if stopped:
            say(stopped)
        return 130
    except Exception as error:  # those of the machine; for any other one must see where
        if not (text := failures.said(error)):
            raise
        print(f"error: {text}", file=sys.stderr)
        return RunError.code
    return 0
