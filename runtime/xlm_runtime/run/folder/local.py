"""Removal of facts that only the machine of a run understands, above all paths."""

import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from xlm_runtime.system import cache
from xlm_runtime.system.errors import RunError

_PATH = re.compile(
    r"""(?<![\w.:/~-])(?:~\w*)?/(?:[^\s"'`,;:()\[\]{}<>|/]+/)*([^\s"'`,;:()\[\]{}<>|/]*)"""
)
_HEADER = 1 << 20  # bytes of a file of weights in which texts stand


def plain(value: object) -> object:
    """Reduce every path within the texts of a JSON value to its last name."""
    if isinstance(value, Mapping):
        return {cut(str(key)): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return cut(value) if isinstance(value, str) else value


def cut(text: str) -> str:
    """Reduce every path in a text to its last name, a path with blanks included."""
    if text.startswith(("/", "~/")) and "\n" not in text:
        return Path(text).name
    for root in roots():
        text = text.replace(f"{root}/", "/")
    return _PATH.sub(r"\1", text)


def roots(*more: Path) -> list[Path]:
    """Return the folders whose names are private: home, current, temporary, caches.

    The longest come first.
    """
    every = [Path.home(), Path.cwd(), Path(tempfile.gettempdir()), cache.home(), *more]
    found = {path for one in every for path in (one.absolute(), one.resolve())}
    return sorted((path for path in found if path.parent != path), key=lambda p: -len(str(p)))


def check(folder: Path, more: Iterable[Path] = ()) -> None:
    """Refuse files to be sent that name a folder of this machine.  Raises RunError."""
    names = "|".join(re.escape(str(root)) for root in roots(*more))
    told = re.compile(rf"(?<![\w.:/-])(?:{names})(?![\w-])".encode())
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        with file.open("rb") as opened:
            found = told.search(opened.read(_HEADER if file.suffix == ".safetensors" else -1))
        if found:
            raise RunError(
                f"{file.relative_to(folder)} names a folder of this machine, "
                f"{found[0].decode(errors='replace')}: nothing was pushed. "
                "Remove the name from that file"
            )
