"""The display of a run's progress: bars on a terminal, sparse plain lines anywhere else."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from xlm_runtime.system.env import rank

_MOVES = (
    *range(9),
    *range(11, 32),
    *range(127, 160),
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
)
_SPELT = {code: ascii(chr(code))[1:-1] for code in _MOVES}
_PAUSE = 2.0  # seconds between plain lines, the first and the last apart

console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


@contextmanager
def beside_results() -> Iterator[None]:
    """Show progress and remarks on stderr, since stdout is for results."""
    before = console.stderr
    console.stderr = True
    try:
        yield
    finally:
        console.stderr = before


def say(text: str) -> None:
    """Print a line, above the bar if there is one; only one process of a run prints."""
    if rank() == 0:
        console.print(visible(text))


def complain(error: Exception) -> None:
    """Print an error for the user."""
    print(f"error: {visible(str(error))}", file=sys.stderr)


def visible(text: str) -> str:
    """Spell out characters of a text that move the cursor or reverse the direction of a line."""
    return text.translate(_SPELT)


class Watch:
    """Shows how far a long job is: ``with Watch("train", 10) as watch: watch.at(1, "...")``."""

    def __init__(self, label: str, total: int) -> None:
        self.label, self.total = label, total
        self._said = monotonic()
        self._shown = ""
        self._bar = Progress(
            TextColumn(label),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
            disable=not console.is_terminal or rank() != 0,
        )
        self._task = self._bar.add_task("", total=total)

    def __enter__(self) -> "Watch":
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Remove the bar."""
        self._bar.stop()

    def at(self, done: int, text: str = "") -> None:
        """Show that ``done`` of the total are done, with a remark ``text``.

        A total may be an estimate: a number beyond it is shown as it is. No line is printed twice.
        """
        self._bar.update(self._task, completed=min(done, self.total), description=text)
        now = monotonic()
        if self._bar.disable and (now - self._said > _PAUSE or (done == self.total and text)):
            shown = self._line(done, text)
            if shown != self._shown:
                self._said, self._shown = now, shown
                say(shown)

    def _line(self, done: int, text: str) -> str:
        width = len(str(self.total))
        count = f"{done:{width}}/{self.total}"
        if done > self.total:
            count = f"{done}, more than the {self.total} expected"
        return f"{self.label} {count}  {text}".rstrip()
