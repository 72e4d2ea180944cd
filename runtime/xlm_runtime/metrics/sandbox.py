"""Programs that a model wrote, run apart: with little time, little memory, no files, no internet.

What it is: a fresh Python process for each program (``-I -S``, an empty environment, no module of
the user's), which an alarm of its own ends after its time, and the parent, with all its group,
after as much as half a second more, whatever it does to its alarms; the kernel's limits on memory,
CPU time, open files (none beyond the three it begins with, so neither files nor sockets), file
sizes and processes; and audit hooks that refuse to open, import, delete or start anything. What it
is not: a jail. Programs run as the same user in the same file system, hooks of Python can be got
around by who sets out to, root is under no limit of processes, and macOS has none of memory. It is
made for the mistakes of models of arithmetic; judge models that you do not trust within a container
or a virtual machine.
"""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Literal

SECONDS = 1.0
MEMORY = 512 * 2**20
_CELL = Path(__file__).with_name("cell.py")
_STARTING = 10.0  # seconds until the program begins, on a busy machine
_LATE = 0.5  # seconds after its time when a program is killed from outside
_OUT_OF_TIME = (-signal.SIGALRM, -signal.SIGXCPU, -signal.SIGKILL)


@dataclass(frozen=True)
class Outcome:
    """The outcome of a program: a number, a timeout, or a crash (any exception, no number)."""

    kind: Literal["number", "time", "crash"]
    number: float = 0.0
    why: str = ""


def run(program: str, seconds: float = SECONDS, memory: int = MEMORY) -> Outcome:
    """Run one program; see `cell.result` for what of it counts."""
    command = [sys.executable, "-I", "-S", "-B", str(_CELL), str(seconds), str(memory)]
    with TemporaryFile() as asked, TemporaryFile() as said:  # no pipe: their sizes are limited
        asked.write(program.encode("utf-8", "replace"))
        asked.seek(0)
        with subprocess.Popen(
            command,
            stdin=asked,
            stdout=said,
            stderr=subprocess.PIPE,
            env={},
            cwd="/",
            start_new_session=True,
        ) as process:
            code = _code(process, seconds)
        said.seek(0)
        text = said.read()
    if code in _OUT_OF_TIME:
        return Outcome("time", why=f"more than {seconds:g} s")
    return _read(text, code)


def _code(process: "subprocess.Popen[bytes]", seconds: float) -> int:
    """Return the exit code of a process; kill it with its group when its time is over.

    The time begins when the process writes to its stderr that its sandbox is closed.
    """
    assert process.stderr is not None
    begun, _, _ = select.select([process.stderr], [], [], _STARTING)
    try:
        return process.wait(seconds + _LATE if begun else 0)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.wait()


def run_all(programs: Sequence[str]) -> list[Outcome]:
    """Run programs side by side, one for each core."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(run, programs))


def _read(text: bytes, code: int) -> Outcome:
    """Parse the output of a process as `cell` writes it."""
    try:
        said = json.loads(text)
        if "error" in said:
            return Outcome("crash", why=str(said["error"]))
        return Outcome("number", float(said["number"]))
    except (ValueError, KeyError, TypeError):
        return Outcome("crash", why=f"it ended with code {code}")
