"""The commands that a page of the documentation prints, and how to run them."""

import os
import re
import subprocess
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).parent.parent
_BLOCK = re.compile(r"^```sh(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@frozen
class Block:
    """A fenced block of shell commands.

    ```` ```sh ```` is run as it is; ``slow`` after it marks one that takes minutes, and ``exit=N``
    the exit code of its last command where that is not 0.
    """

    text: str
    slow: bool
    code: int


def blocks(page: Path) -> list[Block]:
    """The blocks of shell commands of a page, in order."""
    found = []
    for match in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        words = match["info"].split()
        codes = [int(word.removeprefix("exit=")) for word in words if word.startswith("exit=")]
        found.append(Block(match["text"], "slow" in words, *(codes or [0])))
    return found


def run(block: Block, folder: Path) -> str:
    """Runs a block in a folder; gives what it printed.  Raises AssertionError for its exit code."""
    path = f"{ROOT}:{ROOT / 'runtime'}:{os.environ.get('PYTHONPATH', '')}"
    made = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", block.text],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert made.returncode == block.code, f"{block.text}\n{made.stdout}"
    return made.stdout
