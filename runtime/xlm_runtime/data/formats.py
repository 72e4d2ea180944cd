"""Records of files, by their suffix: text, JSON lines, JSON arrays, CSV and Parquet.

They are read here since `datasets` does not keep what messages and values need: it has no line for
a byte that is not UTF-8, counts rows within a block of a file, and makes 7 of `007`, nothing of
`NA` and `a.1` of a second column `a`.
"""

import csv
import gzip
import json
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, cast

from xlm_runtime.system.bounds import ARRAY, LINE
from xlm_runtime.system.errors import UsageError

Record = Mapping[str, object]
Records = Iterator[tuple[int, Record]]
_NAN = ("NaN", "nan")  # a cell without a value, as tables write it


@dataclass(frozen=True)
class File:
    """A file that an option of the command names: what every message about it begins with."""

    path: Path
    option: str

    def __str__(self) -> str:
        return f"{self.option} {self.path}"


@dataclass(frozen=True)
class Format:
    """A file format: its records by number, from 1, and its columns.

    unit: what a number counts. typed: whether values may be other than texts. plain: whether a
    record is a line of text.
    """

    records: Callable[[File], Records]
    columns: Callable[[File], Iterable[str]]
    unit: Literal["line", "row"] = "line"
    typed: bool = True
    plain: bool = False


def of(file: File) -> Format:
    """Return the format of a file by its suffix.  Raises UsageError for an unknown one."""
    suffixes = [s.lower() for s in file.path.suffixes if s.lower() != ".gz"]
    suffix = suffixes[-1] if suffixes else ""
    if suffix not in _FORMATS:
        known = ", ".join(filter(None, _FORMATS))
        raise UsageError(f"{file}: '{suffix}' is none of {known} (text also with .gz)")
    return _FORMATS[suffix]


def _lines(file: File, longest: int = LINE) -> Iterator[tuple[int, str]]:
    """Yield numbered lines of UTF-8 text without line ends or byte order mark.

    Raises UsageError for a line that is too long or not UTF-8.
    """
    opener = gzip.open if file.path.suffix.lower() == ".gz" else Path.open
    try:
        with cast(Callable[..., IO[bytes]], opener)(file.path, "rb") as lines:
            for number, raw in enumerate(iter(lambda: lines.readline(longest + 1), b""), 1):
                if len(raw) > longest:
                    raise UsageError(
                        f"{file}: line {number} has more than {longest:,} bytes: a row is read as "
                        "a whole; put line ends between texts, or give JSON lines or Parquet"
                    )
                line = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
                yield number, _decoded(line, number, file).rstrip("\r\n")
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UsageError(f"{file}: a broken gzip file ({error})") from error


def _decoded(line: bytes, number: int, file: File) -> str:
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
    raise UsageError(
        f"{file}: line {number} is not UTF-8 text ({fault}); convert the file, or give "
        "Parquet with the suffix .parquet"
    )


# ---------------------------------------------------------------- text


def _text(file: File) -> Records:
    """Yield lines of text; a lone carriage return ends a line too, as in old Macintosh files."""
    lines = (line for _, whole in _lines(file) for line in whole.split("\r"))
    return ((number, {"text": line}) for number, line in enumerate(lines, 1))


def _text_columns(_: File) -> Iterable[str]:
    return ("text",)


def _bare(file: File) -> Records:
    """Yield lines of a file without a suffix; refuse JSON lines, whose suffix may be lost."""
    for number, record in _text(file):
        if number == 1 and _is_object(str(record["text"])):
            raise UsageError(f"{file}: line 1 is a JSON object: give the file the suffix .jsonl")
        yield number, record


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


# ---------------------------------------------------------------- JSON


def _json_lines(file: File) -> Records:
    for number, line in _lines(file):
        if line.strip():
            where = f"{file}: line {number}"
            yield number, _object(_json(line, where), where)


def _json_array(file: File) -> Records:
    """Yield the objects of one JSON array, or of JSON lines under the suffix .json."""
    start = next((line for _, line in _lines(file, ARRAY) if line.strip()), "")
    if not start.lstrip().startswith("["):
        yield from _json_lines(file)
        return
    rows: Any = _json("\n".join(line for _, line in _lines(file, ARRAY)), str(file))
    yield from ((i, _object(row, f"{file}: row {i}")) for i, row in enumerate(rows, 1))


