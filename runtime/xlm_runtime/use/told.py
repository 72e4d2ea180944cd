"""The progress of generation, and a warning about texts that are longer than those of training."""

from collections.abc import Iterator
from contextlib import contextmanager

from xlm_runtime.data.lengths import Law
from xlm_runtime.model.generate import Sample
from xlm_runtime.plug import Record
from xlm_runtime.run.jobs.watched import beyond
from xlm_runtime.system.progress import Watch, say
from xlm_runtime.use.loaded import Loaded


class Tell:
    """Shows how many texts are done, and records their lengths.

    record: whether states are kept; none are.
    """

    record: Record = False

    def __init__(self, loaded: Loaded, watch: Watch) -> None:
        self.loaded, self.watch = loaded, watch
        self.lengths: list[int] = []

    def step(self, step: int) -> None:
        """Show the step of a batch."""
        self.watch.at(len(self.lengths), f"step {step}")

    def sample(self, sample: Sample) -> Sample:
        """Show that a text is done; return its sample."""
        self.lengths.append(len(self.loaded.tokenizer.body(sample.ids)))
        self.watch.at(len(self.lengths))
        return sample


@contextmanager
def watching(loaded: Loaded, total: int) -> Iterator[Tell]:
    """Show the progress of so many texts, then a warning if some of them are too long."""
    with Watch("generate", total) as watch:
        tell = Tell(loaded, watch)
        yield tell
    law = Law.of(loaded.lengths)
    longest = law.counts[-1][0] if law.counts else loaded.model.body
    if long := sum(length > longest for length in tell.lengths):
        say(beyond(long, len(tell.lengths), max(tell.lengths), longest))
