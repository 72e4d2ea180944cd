"""The commands that use a model: their exit codes, and failures in words."""

from collections.abc import Callable

from xlm_runtime.system.outcome import outcome
from xlm_runtime.system.progress import beside_results
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
    return _run(lambda: chatting.chat(options), "stopped")


def evaluate(options: Options, tasks: Tasks) -> int:
    """Run ``xlmc lm-eval`` and return its exit code."""
    return _run(lambda: evaluating.evaluate(options, tasks), "stopped")


def _run(work: Callable[[], None], stopped: str) -> int:
    with beside_results():
        return outcome(work, stopped)
