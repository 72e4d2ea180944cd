"""The user's own data: a file, its columns, and the texts in those that are chosen."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import cast

from xlm_runtime.data import formats
from xlm_runtime.data.formats import File, Format, Records
from xlm_runtime.data.rows import Dropped, Place, fault, plain
from xlm_runtime.system.errors import UsageError

_HEAD = 100  # rows that are looked at first


@dataclass(frozen=True)
class Table:
    """A file of records: its columns, and its rows by number, from 1."""

    file: File
    format: Format

    def records(self) -> Records:
        """Return the rows with their numbers."""
        return self.format.records(self.file)

    @cached_property
    def head(self) -> tuple[str, ...]:
        """The columns of the first rows."""
        rows = islice(self.records(), _HEAD)
        return tuple(dict.fromkeys(key for _, record in rows for key in record))

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns of all rows, of JSON every key of any."""
        return tuple(self.format.columns(self.file))

    def has(self, *names: str) -> bool:
        """Return whether these are columns; read the whole file only if the first rows lack one."""
        return set(names) <= set(self.head) or set(names) <= set(self.columns)

    def texts(
        self,
        roles: Sequence[str],
        named: Mapping[str, str],
        dropped: Dropped,
        of: str = "",
        as_text: Callable[[object], object] = plain,
    ) -> Iterator[tuple[Place, tuple[str, ...]]]:
        """Yield the texts of the columns that play ``roles``, with the place of each row.

        ``named`` maps roles to columns, ``of`` is the name of the file among others; ``as_text``
        converts values to texts. Rows without a text in each column go to ``dropped``. Raises
        UsageError if a column is missing or ambiguous.
        """
        wanted = choose(roles, named, self)
        for number, record in self.records():
            values = [as_text(record.get(column)) for column in wanted]
            faults = [fault(value) for value in values]
            bad = [f"{f} in '{c}'" for f, c in zip(faults, wanted, strict=True) if f]
            if bad:
                dropped.note(bad[0], Place(of, number))
            else:
                yield Place(of, number), tuple(cast("list[str]", values))


def read(path: Path, option: str = "--data") -> Table:
    """Open a file by its suffix: .txt, .jsonl, .json, .csv, .tsv, .parquet; texts also as .gz.

    Raises UsageError if the file is missing or empty, or has another suffix.
    """
    file = File(path, option)
    if not path.exists():
        raise UsageError(f"{file}: there is no such file")
    if path.is_dir():
        raise UsageError(f"{file}: a folder without files named train, validation or test")
    if not path.is_file():
        raise UsageError(f"{file}: neither file nor folder; a device or a pipe might never end")
    table = Table(file, formats.of(file))
    if next(table.records(), None) is None:
        raise UsageError(f"{file}: the file is empty")
    return table


def choose(roles: Sequence[str], named: Mapping[str, str], table: Table) -> list[str]:
    """Choose the column for each role: named by the user, of the same name, or the only one.

    Raises UsageError for a role or a column that does not exist, and for a column with two roles.
    """
    for role in named:
        if role not in roles:
            raise UsageError(
                f"--columns {role}={named[role]}: there is no '{role}' here"
                f"{_near(role, roles)}; there is: {', '.join(roles)}"
            )
    columns = [_column(role, named, table, len(roles) == 1) for role in roles]
    for i, column in enumerate(columns):
        if (first := columns.index(column)) < i:
            raise UsageError(
                f"{table.file}: column '{column}' would be both {roles[first]} and {roles[i]}: "
                f"name one for each, --columns {roles[first]}=COLUMN,{roles[i]}=COLUMN"
            )
    return columns


def _column(role: str, named: Mapping[str, str], table: Table, alone: bool) -> str:
    name = named.get(role, role)
    if table.has(name):
        return name
    if role not in named and alone and len(table.columns) == 1:
        return table.columns[0]
    raise UsageError(
        f"{table.file}: there is no column '{name}'{_near(name, table.columns)}; its columns: "
        f"{', '.join(table.columns)}; choose one with --columns {role}=COLUMN"
    )


def _near(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1, cutoff=0.7)
    return f" (did you mean '{near[0]}'?)" if near else ""
