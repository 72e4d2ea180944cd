"""The user's own data, row by row: text, JSON lines, CSV and Parquet."""

import csv
import gzip
import json
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

from xlm_runtime.errors import RunError, UsageError

Record = Mapping[str, object]
Records = Iterator[tuple[int, Record]]


@dataclass
class Dropped:
    """The rows that were left out: how many for each reason, and which were the first."""

    rows: dict[str, int] = field(default_factory=dict)
    first: dict[str, list[int]] = field(default_factory=dict)

    def note(self, reason: str, row: int) -> None:
        """Row ``row`` (a line or record number, from 1) is left out."""
        self.rows[reason] = self.rows.get(reason, 0) + 1
        if self.rows[reason] <= 5:
            self.first.setdefault(reason, []).append(row)

    def facts(self) -> dict[str, dict[str, Any]]:
        """``{reason: {"rows": count, "first": [row, ...]}}``."""
        return {reason: {"rows": n, "first": self.first[reason]} for reason, n in self.rows.items()}


@dataclass(frozen=True)
class Table:
    """A file of records: its columns, and its rows by number, from 1."""

    path: Path
    columns: tuple[str, ...]
    records: Callable[[], Records]

    def texts(
        self, roles: Sequence[str], named: Mapping[str, str], dropped: Dropped
    ) -> Iterator[tuple[str, ...]]:
        """The texts of the columns that play ``roles``, row by row.

        ``named`` maps roles to columns. Rows without a text in each of them go to ``dropped``.
        Raises UsageError where a column is missing or cannot be told.
        """
        wanted = choose(roles, named, self.columns, self.path)
        for number, record in self.records():
            values = [record.get(column) for column in wanted]
            faults = [fault(value) for value in values]
            bad = [f"{f} in '{c}'" for f, c in zip(faults, wanted, strict=True) if f]
            if bad:
                dropped.note(f"{bad[0]} of {self.path.name}", number)
            else:
                yield tuple(cast("list[str]", values))


def read(path: Path) -> Table:
    """A file by its suffix: .txt, .jsonl, .json, .csv, .tsv, .parquet; text formats also with .gz.

    Raises UsageError where there is no such file, where it is empty, or the suffix is another.
    """
    if not path.exists():
        raise UsageError(f"--data {path}: there is no such file")
    if path.is_dir():
        raise UsageError(f"--data {path}: a folder in which no file is called train, or by a split")
    suffixes = [s.lower() for s in path.suffixes if s.lower() != ".gz"]
    suffix = suffixes[-1] if suffixes else ".txt"
    if suffix not in _FORMATS:
        raise UsageError(
            f"--data {path}: '{suffix}' is none of {', '.join(_FORMATS)} (text also with .gz)"
        )
    records = _FORMATS[suffix]
    first = next(records(path), None)
    if first is None:
        raise UsageError(f"--data {path}: the file is empty")
    head = islice(records(path), 100)  # keys that only some lines have are columns too
    columns = tuple(dict.fromkeys(key for _, record in head for key in record))
    return Table(path, columns, lambda: records(path))


def choose(
    roles: Sequence[str], named: Mapping[str, str], columns: Sequence[str], path: Path
) -> list[str]:
    """The column for each role: the one the user names, the one of that name, or the only one."""
    for role in named:
        if role not in roles:
            raise UsageError(
                f"data.columns: {role}={named[role]}: there is no '{role}' here"
                f"{_near(role, roles)}; there is: {', '.join(roles)}"
            )
    return [_column(role, named, columns, path, len(roles) == 1) for role in roles]


def _column(
    role: str, named: Mapping[str, str], columns: Sequence[str], path: Path, alone: bool
) -> str:
    name = named.get(role, role)
    if name in columns:
        return name
    if role not in named and alone and len(columns) == 1:
        return columns[0]
    known = ", ".join(columns)
    raise UsageError(
        f"--data {path}: there is no column '{name}'{_near(name, columns)}; its columns: {known}; "
        f"choose one with --set data.columns={role}=COLUMN"
    )


