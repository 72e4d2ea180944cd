"""Execution of one Python program in a process of its own; it prints the number returned.

Started by `sandbox`, never imported: ``python -I -S -B cell.py SECONDS BYTES < program``. Only the
standard library is used here. Modules that programs of arithmetic need are imported before files
and imports are locked; after that, nothing can be opened or imported.
"""

import ast
import bisect  # noqa: F401
import calendar  # noqa: F401
import cmath  # noqa: F401
import collections  # noqa: F401
import contextlib
import copy  # noqa: F401
import datetime  # noqa: F401
import decimal
import fractions
import functools  # noqa: F401
import heapq  # noqa: F401
import io
import itertools  # noqa: F401
import json
import math
import operator  # noqa: F401
import os
import random  # noqa: F401
import re  # noqa: F401
import resource
import signal
import statistics  # noqa: F401
import string  # noqa: F401
import sys
import typing  # noqa: F401

_CLOSED = ("open", "import", "os.", "subprocess.", "socket.", "shutil.", "ctypes.", "mmap.")


def close(seconds: float, memory: int) -> None:
    """Set limits that the process cannot lift again, and refuse what opens or changes anything."""
    cpu = math.ceil(seconds) + 1
    limits = (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 1 << 12),  # of what it says
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 3),  # those that are open already: no file, no socket
    )
    for kind, most in limits:
        with contextlib.suppress(ValueError, OSError):  # macOS knows no limit of memory
            resource.setrlimit(kind, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))  # a signal that tells it, then the end
    sys.addaudithook(_refuse)
    signal.setitimer(signal.ITIMER_REAL, seconds)  # nobody waits for the signal: it ends us


def _refuse(event: str, _: tuple[object, ...]) -> None:
    if event.startswith(_CLOSED):
        raise PermissionError(f"{event} is not allowed in programs that are judged")


def result(program: str) -> object:
    """Return the result of a program's last function, or its variable ``result`` or ``answer``.

    A function named ``simple_math_problem`` is preferred to the last one.
    """
    tree = ast.parse(program)
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    space: dict[str, object] = {"__name__": "program"}
    exec(compile(tree, "program", "exec"), space)
    wanted = "simple_math_problem"
    function = space.get(wanted if wanted in names else names[-1]) if names else None
    if callable(function):
        return function()
    return space.get("result", space.get("answer"))


def number(value: object) -> float:
    """Convert a result to a finite number.

    Raises TypeError or ValueError for anything else, truth values too.
    """
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool):
        raise TypeError("bool is no number")
    if isinstance(value, str):
        value = value.replace(",", "").strip().strip("$%")
    if not isinstance(value, int | float | str | fractions.Fraction | decimal.Decimal):
        raise TypeError(f"{type(value).__name__} is no number")
    found = float(value)
    if not math.isfinite(found):
        raise ValueError(f"{found} is no finite number")
    return found


def main() -> None:
    """Read the program, close the doors, run it, and write what came out as JSON."""
    program = sys.stdin.buffer.read().decode()
    close(float(sys.argv[1]), int(sys.argv[2]))
    os.write(2, b".")  # the time begins
    said: dict[str, object]
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            said = {"number": number(result(program))}
    except BaseException as error:  # whatever a program raises, SystemExit too, is its own fault
        said = {"error": f"{type(error).__name__}: {error}"[:200]}
    os.write(1, json.dumps(said).encode())


if __name__ == "__main__":
    main()
