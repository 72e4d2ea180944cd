"""The commands that use a model: their exit codes, and failures in words."""

import sys
from collections.abc import Callable

from xlm_runtime.system import failures
from xlm_runtime.system.errors import RunError
from xlm_runtime.system.progress import beside_results, complain, say
from xlm_runtime.use import chatting, evaluating, generating
from xlm_runtime.use.evaluating import Tasks
from xlm_runtime.use.options import Options


def generate(options: Options) -> int:
    """Run ``xlmc generate`` and return its exit code.

    0: done. 2: the command, a prompt or a setting is wrong. 4: it failed. 130: stopped.
    """
    kept = "; the same command goes on from there" if options.out is not None else ""
    return _run(lambda: generating.generate(options), f"stopped{kept}")


def chat(options: Options) -> int:
    """Run ``xlmc chat`` and return its exit code; a user who leaves is no failure."""
    return _run(lambda: chatting.chat(options), "")


def evaluate(options: Options, tasks: Tasks) -> int:
    """Run ``xlmc lm-eval`` and return its exit code."""
    return _run(lambda: evaluating.evaluate(options, tasks), "")


def _run(work: Callable[[], None], stopped: str) -> int:
    try:
        with beside_results():
            work()
    except RunError as error:
        complain(error)
        return error.code
    except KeyboardInterrupt:
        with beside_results():
            say(stopped or "stopped")
        return 130
    except Exception as error:  # those of the machine; for any other one must see where
        if not (text := failures.said(error)):
            raise
        print(f"error: {text}", file=sys.stderr)
        return RunError.code
    return 0
