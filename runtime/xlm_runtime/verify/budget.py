"""The processor time that an examination may take."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import process_time

from attrs import define, field


class Late(Exception):
    """A piece of work has used up its time; ``step``: where it was, for a decoder."""

    def __init__(self, step: int = 0) -> None:
        super().__init__(step)
        self.step = step


@define
class Budget:
    """Seconds of processor time, shared out among pieces of work; other programs do not count."""

    end: float
    ends: list[float] = field(factory=list)

    @classmethod
    def of(cls, seconds: float) -> "Budget":
        """Begin now."""
        return cls(process_time() + seconds)

    def left(self) -> float:
        """Return the processor seconds left in the innermost `share`; below 0 after its end."""
        return (self.ends[-1] if self.ends else self.end) - process_time()

    @contextmanager
    def share(self, part: float) -> Iterator[None]:
        """Give a piece of work a part of the time left; unused time is not lost."""
        self.ends.append(process_time() + max(self.left(), 0.0) * part)
        try:
            yield
        finally:
            self.ends.pop()

    def check(self, step: int = 0) -> None:
        """Raise Late when the time of the innermost `share` is used up."""
        if self.left() < 0:
            raise Late(step)
