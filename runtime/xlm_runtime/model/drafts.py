"""Drafts that decoding begins with: those that examples bring, or copies of their texts.

A copy has the mistakes of the family's law. It is a function of the example alone, so that every
evaluation sees the same.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from xlm_runtime.model.model import Model, chunks
from xlm_runtime.model.nelbo import SEED
from xlm_runtime.plug import Batch, Draft, Example, Family, Layout, Noise, Vocabulary

_SIZE = 256  # examples that are copied at once


def drafted(model: Model, examples: Iterable[Example]) -> Iterator[Example]:
    """Yield examples with their own drafts, or with copies of their bodies.

    They stay as they are where no decoder begins with a draft.
    """
    for part in chunks(examples, _SIZE):
        yield from copied(model.family, model.layout, model.vocabulary, part)


def copied(
    family: Family, layout: Layout, vocabulary: Vocabulary, examples: Sequence[Example]
) -> list[Example]:
    """Return examples of which those without a draft have a copy of their body; see `drafted`."""
    bare = [example for example in examples if example.draft is None]
    if family.draft is None or not bare:
        return list(examples)
    batch = layout(bare)
    found = family.draft(batch, Noise(SEED, batch.example), vocabulary)
    made = iter([_with(example, batch, found, row) for row, example in enumerate(bare)])
    return [next(made) if example.draft is None else example for example in examples]


def _with(example: Example, batch: Batch, draft: Draft, row: int) -> Example:
    """Return an example with its draft: new tokens behind the given ones that they follow."""
    fixed = (batch.inside & ~batch.free)[row].nonzero()[:, 0].tolist()
    parts = [(place, 0, int(batch.x0[row, place])) for place in fixed]
    pairs = zip(draft.gap[row].tolist(), draft.token[row].tolist(), strict=True)
    parts += [(gap, 1, token) for gap, token in pairs if gap < batch.x0.shape[1]]
    parts.sort(key=lambda part: part[:2])
    kept = [not new for _, new, _ in parts] if fixed else []
    return replace(example, draft=[token for *_, token in parts], kept=kept)


def source(family: Family, examples: Sequence[Example], noise: Mapping[str, Any]) -> str:
    """Describe the origin of the drafts of examples, as they are before `drafted`."""
    if all(example.draft is not None for example in examples):
        return "drafts: those of the data"
    values = {**{one.name: one.default for one in family.params.get("noise", ())}, **noise}
    params = ", ".join(f"noise.{name} {value}" for name, value in values.items())
    by = f" ({params})" if params else ""
    return f"drafts: copies of the targets by the noise of the family{by}, seed {SEED}"
