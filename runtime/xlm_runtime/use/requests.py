"""Prompts become examples without answers, and these samples, in batches of similar lengths."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TypeVar

from attrs import evolve, frozen

from xlm_runtime.config.config import Config
from xlm_runtime.data.lengths import Lengths
from xlm_runtime.model import generate, holes, pair
from xlm_runtime.model.generate import Sample
from xlm_runtime.model.model import Model
from xlm_runtime.plug import Example, Record
from xlm_runtime.system.errors import UsageError
from xlm_runtime.tokenizers import Tokenizer, Turn

_WINDOW = 8  # batches among whose examples those of similar lengths are chosen
_T = TypeVar("_T")


class TooLong(UsageError):
    """A prompt for which there is no room."""


@frozen
class Request:
    """A text that a model may generate: its example, of which an answer is still missing.

    infills: some of its tokens are given, so that it needs the layout ``infill``.
    """

    example: Example
    infills: bool

    @property
    def size(self) -> int:
        """The number of its known tokens, by which requests are batched."""
        return len(self.example.prompt) + len(self.example.body)


@frozen(eq=False)
class Prompter:
    """The part of a trained run that prompts become examples by.

    prompt: the room for the tokens of a prompt; 0 where the task has none.
    lengths: of bodies, from which an open length is drawn.
    """

    model: Model
    tokenizer: Tokenizer
    config: Config
    prompt: int
    lengths: Lengths

    @property
    def decides(self) -> str:
        """The reason why no length can be set; empty if it can be."""
        return pair.decides(self.model.family, self.model.layout)

    def check_length(self, name: str = "length") -> None:
        """Check that a user may set the length of a text.  Raises UsageError."""
        if self.decides:
            raise UsageError(f"{name}: {self.decides}; leave it out")

    @property
    def chats(self) -> bool:
        """True if prompts are messages of a chat."""
        return self.config.data.chat and bool(self.prompt)

    def request(
        self,
        index: int,
        text: str,
        length: int | None,
        seed: int,
        before: Sequence[Turn] = (),
        draft: str | None = None,
    ) -> Request:
        """Return the request of a prompt; a length that is open is drawn.  Raises UsageError.

        ``index`` keys all that is drawn for it; ``before`` are the exchanges of a chat so far.
        ``draft``: the text that decoding begins with, where the family makes texts of drafts.
        """
        self._check_draft(text, draft)
        example = self._example(index, text, length, before)
        example = example if draft is None else self._drafted(example, draft)
        infills = bool(any(example.given) or example.gaps)
        model = infilling(self.model) if infills else self.model
        if holes.has_holes(text):
            return Request(example, infills)
        lengths = self.lengths if length is None else [length]
        return Request(next(generate.blank(model, [example], lengths, seed)), infills)

    def _check_draft(self, text: str, draft: str | None) -> None:
        """Check that there is a draft where the family begins with one, and nowhere else."""
        family = self.model.family
        if family.draft is None:
            if draft is not None:
                raise UsageError(f"draft: {pair.no_draft(family)}")
            return
        if draft is None:
            raise UsageError(
                f"{family.name} makes a text of a draft: give the text that it begins with, by "
                "--draft TEXT, by a field `draft` in --prompts FILE, or as draft=... from Python"
            )
        if holes.has_holes(text):
            raise UsageError(f"a prompt beside a draft has no holes: {text!r}")

    def _drafted(self, example: Example, draft: str) -> Example:
        """Return an example with a draft behind what is given of it."""
        ids, room = self.tokenizer.encode(draft), 2 * self.model.body
        if len(ids) > room:
            raise UsageError(f"the draft has {len(ids)} tokens, and there is room for {room}")
        known = len(example.body)
        kept = [True] * known + [False] * len(ids) if known else []
        return replace(example, draft=[*example.body, *ids], kept=kept)

    def _example(
        self, index: int, text: str, length: int | None, before: Sequence[Turn]
    ) -> Example:
        """Build the example of a prompt; its open part is drawn later."""
        if holes.has_holes(text):
            return self._holed(index, text, length)
        text = holes.plain(text)
        chat, plain = self.tokenizer.chat, self.tokenizer.encode
        ids = chat(text, before) if self.chats else plain(text)
        room = self.prompt or self.model.body
        size = f"{len(ids)} tokens, and there is room for {room}"
        if len(ids) > room:
            raise TooLong(f"the prompt has {size}: {text!r}")
        if self.prompt or not ids:
            return Example(index, (), ids)
        if len(ids) == room:
            raise UsageError(f"the text has {size}: no room is left to continue: {text!r}")
        if length is not None and length <= len(ids):
            raise UsageError(
                f"length: {text!r} has {len(ids)} tokens, so that a text of {length} "
                "does not continue it"
            )
        behind = [False] * len(ids) + [True]  # nothing goes before the text, or into it
        return Example(index, ids, given=[True] * len(ids), gaps=behind)

    def _holed(self, index: int, text: str, length: int | None) -> Example:
        """Build the example of a text with holes, as far as the run can fill them."""
        if self.prompt:
            raise UsageError(
                f"this run answers prompts, and fills no holes: {text!r}; write "
                f"{holes.escaped(holes.first(text))} for the text itself"
            )
        if length is not None:
            raise UsageError(f"length: {text!r} has holes, which determine its length")
        return holes.example(index, text, self.model.family, self.tokenizer, self.model.body)


def infilling(model: Model) -> Model:
    """Return the model with the layout in which some tokens of a body are given."""
    family = model.family
    if "infill" not in family.layouts:
        raise UsageError(f"{family.name} has no layout 'infill', so it cannot continue a text")
    return evolve(model, layout=family.layouts["infill"](model.vocabulary, model.body))


def samples(
    model: Model,
    requests: Sequence[Request],
    size: int,
    seed: int,
    record: Record = False,
    tell: Callable[[int], None] = lambda _: None,
) -> Iterator[Sample]:
    """Yield the sample of each request, in their order; see `generate.samples`.

    Each is yielded as soon as all before it have been.
    """
    for window in _parts(requests, _WINDOW * size):
        order = sorted(range(len(window)), key=lambda i: (window[i].infills, window[i].size))
        made: dict[int, Sample] = {}
        due = 0
        for infills, group in groupby(order, key=lambda i: window[i].infills):
            places = list(group)
            chosen = infilling(model) if infills else model
            examples = [window[i].example for i in places]
            decoded = generate.samples(chosen, examples, size, seed, record, tell)
            for place, sample in zip(places, decoded, strict=True):
                made[place] = sample
                while due in made:
                    yield made.pop(due)
                    due += 1


def _parts(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    """Yield ``size`` items at a time, the last ones possibly fewer."""
    return (items[i : i + size] for i in range(0, len(items), size))
