"""Samples: blank examples laid out, decoded, and written down."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from attrs import frozen

from xlm_runtime.data.lengths import Law, Lengths
from xlm_runtime.model.model import Model
from xlm_runtime.plug import Ended, Example, Noise, Record
from xlm_runtime.system.atomic import to_json, write_text
from xlm_runtime.tokenizers import Tokenizer, before


@frozen
class Sample:
    """One answer.

    ids: the tokens that the decoder wrote, specials included. nfe: calls of the network. steps:
        those that the decoder took until the last answer of the batch was done.
    history: the states on the way, prompt included. given: the number of ids up to the last given
        one.
    """

    example: Example
    ids: tuple[int, ...]
    nfe: int
    steps: int = 0
    history: tuple[tuple[int, ...], ...] = ()
    given: int = 0


@dataclass(frozen=True)
class _Counted(Noise):
    """Noise that records the steps of a decoder: each requests its noise by its number."""

    taken: set[int] = field(default_factory=set)
    tell: Callable[[int], None] = lambda _: None

    def at(self, step: int) -> "_Counted":
        self.taken.add(step)
        self.tell(len(self.taken))
        return replace(self, step=step)


@torch.no_grad()
def samples(
    model: Model,
    examples: Iterable[Example],
    size: int,
    seed: int,
    record: Record = False,
    tell: Callable[[int], None] = lambda _: None,
) -> Iterator[Sample]:
    """Decode examples that `blank` has emptied; an answer does not depend on its batch.

    ``tell`` receives the number of each step of a batch.
    """
    for part, batch in model.batches(examples, size):
        noise = _Counted(seed, batch.example, tell=tell)
        decoded = model.decode(batch, noise, record)
        x, own, nfe = decoded.x.cpu(), decoded.body.cpu(), decoded.nfe.tolist()
        states = [state.cpu() for state in decoded.history] if record is True else []
        for row, example in enumerate(part):
            history = tuple(tuple(state[row].tolist()) for state in states)
            ids = tuple(x[row][own[row]].tolist())
            known = upto_given(example, ids, inserts=model.family.inserts)
            yield Sample(example, ids, nfe[row], len(noise.taken), history, known)


def upto_given(example: Example, ids: Sequence[int], *, inserts: bool) -> int:
    """Return the number of ids of an answer up to the last given one.

    If tokens were inserted between given ones, the given ones behind the last gap but one are
    adjacent: they are located at the last place where they occur.
    """
    if known := beginning(example):
        return known
    places = [place for place, known in enumerate(example.given) if known]
    if not places or not inserts:
        return places[-1] + 1 if places else 0
    last, first = places[-1], places[-1]
    gaps = example.gaps or [True] * (last + 1)
    while first and example.given[first - 1] and not gaps[first]:
        first -= 1
    run = list(example.body[first : last + 1])
    starts = range(len(ids) - len(run), -1, -1)
    return next((at + len(run) for at in starts if list(ids[at : at + len(run)]) == run), 0)


def blank(
    model: Model,
    examples: Iterable[Example],
    lengths: Lengths,
    seed: int,
    oracle: bool = False,
) -> Iterator[Example]:
    """Empty examples of their answers: prompt and given tokens stay, all else is padding.

    If the layout does not predict a body's length, it is drawn from ``lengths``, or with
    ``oracle`` taken from the answer, if there is one. The same applies to a body with an open end,
    whose beginning is given and whose only gaps are behind it: its length is drawn among longer
    ones. In every layout a length beyond the room means a text that is cut: its canvas is full,
    and has no end. Where decoders begin with a draft, that of the example is the body.
    """
    pad = model.vocabulary["pad"]
    for example in examples:
        if model.family.draft is not None:
            yield _begun(example)
            continue
        given, gaps, cut = example.given, example.gaps, False
        known = 0 if oracle else beginning(example)
        if any(given) and not known:
            pairs = zip(example.body, given, strict=True)
            hidden: Sequence[int] = [token if kept else pad for token, kept in pairs]
        elif oracle and example.body:
            cut = example.cut
            hidden = [pad] * (0 if model.layout.fills and not cut else len(example.body))
        else:
            length = _length(example, lengths, seed, model.body, known)
            cut = length > model.body
            free = 0 if model.layout.fills and not cut else min(length, model.body) - known
            hidden = [*example.body[:known], *[pad] * free]
            if known:
                given = [True] * known + [False] * free
                gaps = [False] * known + [True] * (free + 1)
        yield Example(example.index, hidden, example.prompt, given, gaps, cut=cut)


def _begun(example: Example) -> Example:
    """Return an example whose body is its draft, in which the given tokens are given."""
    draft, known = example.draft, beginning(example)
    assert draft is not None, "a family that makes texts of drafts decodes none without one"
    gaps = [False] * known + [True] * (len(draft) - known + 1) if known else ()
    return replace(example, body=draft, given=example.kept, gaps=gaps)


def beginning(example: Example) -> int:
    """Return the number of given tokens of a body with an open end; 0 for others."""
    known = sum(example.given)
    free = len(example.given) - known
    behind = [False] * known + [True] * (free + 1)
    return known if list(example.gaps) == behind and all(example.given[:known]) else 0


def _length(example: Example, lengths: Lengths, seed: int, most: int, beyond: int = 0) -> int:
    """Draw a length for an example, among those beyond a number; ``most`` if there is none."""
    law = Law.of(lengths)
    draw = float(Noise(seed, torch.tensor([example.index])).uniform("length"))
    drawn = (law.beyond(beyond) if beyond else law).at(draw)
    return most if drawn is None else drawn


def unconditional(count: int) -> list[Example]:
    """Return examples of which nothing is given."""
    return [Example(index, ()) for index in range(count)]


def ending(tokenizer: Tokenizer, stops: Sequence[str]) -> Ended | None:
    """Return a test of whether a text contains one of the strings; None if there are none.

    A token is a byte at least, and its text may be another one where it is the first.
    """
    if not stops:
        return None

    def holds(ids: Sequence[int], given: int) -> bool:
        body = tokenizer.body(ids)
        text = tokenizer.decode(body)
        return before(text, stops, tokenizer.behind(body, given)) != text

    return Ended(holds, max(len(stop.encode()) for stop in stops) + 1)


def said(sample: Sample, tokenizer: Tokenizer, stops: Sequence[str] = ()) -> tuple[list[int], str]:
    """Return the answer up to its end, or to the first of ``stops``: as ids and as text.

    Stops are searched for behind the last given token.
    """
    ids, text = tokenizer.body(sample.ids), tokenizer.decode(tokenizer.body(sample.ids))
    if not stops:
        return ids, text
    start = tokenizer.behind(ids, sample.given)
    return tokenizer.until(ids, stops, sample.given), before(text, stops, start)


def record(
    sample: Sample, tokenizer: Tokenizer, target: Example | None, stops: Sequence[str] = ()
) -> dict[str, Any]:
    """Return a line of ``predictions.jsonl``; the text ends before the first of ``stops``."""
    shown: dict[str, Any] = {"index": sample.example.index}
    if sample.example.prompt:
        shown["prompt"] = tokenizer.decode(sample.example.prompt)
    if sample.example.draft is not None:
        shown["draft"] = tokenizer.decode(sample.example.draft)
    ids, text = said(sample, tokenizer, stops)
    shown["prediction"] = text
    if tokenizer.known(text)[0] != ids:  # the text alone would be read as other tokens
        shown["ids"] = ids
    if target is not None:
        shown["target"] = tokenizer.decode(target.body)
    shown |= {"nfe": sample.nfe, "steps": sample.steps}
    if sample.history:
        shown["history"] = [spelled(state, tokenizer) for state in sample.history]
    return shown


def spelled(ids: Iterable[int], tokenizer: Tokenizer) -> str:
    """Return the text of a state with visible specials (``<mask>``), without padding."""
    names = {token: f"<{name}>" for name, token in tokenizer.vocabulary.specials.items()}
    parts: list[str] = []
    for special, run in groupby(ids, names.get):
        tokens = list(run)
        parts += [special] * len(tokens) if special else [tokenizer.decode(tokens)]
    return " ".join(part for part in parts if part != "<pad>")


def write(path: Path, records: Iterable[dict[str, Any]]) -> None:
    """Write records as JSON lines, all or none."""
    write_text(path, "".join(to_json(record) + "\n" for record in records))


def show(shown: dict[str, Any]) -> str:
    """Format a record as one line for a person: ``prompt → prediction``, ``draft → prediction``."""
    prompt = "".join(f"{shown[name]} → " for name in ("prompt", "draft") if name in shown)
    target = shown.get("target")
    mark = "" if target is None else "  ✓" if target == shown["prediction"] else f"  ✗ {target}"
    return f"  {prompt}{shown['prediction']}{mark}".rstrip().replace("\n", " ⏎ ")
