"""Lists in ``--set``: ``decoder.steps=8,16,32`` gives a setting each of several values.

The type of a setting decides: a text keeps its commas, every other value is split at them.
"""

import re
from collections.abc import Sequence
from itertools import product
from math import prod

from xlm_runtime.config.settings import section_types, shorten
from xlm_runtime.system.errors import UsageError

MOST = 1000  # combinations
_PADDED = re.compile(r"0\d+")
Point = tuple[str, ...]  # options of --set, one for each setting that has a list


def split(sets: Sequence[str]) -> tuple[Point, list[list[str]]]:
    """Separate options of ``--set`` into those with one value and those with a list.

    Each list becomes one option for each of its values. If a path is set twice, the last one
    counts. Raises UsageError for a list with an empty value, or the same value twice.
    """
    last = {path_of(text): text for text in sets}
    several = [_values(text) for text in last.values() if _is_list(text)]
    alone = (text for text in sets if not (_is_list(text) or _is_list(last[path_of(text)])))
    return tuple(alone), several


def points(several: Sequence[Sequence[str]]) -> list[Point]:
    """Return every combination of the values of lists; one without options if there are none.

    Raises UsageError if there are too many.
    """
    if (size := prod(map(len, several))) > MOST:
        raise UsageError(
            f"the lists of --set have {size:,} combinations, and at most {MOST:,} are run"
        )
    return list(product(*several))


def path_of(text: str) -> str:
    """Return the path of an option of ``--set``."""
    return text.partition("=")[0].strip()


def _is_list(text: str) -> bool:
    return "," in text.partition("=")[2] and section_types().get(path_of(text)) is not str


def _values(text: str) -> list[str]:
    """Return an option for each value of a list.  Raises UsageError."""
    parts = [part.strip() for part in text.partition("=")[2].split(",")]
    where = f"--set {shorten(text)}"
    if parts[0][:1] in ("[", "("):
        raise UsageError(f"{where}: write a list without brackets: {path_of(text)}=8,16,32")
    if "" in parts:
        raise UsageError(f"{where}: a value of the list is empty: write it as 8,16,32")
    if twice := next((one for one in parts if parts.count(one) > 1), None):
        raise UsageError(f"{where}: {twice} is there twice")
    if padded := next(filter(_PADDED.fullmatch, parts), None):
        raise UsageError(
            f"{where}: commas separate the values of a list, and {padded} is no number; a thousand "
            f"is 1000"
        )
    return [f"{path_of(text)}={part}" for part in parts]
