"""What a person watching a run sees: bars on a terminal, sparse plain lines anywhere else."""

import sys
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


def say(text: str) -> None:
    """Prints a line, above the bar if there is one.  Only one process of a run speaks."""
    if rank() == 0:
        console.print(visible(text))


def complain(error: Exception) -> None:
    """Prints an error for the person at the keyboard."""
    print(f"error: {visible(str(error))}", file=sys.stderr)


def visible(text: str) -> str:
    """A text whose characters move no cursor and turn no line round: such are spelt out."""
    return text.translate(_SPELT)


class Watch:
    """Shows how far something long is: ``with Watch("train", 10) as watch: watch.at(1, "...")``."""

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
        """Shows the bar."""
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Takes the bar away."""
        self._bar.stop()

    def at(self, done: int, text: str = "") -> None:
        """``done`` of the total are done; ``text`` says what there is to say about it.

        A total may be an estimate: what is beyond it is shown as such. No line is printed twice.
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
