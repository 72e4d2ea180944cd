"""Names of runs, which contain what differs from other runs: ``quick-layers4-seed1``."""

import re
from collections.abc import Iterable

from xlm_runtime.config.lists import Point
from xlm_runtime.config.settings import parse_sets

_PLAIN = ("", "model", "train")  # sections that names leave out
_MOST = 120  # bytes: a name of a file has up to 255, and `bounds.NAME` is the user's


def of_point(point: Point) -> list[str]:
    """Return the parts of a name for options of ``--set``."""
    return [of_setting(one.path, one.value) for one in parse_sets(point)]


def of_setting(path: str, value: object) -> str:
    """Return the part of a name for a setting, ``layers4``; of a path, its last name."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    section, _, key = path.rpartition(".")
    key = key if section in _PLAIN else f"{section}_{key}"
    return f"{key}{text.rstrip('/').rpartition('/')[2]}"


def joined(parts: Iterable[str]) -> str:
    """Join parts to a name; of what is too long for a file, the beginning is kept."""
    name = "-".join(_plain(part) for part in parts if part)
    return name.encode()[:_MOST].decode(errors="ignore").rstrip("-.") if len(name) > _MOST else name


def _plain(text: str) -> str:
    """Replace the characters that are not those of a name."""
    return re.sub(r"[^\w.-]+", "_", text).strip("_.-")
