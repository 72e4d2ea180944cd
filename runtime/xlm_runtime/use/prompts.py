"""The prompts of a command: from options, from a file, or from a pipe."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen

from xlm_runtime.data import files
from xlm_runtime.data.files import Table
from xlm_runtime.data.formats import File
from xlm_runtime.model import holes
from xlm_runtime.system.errors import UsageError

PIPE = Path("-")
_READ = ("id", "prompt", "draft", "length")
_OPTION = "--prompts"


@frozen
class Prompt:
    """A prompt, perhaps with holes; the number of tokens of its text, if it is set.

    id: from a file; else its place, from 0.  draft: the text to repair, if there is one.
    """

    id: int | str
    text: str
    length: int | None = None
    draft: str | None = None


@dataclass(frozen=True)
class _Piped(File):
    """Lines that came through a pipe, kept in a file that no message names."""

    def __str__(self) -> str:
        return "stdin"


def given(
    texts: Sequence[str],
    infills: Sequence[str],
    file: Path | None,
    drafts: Sequence[str] = (),
) -> list[Prompt]:
    """Return the prompts of a command; none where it names none and nothing is piped.

    Raises UsageError.
    """
    for text in (*texts, *infills, *drafts):
        _check_whole(text)
    if drafts:
        return _drafted(texts, infills, file, drafts)
    for text in infills:
        if not holes.has_holes(text):
            raise UsageError(f"--infill {text!r} has no hole: write [MASK*3] or [GAP] into it")
    if (texts or infills) and file is not None:
        raise UsageError("--prompts names a file of prompts: leave --prompt and --infill out")
    if texts or infills:
        return [Prompt(i, text) for i, text in enumerate([*texts, *infills])]
    if file is None:
        return [] if sys.stdin.isatty() else _piped()
    found = _piped() if file == PIPE else _read(files.read(file, _OPTION))
    if not found:
        raise UsageError(f"{_OPTION} {file}: there is no prompt in it")
    return found


def _drafted(
    texts: Sequence[str], infills: Sequence[str], file: Path | None, drafts: Sequence[str]
) -> list[Prompt]:
    """Return a prompt for each draft, an empty one where there are no prompts."""
    if file is not None:
        raise UsageError(
            "--prompts names a file, where a field `draft` gives drafts: leave --draft out"
        )
    if infills:
        raise UsageError(
            "--draft: what may change is the draft, so that no text has holes: leave --infill out"
        )
    if texts and len(texts) != len(drafts):
        raise UsageError(f"--draft: {len(drafts)} for {len(texts)} prompts: give one for each")
    pairs = zip(texts or [""] * len(drafts), drafts, strict=True)
    return [Prompt(i, text, draft=draft) for i, (text, draft) in enumerate(pairs)]


def _check_whole(text: str) -> None:
    """Check that a text of the command line is valid.  Raises UsageError."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"--prompt {text!a}: no text in UTF-8 ({error.reason})") from error


def _piped() -> list[Prompt]:
    """Read prompts from stdin: JSON lines if its first line is a JSON object, else text."""
    raw = sys.stdin.buffer.read()
    lines = raw.split(b"\n")
    first = next((line for line in lines if line.strip()), b"")
    if not first:
        return []
    with TemporaryDirectory() as folder:
        path = Path(folder) / ("stdin.jsonl" if _is_object(first) else "stdin.txt")
        path.write_bytes(raw)
        kept = _Piped(path, _OPTION)
        return _read(Table(kept, files.read(path, _OPTION).format))


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _read(table: Table) -> list[Prompt]:
    """Read the prompts of a file; blank lines of text are skipped."""
    if table.format.plain:
        texts = [str(record["text"]) for _, record in table.records()]
        return [Prompt(i, text) for i, text in enumerate(filter(str.strip, texts))]
    made: list[Prompt] = []
    places: dict[int | str, int] = {}
    for number, record in table.records():
        where = f"{table.file}: {table.format.unit} {number}"
        made.append(_prompt(len(made), record, where))
        if (first := places.setdefault(made[-1].id, number)) != number:
            raise UsageError(
                f"{where}: the id {made[-1].id!r} is that of {table.format.unit} {first}"
            )
    return made


def _prompt(index: int, record: object, where: str) -> Prompt:
    assert isinstance(record, dict)  # as every record is
    text, id_, length = record.get("prompt", record.get("text")), record.get("id"), None
    draft = record.get("draft")
    if not isinstance(draft, str | None):
        raise UsageError(f"{where}: `draft` is a text, and got {draft!r}")
    text = "" if text is None and draft is not None else text
    if not isinstance(text, str):
        has = f"it has: {', '.join(map(str, record))}" if text is None else f"got {text!r}"
        raise UsageError(f"{where}: `prompt` is a text, and {has}")
    if not isinstance(id_, int | str | None) or isinstance(id_, bool):
        raise UsageError(f"{where}: `id` is a whole number or a text, got {id_!r}")
    if record.get("length") not in (None, ""):
        length = _number(record["length"], where)
    return Prompt(index if id_ is None else id_, text, length, draft)


def _number(value: object, where: str) -> int:
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdecimal()) or not int(text):
        raise UsageError(f"{where}: `length` is a whole number of at least 1, got {value!r}")
    return int(text)
