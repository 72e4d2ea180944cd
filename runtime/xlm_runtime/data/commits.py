"""Which commit of a data set is read, so that one that has changed is not taken for the old one.

The Hub is asked where it can be reached. What it says is kept on this machine, so that data which
were prepared with a network are found again without one.
"""

import re
from contextlib import suppress
from pathlib import Path

from xlm_runtime.data import hub
from xlm_runtime.system.atomic import write_text

_COMMIT = re.compile(rb"[0-9a-f]{7,64}")  # anything else in its file is damage: not known


class Repo:
    """A data set on the Hub at a branch.

    at: its commit, once it is looked up; the branch where none is known. told: the same in words.
    """

    def __init__(self, name: str, branch: str) -> None:
        self.name, self._branch = name, branch
        self.at = branch
        self.told = f"{branch}, whichever commit that is: the Hub was not asked"

    def look_up(self, cache: Path) -> None:
        """Asks the Hub for the commit; where it does not answer, takes what it last said here."""
        file = cache / "commits" / f"{self.name}@{self._branch}".replace("/", "--")
        found = hub.commit(self.name, self._branch)
        if found:
            self.at = self.told = found
            with suppress(OSError):  # it is of use for times without the Hub alone
                file.parent.mkdir(parents=True, exist_ok=True)
                write_text(file, found)
        elif file.exists() and _COMMIT.fullmatch(last := file.read_bytes()):
            self.at = last.decode()
            self.told = f"{self.at}, as last seen here: the Hub was not reached"