class _Twice(Exception):
    """An object with a key that occurs twice."""


def _json(text: str, where: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_once)
    except _Twice as error:
        raise UsageError(f"{where}: '{error}' occurs twice in an object") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{where} is not JSON: {error} (write one row a line, or all rows as one array with "
            f"the suffix .json)"
        ) from error


def _once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Twice(_doubled(key for key, _ in pairs))
    return found


def _object(value: object, where: str) -> Record:
    if isinstance(value, dict):
        return value
    raise UsageError(f'{where} is not an object such as {{"text": "..."}}')


def _keys(records: Callable[[File], Records]) -> Callable[[File], Iterable[str]]:
    """Return a function that collects the keys of all rows, each of which may have its own."""
    return lambda file: dict.fromkeys(key for _, record in records(file) for key in record)


# ---------------------------------------------------------------- tables


def _comma(file: File) -> Records:
    return _separated(file, ",")


def _tab(file: File) -> Records:
    return _separated(file, "\t")


def _separated(file: File, delimiter: str) -> Records:
    """Yield the rows of a CSV file with a header line; quoted values may contain line ends."""
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    lines = (line + "\n" for _, line in _lines(file))
    reader = csv.DictReader(lines, delimiter=delimiter, strict=True)
    try:
        _check_header(reader.fieldnames or (), file)
        for row in reader:
            record: dict[Any, Any] = row
            if None in record:
                raise UsageError(
                    f"{file}: line {reader.line_num} has more values than the header's "
                    f"{len(reader.fieldnames or ())}; quote values that contain the separator"
                )
            nan = {key: float("nan") for key, value in record.items() if value in _NAN}
            yield reader.line_num, record | nan
    except csv.Error as error:
        alone = "new-line character" in str(error)
        why = "a carriage return alone; lines end with line feeds" if alone else str(error)
        raise UsageError(f"{file}: line {max(reader.line_num, 1)}: {why}") from error


def _check_header(names: Sequence[str], file: File) -> None:
    """Refuse a header that names a column twice, or whose delimiter is another."""
    _check_names([name for name in names if name], file)
    if len(names) == 1 and (other := [mark for mark in ";\t|," if mark in names[0]]):
        raise UsageError(
            f"{file}: the header {names[0]!r} is one column: its names are separated by "
            f"{other[0]!r}, and those of .csv are by commas, of .tsv by tabs"
        )


def _parquet(file: File) -> Records:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        number, table = 0, pq.ParquetFile(file.path)
        _check_names(table.schema_arrow.names, file)
        for batch in table.iter_batches(1000):
            for record in batch.to_pylist():
                number += 1
                yield number, record
    except (pa.ArrowException, OSError) as error:
        raise UsageError(f"{file}: cannot be read as Parquet: {error}") from error


def _check_names(names: Sequence[str], file: File) -> None:
    if len(set(names)) < len(names):
        raise UsageError(f"{file}: there are two columns '{_doubled(names)}': rename one")


def _doubled(names: Iterable[str]) -> str:
    return Counter(names).most_common(1)[0][0]


def _first(records: Callable[[File], Records]) -> Callable[[File], Iterable[str]]:
    """Return a function that reads the columns of a table off its first row."""
    return lambda file: next(records(file), (0, {}))[1]


_FORMATS: dict[str, Format] = {
    ".txt": Format(_text, _text_columns, plain=True),
    ".text": Format(_text, _text_columns, plain=True),
    "": Format(_bare, _text_columns, plain=True),
    ".jsonl": Format(_json_lines, _keys(_json_lines)),
    ".ndjson": Format(_json_lines, _keys(_json_lines)),
    ".json": Format(_json_array, _keys(_json_array), "row"),
    ".csv": Format(_comma, _first(_comma), typed=False),
    ".tsv": Format(_tab, _first(_tab), typed=False),
    ".parquet": Format(_parquet, _first(_parquet), "row"),
}
