"""A file of generated texts that grows line by line, and continues after a stop.

Beside ``FILE`` lies ``FILE.about.json``: hashes of the package, the weights, the settings and the
prompts that it is of. A command whose hashes are the same continues the file, any other refuses.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from attrs import frozen

from xlm_runtime.system.atomic import on_disk, saving, to_json, write_json
from xlm_runtime.system.errors import UsageError
from xlm_runtime.system.reader import read_json

_OTHER = "choose another --out, or move it away"


@frozen
class Out:
    """A file for the records of prompts."""

    path: Path

    @property
    def about(self) -> Path:
        """The file with its sources."""
        return self.path.with_name(f"{self.path.name}.about.json")

    def check(self) -> None:
        """Refuse early what `opened` would refuse as well.  Raises UsageError."""
        if not self.path.parent.is_dir():
            raise UsageError(f"--out {self.path}: there is no folder {self.path.parent}")
        if self.path.exists() and not self.path.is_file():
            raise UsageError(f"--out {self.path}: it is there, and is no file")
        if self.path.is_file() and self.path.stat().st_size and not self.about.is_file():
            raise UsageError(f"--out {self.path} is there, and not of this command: {_OTHER}")

    @contextmanager
    def opened(
        self, about: Mapping[str, Any], ids: Sequence[int | str], number: int
    ) -> Iterator["Writer"]:
        """Open the file for this process, at the end of the prompts that are done.

        ``about`` has its hashes under ``of``; ``number``: candidates of each prompt. Raises
        UsageError, and leaves the file as it is, if it is of another command.
        """
        self.check()
        with saving(self.path):
            file = self.path.open("a+b")
        with file:
            with saving(self.path):
                done = self._begin(file, about, ids, number)
            yield Writer(self.path, file, done)
            with saving(self.path):
                on_disk(self.path)

    def _begin(
        self, file: IO[bytes], about: Mapping[str, Any], ids: Sequence[int | str], number: int
    ) -> int:
        """Lock an open file, cut off what is incomplete, and return how many prompts are done."""
        self._lock(file)
        done, size = 0, 0
        if self.path.stat().st_size:
            self._check_same(about)
            done, size = self._done(ids, number)
        os.truncate(self.path, size)
        write_json(self.about, about)
        return done

    def _lock(self, file: IO[bytes]) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(f"--out {self.path}: another process writes to it") from error

    def _check_same(self, about: Mapping[str, Any]) -> None:
        before, now = read_json(self.about), about
        marks = {**before.get("of", {})}
        unlike = [name for name, mark in now["of"].items() if marks.get(name) != mark]
        if not unlike:
            return
        changed = _changes(before.get("settings", {}), now["settings"])
        if changed and "settings" in unlike:
            unlike[unlike.index("settings")] = f"settings ({'; '.join(changed)})"
        raise UsageError(
            f"--out {self.path} is there, and is of other {', '.join(unlike)}: {_OTHER}"
        )

    def _done(self, ids: Sequence[int | str], number: int) -> tuple[int, int]:
        """Return how many prompts are done, and the bytes of their records.

        A last line that was cut off, and a prompt without all of its candidates, are not done.
        """
        raw = self.path.read_bytes()
        done = size = end = count = 0
        for line in raw[: raw.rfind(b"\n") + 1].splitlines(keepends=True):
            end += len(line)
            id_, times = self._record(line)
            if done == len(ids) or id_ != ids[done]:
                raise self._altered(f"{id_!r} is not the id of the next prompt")
            count += times
            if count >= number:
                done, size, count = done + 1, end, 0
        return done, size

    def _record(self, line: bytes) -> tuple[object, int]:
        """Return the id of a line, and how often its text was drawn.  Raises UsageError."""
        try:
            found = json.loads(line)
            return found["id"], int(found.get("count", 1))
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            raise self._altered(f"{line[:40]!r} is no record") from error

    def _altered(self, why: str) -> UsageError:
        return UsageError(f"--out {self.path} was changed since it was written: {why}: {_OTHER}")


@frozen
class Writer:
    """An open file; ``done`` prompts were in it before."""

    path: Path
    file: IO[bytes]
    done: int

    def add(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Append the records of a prompt."""
        lines = "".join(to_json(record) + "\n" for record in records)
        with saving(self.path):
            self.file.write(lines.encode())
            self.file.flush()


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """List settings that differ: ``seed 1 -> 2``."""
    return [
        f"{name} {to_json(before.get(name))} -> {to_json(value)}"
        for name, value in now.items()
        if before.get(name) != value
    ]