def _near(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f" (did you mean '{near[0]}'?)" if near else ""


def fault(value: object) -> str | None:
    """What keeps a value from being a text; None if it is one."""
    if isinstance(value, str):
        if not value.strip():
            return "nothing"
        whole = value.isascii() or value.encode("utf-8", "replace").decode() == value
        return None if whole else "half a character (a lone surrogate)"
    if value is None:
        return "null"
    if isinstance(value, float) and value != value:
        return "NaN"
    return f"no text but a {type(value).__name__}"


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines of UTF-8 text without their ends or a byte order mark.  Raises RunError for others."""
    opener = cast(Callable[..., IO[bytes]], gzip.open if path.suffix == ".gz" else Path.open)
    try:
        with opener(path, "rb") as file:
            for number, raw in enumerate(file, 1):
                line = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
                yield number, _decoded(line, number, path).rstrip("\r\n")
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise RunError(f"--data {path}: not a whole gzip file ({error})") from error


def _decoded(line: bytes, number: int, path: Path) -> str:
    fault = ""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        fault = f"byte 0x{line[error.start]:02x}"
        if line.startswith((b"\xff\xfe", b"\xfe\xff")):
            fault += ", as in UTF-16"
    else:
        if "\0" not in text:
            return text
        fault = "a zero byte"
    raise RunError(
        f"--data {path}: line {number} is not UTF-8 text ({fault}); convert the file, or give "
        "Parquet with the suffix .parquet"
    )


def _text(path: Path) -> Records:
    return ((number, {"text": line}) for number, line in _lines(path))


def _json_lines(path: Path) -> Records:
    for number, line in _lines(path):
        if line.strip():
            yield number, _object(_json(line, f"--data {path}: line {number}"), path, number)


def _json_array(path: Path) -> Records:
    """One array of objects, or JSON lines under the suffix .json."""
    start = next((line for _, line in _lines(path) if line.strip()), "")
    if not start.lstrip().startswith("["):
        yield from _json_lines(path)
        return
    rows: Any = _json("\n".join(line for _, line in _lines(path)), f"--data {path}")
    yield from ((i, _object(row, path, i)) for i, row in enumerate(rows, 1))


def _json(text: str, where: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RunError(f"{where} is not JSON: {error}") from error


def _object(value: object, path: Path, number: int) -> Record:
    if isinstance(value, dict):
        return value
    raise RunError(f'--data {path}: row {number} is not an object such as {{"text": "..."}}')


def _comma(path: Path) -> Records:
    return _separated(path, ",")


def _tab(path: Path) -> Records:
    return _separated(path, "\t")


def _separated(path: Path, delimiter: str) -> Records:
    """CSV with a header line; quoted values may hold line ends."""
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    lines = (line + "\n" for _, line in _lines(path))
    reader = csv.DictReader(lines, delimiter=delimiter, strict=True)
    try:
        for row in reader:
            record: dict[Any, Any] = row
            if None in record:
                raise RunError(
                    f"--data {path}: line {reader.line_num} has more values than the header's "
                    f"{len(reader.fieldnames or ())}; quote values that hold the separator"
                )
            yield reader.line_num, record
    except csv.Error as error:
        raise RunError(f"--data {path}: line {reader.line_num}: {error}") from error


def _parquet(path: Path) -> Records:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        number = 0
        for batch in pq.ParquetFile(path).iter_batches(1000):
            for record in batch.to_pylist():
                number += 1
                yield number, record
    except (pa.ArrowException, OSError) as error:
        raise RunError(f"--data {path}: cannot be read as Parquet: {error}") from error


_FORMATS: dict[str, Callable[[Path], Records]] = {
    ".txt": _text,
    ".text": _text,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".json": _json_array,
    ".csv": _comma,
    ".tsv": _tab,
    ".parquet": _parquet,
}
