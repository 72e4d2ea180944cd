"""Decoding shown in the terminal as it happens, its changes in colour."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from os.path import commonprefix
from time import monotonic, sleep

from rich.console import Console
from rich.live import Live
from rich.text import Text

from xlm_runtime.model.generate import Sample
from xlm_runtime.run.reports.changes import Kind, Piece, changes
from xlm_runtime.shapes import Int, Tensor
from xlm_runtime.system.errors import UsageError
from xlm_runtime.system.progress import console, visible
from xlm_runtime.tokenizers import Tokenizer

STYLES: dict[Kind, str] = {
    "kept": "",
    "masked": "bright_black",
    "unmasked": "bold green",
    "inserted": "bold cyan",
    "remasked": "bold yellow",
    "replaced": "bold magenta",
    "deleted": "red strike",
}
_MASK = "░"
PAUSE = 0.05  # seconds that a state is shown at least


def check_terminal(name: str, screen: Console = console) -> None:
    """Check that there is a terminal to show texts on.  Raises UsageError."""
    if not screen.is_terminal:
        raise UsageError(f"{name} shows texts on a terminal, and there is none")


class Frames:
    """The states of one text at a time, as coloured lines."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.mask = tokenizer.vocabulary.specials.get("mask")
        self._names = {i: f"<{name}>" for name, i in tokenizer.vocabulary.specials.items()}
        self._pad = tokenizer.vocabulary.specials.get("pad")
        self._before: list[int] | None = None

    def begin(self) -> None:
        """Forget the states of the text before."""
        self._before = None

    def next(self, state: Sequence[int]) -> Text:
        """Return the next state, with its changes from the one before, and without padding."""
        before, self._before = self._before, list(state)
        pieces = changes(state if before is None else before, state, self.mask)
        return self.line([piece for piece in pieces if piece.id != self._pad])

    def line(self, pieces: Sequence[Piece[int]]) -> Text:
        """Return pieces as a text; a token that was deleted is struck out."""
        made = Text()
        special = [i if one.id in self._names else -1 for i, one in enumerate(pieces)]
        for place, run in groupby(range(len(pieces)), special.__getitem__):
            if made and not made.plain.endswith(" "):
                made.append(" ")
            some = [pieces[i] for i in run]
            words = self._words([one.id for one in some]) if place < 0 else map(self._name, some)
            for word, piece in zip(words, some, strict=True):
                made.append(visible(word.replace("\n", "⏎ ")), STYLES[piece.kind])
        return made

    def _name(self, piece: Piece[int]) -> str:
        return _MASK if piece.id == self.mask else self._names[piece.id]

    def _words(self, ids: Sequence[int]) -> Iterator[str]:
        """Yield the text that each token adds to those before it."""
        before = ""
        for end in range(1, len(ids) + 1):
            text = self.tokenizer.decode(ids[:end])
            yield text[len(commonprefix([before, text])) :]  # noqa: RUF071  # letters, not paths
            before = text


class Screen:
    """Shows each state of a text as it is made; texts come one at a time."""

    def __init__(self, tokenizer: Tokenizer, live: Live, pause: float) -> None:
        self.frames, self.live, self.pause = Frames(tokenizer), live, pause
        self._shown = 0.0

    def record(self, state: Int[Tensor, "batch width"]) -> None:
        """Show a state, once the one before was visible for long enough."""
        sleep(max(0.0, self._shown + self.pause - monotonic()))
        self.live.update(self.frames.next(state[0].tolist()), refresh=True)
        self._shown = monotonic()

    def step(self, step: int) -> None:
        """Ignore the number of a step, which a state shows."""

    def sample(self, sample: Sample) -> Sample:
        """Leave the last state of a text for as long as others; return its sample."""
        sleep(self.pause)
        self.frames.begin()
        return sample


@contextmanager
def watching(
    tokenizer: Tokenizer, pause: float = PAUSE, screen: Console = console
) -> Iterator[Screen]:
    """Provide a screen, each state of which is visible for ``pause`` seconds at least."""
    with Live(console=screen, transient=True, auto_refresh=False) as live:
        yield Screen(tokenizer, live, pause)
