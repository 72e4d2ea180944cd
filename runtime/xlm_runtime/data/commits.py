"""The commit of a data set on the Hub, which shows when the data have changed.

The Hub is queried whenever it can be reached. Its answer is kept on this machine, so that data
that were prepared online are recognised offline.
"""

import re
from contextlib import suppress
from pathlib import Path

from xlm_runtime.data import hub
from xlm_runtime.system.atomic import write_text

_COMMIT = re.compile(rb"[0-9a-f]{7,64}")  # anything else in its file is damage: not known


class Repo:
    """A data set on the Hub at a branch.

    at: its commit after `look_up`; the branch if no commit is known. `told`: the same in words.
    """

    def __init__(self, name: str, branch: str = "main") -> None:
        self.name, self.branch = name, branch
        self.at = branch
        self.told = f"{branch}, at an unknown commit: the Hub gave none"

    def look_up(self, cache: Path) -> None:
        """Query the Hub for the commit; if it does not answer, take its last answer kept here."""
        file = cache / "commits" / f"{self.name}@{self.branch}".replace("/", "--")
        found = hub.commit(self.name, self.branch)
        if found:
            self.at = self.told = found
            with suppress(OSError):  # it is of use for times without the Hub alone
                file.parent.mkdir(parents=True, exist_ok=True)
                write_text(file, found)
        elif file.exists() and _COMMIT.fullmatch(last := file.read_bytes()):
            self.at = last.decode()
            self.told = f"{self.at}, as last seen here: the Hub was not reached"
