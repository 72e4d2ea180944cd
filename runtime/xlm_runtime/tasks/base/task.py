"""The base of tasks, which share with families only a layout: text, seq2seq or infill."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from xlm_runtime.tasks.base.prepared import DataOptions, Prepared

if TYPE_CHECKING:
    from torchmetrics import MetricCollection


SMALL: Mapping[str, float | int | str] = {  # minutes on a core, for tasks of few words
    "model.layers": 3,
    "model.width": 64,
    "model.heads": 2,
    "model.dropout": 0.0,
    "model.rotary_base": 30.0,
    "train.batch": 64,
    "train.steps": 2000,
    "train.learning_rate": 3e-3,
    "train.schedule": "cosine",
    "train.warmup": 100,
    "train.ema": 0.99,
}

READING: Mapping[str, float | int | str] = {  # minutes on a core, for tasks of natural language
    "model.layers": 4,
    "model.width": 128,
    "model.heads": 4,
    "model.dropout": 0.0,
    "train.batch": 32,
    "train.steps": 1000,
    "train.learning_rate": 1e-3,
    "train.schedule": "cosine",
    "train.warmup": 100,
    "train.ema": 0.99,
}


class Task(ABC):
    """One source of examples and the metrics of what is generated for them.

    A task of one's own is a file such as this one, used by ``--task my_tasks:REVERSE``::

        class Reverse(Task):
            name = "reverse"
            title = "Words backwards"
            layout = "seq2seq"
            quick = {"model.size": "tiny", "train.steps": 1000}

            def prepare(self, options):
                tokenizer = words("abcdefgh", options.specials)
                ids = [tokenizer.encode(" ".join(w)) for w in permutations("abcdefgh", 4)]
                pairs = [Example(i, body=w[::-1], prompt=w) for i, w in enumerate(ids)]
                return Prepared(
                    train=pairs[200:], validation=pairs[:100], test=pairs[100:200],
                    tokenizer=tokenizer, body=4, prompt=4,
                )

        REVERSE = Reverse()

    For data that do not fit into memory, or take long to make, see `xlm_runtime.data.store`
    (examples on disk) and `xlm_runtime.system.cache` (made once).

    name: what ``--task`` calls it, and the folder of its runs.
    title: one line.
    layout: what its examples are. ``text``: a body. ``seq2seq``: a prompt and a body. ``infill``: a
        body of which some tokens are given.
    makes: whether its problems can be made where others were published (``data.made``).
    streams: whether its texts can be read and encoded one by one (``data.stream``).
    packed: whether a body holds several documents end to end, which must not see each other.
    quick: settings of a run with ``--preset quick``, by path (``train.steps``, ``model.width``).
    """

    name: str
    title: str
    layout: Literal["text", "seq2seq", "infill"]
    packed: bool = False
    makes: bool = False
    streams: bool = False
    quick: ClassVar[Mapping[str, float | int | str]] = {}

    @abstractmethod
    def prepare(self, options: DataOptions) -> Prepared:
        """Prepare the data, or open them in the cache.

        Raises RunError or UsageError in plain words.
        """

    def about(self, options: DataOptions) -> Mapping[str, Any]:  # noqa: ARG002
        """Describe the task without its data: origin, processing, protocol; fetch nothing.

        Keys are those of `Prepared.facts`, which hold the facts of the data themselves.
        """
        return {}

    def given(self, data: Path | None, columns: Mapping[str, str]) -> "Task":  # noqa: ARG002
        """Return the task for the user's data; a subclass may choose a layout by them."""
        return self

    def metrics(self, prepared: Prepared) -> "MetricCollection":  # noqa: ARG002
        """Return metrics of generated texts: ``update(Answer(...))``, then ``compute()``.

        ``prepared`` is the result of `prepare`. By default exact match and token accuracy; for
        ``text``, where no body is right, none.
        """
        from xlm_runtime.metrics import ExactMatch, TokenAccuracy, collection

        return collection() if self.layout == "text" else collection(ExactMatch(), TokenAccuracy())
