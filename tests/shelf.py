"""A Hub without a network: repositories are kept in memory, and pulled into a folder."""

from collections.abc import Callable
from pathlib import Path

import pytest

from xlm_runtime.data import hub


class Shelf:
    """``repos``: the files of each repository, by path."""

    def __init__(self, folder: Path) -> None:
        self.repos: dict[str, dict[str, bytes]] = {}
        self._folder = folder
        self._commits = 0

    def use(self, patch: pytest.MonkeyPatch) -> None:
        """Takes the Hub's place."""
        patch.setattr(hub, "send", self._send)
        patch.setattr(hub, "taken", self._taken)

    def _send(self, folder: Path, repo: str, *_: object) -> str:
        files = (path for path in folder.rglob("*") if path.is_file())
        self.repos[repo] = {f.relative_to(folder).as_posix(): f.read_bytes() for f in files}
        return f"shelf://{repo}"

    def _taken(
        self, repo: str, chosen: Callable[[list[str]], list[str]], _: str
    ) -> tuple[list[str], Path]:
        files = self.repos[repo]
        names = chosen(list(files))
        self._commits += 1
        folder = self._folder / f"commit{self._commits:034}"
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(files[name])
        return names, folder
