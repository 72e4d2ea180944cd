"""Samples with progress for a person, and a warning about answers that are too long."""

from collections.abc import Iterator, Sequence

from xlm_runtime.model import generate
from xlm_runtime.model.generate import Sample
from xlm_runtime.model.model import Model
from xlm_runtime.plug import Example
from xlm_runtime.system.progress import Watch, say
from xlm_runtime.tasks.base.prepared import Prepared


def samples(
    label: str,
    model: Model,
    examples: Sequence[Example],
    prepared: Prepared,
    size: int,
    seed: int,
    record: bool = False,
) -> Iterator[Sample]:
    """Yield `generate.samples`, showing progress, and report on answers that are long."""
    done = long = most = 0
    longest = int(prepared.lengths.max())
    with Watch(label, len(examples)) as watch:

        def tell(step: int) -> None:
            watch.at(done, f"step {step}")

        for sample in generate.samples(model, examples, size, seed, record, tell):
            done += 1
            watch.at(done)
            length = len(prepared.tokenizer.body(sample.ids))
            long, most = long + (length > longest), max(most, length)
            yield sample
    if long:
        say(beyond(long, done, most, longest))


def beyond(long: int, count: int, most: int, longest: int) -> str:
    """Return a warning about answers that are longer than all training texts."""
    return (
        f"  {long} of {count} answers are longer than any text of training ({longest} tokens), the "
        f"longest has {most}: the model has not learned where texts end, or its decoder does "
        "not stop there; train longer, or set a smaller data.block"
    )
