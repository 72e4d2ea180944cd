"""Log-likelihoods of texts from Python: given prompts, in windows, and one token at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import exp, sqrt

from attrs import evolve, frozen

from xlm_runtime.model import holes, scores
from xlm_runtime.model.evaluate import ratio
from xlm_runtime.model.scores import LogLikelihood
from xlm_runtime.plug import Example
from xlm_runtime.system.errors import UsageError
from xlm_runtime.use.requests import Prompter, Request, infilling


@frozen
class Perplexity:
    """A perplexity per token: exp of the nats of all texts over the tokens of all texts.

    error: its standard error, over texts; of a single text that of its noise. claim, given: as in
    `LogLikelihood`.
    """

    value: float
    error: float
    tokens: int
    claim: str
    given: str


@frozen
class Window:
    """A part of a text that is scored at once: tokens from ``start`` to ``end``.

    known: the number of its first tokens that are its condition.
    """

    start: int
    known: int
    end: int


def windows(length: int, known: int, room: int, context: int) -> Iterator[Window]:
    """Yield windows that score each token after the first ``known`` ones once.

    A window has at most ``room`` tokens. It is given as many tokens before it as fit without
    another window, and ``context`` of them at least, if there are so many.
    """
    done = known
    while done < length:
        needed = room - (length - done)
        wanted = max(context, needed) if context or done == known else 0
        kept = min(done, room - 1, max(wanted, 0))
        start = done - kept
        end = min(length, start + room)
        yield Window(start, kept, end)
        done = end


@frozen(eq=False)
class Scorer:
    """The likelihoods that a trained run gives to texts.

    size: examples that are scored at once. draws: of noise, for each text or window. context: the
    number of tokens that each window of a long text is given; None for half the room, or none where
    the family cannot be given any.
    """

    prompter: Prompter
    size: int = 64
    draws: int = scores.DRAWS
    context: int | None = None

    @property
    def room(self) -> int:
        """The largest number of tokens of a text, or of a window."""
        return self.prompter.model.body

    @property
    def overlap(self) -> int:
        """The number of tokens that a window is given."""
        if self.context is not None:
            return self.context
        return self.room // 2 if "infill" in self.prompter.model.family.layouts else 0

    def scored(
        self,
        texts: Sequence[str],
        prompts: Sequence[str] | None,
        drafts: Sequence[str] | None = None,
    ) -> list[LogLikelihood]:
        """Return the log-likelihood of each text, given its prompt and its draft.

        Raises UsageError.
        """
        if prompts is not None and len(prompts) != len(texts):
            raise UsageError(f"prompts: {len(prompts)} for {len(texts)} texts: give one for each")
        asked: Sequence[str | None] = prompts or [None] * len(texts)
        begun: Sequence[str | None] = drafts or [None] * len(texts)
        rows = zip(texts, asked, begun, strict=True)
        parts = [self._parts(text, one, draft) for text, one, draft in rows]
        values = iter(self._values([one for some in parts for one in some]))
        return [self._whole([next(values) for _ in some]) for some in parts]

    def pseudo(self, texts: Sequence[str]) -> list[LogLikelihood]:
        """Return the sum over tokens of log p(token | all others) of each text.

        Salazar et al. 2020, arXiv:1910.14659. Raises UsageError if the family cannot be given all
        tokens but one.
        """
        self._check_fills()
        parts = [list(self._alone(text)) for text in texts]
        values = iter(self._values([one for some in parts for one in some]))
        found = [_summed([next(values) for _ in some]) for some in parts]
        return [evolve(one, given="given all other tokens") for one in found]

    def _values(self, wanted: Sequence[Request]) -> list[LogLikelihood]:
        """Score examples, those that are given tokens in the layout for it."""
        model, lengths = self.prompter.model, self.prompter.lengths
        found: dict[int, LogLikelihood] = {}
        for infills in (False, True):
            places = [i for i, one in enumerate(wanted) if one.infills == infills]
            if places:
                chosen = infilling(model) if infills else model
                examples = [wanted[i].example for i in places]
                size, draws = self.size, self.draws
                values = scores.scored(chosen, examples, lengths, size=size, draws=draws)
                found |= dict(zip(places, values, strict=True))
        return [found[i] for i in range(len(wanted))]

    def _whole(self, values: Sequence[LogLikelihood]) -> LogLikelihood:
        """Return the likelihood of a text from those of its windows."""
        if len(values) == 1:
            return values[0]
        how = f"in {len(values)} windows of up to {self.room} tokens"
        how += f", each given {self.overlap} or more before it" if self.overlap else ""
        found = _summed(values)
        return evolve(found, given=f"{found.given}, {how}" if found.given else how)

    def _parts(self, text: str, prompt: str | None, draft: str | None) -> list[Request]:
        """Return the examples that score a text: one, or one for each window."""
        if self.prompter.prompt:
            return [self._answer(text, prompt, draft)]
        if draft is not None or self.prompter.model.family.draft is not None:
            return [self._repair(text, prompt or "", draft)]
        ids = self.prompter.tokenizer.encode(text)
        if holes.has_holes(prompt or ""):
            raise UsageError(f"a text is scored behind its prompt, which has no holes: {prompt!r}")
        known = self._known(ids, text, holes.plain(prompt or ""))
        if len(ids) == known:
            raise UsageError(f"the text has no token that is scored: {text!r}")
        found = windows(len(ids), known, self.room, self.overlap)
        return [_request(ids, window) for window in found]

    def _answer(self, text: str, prompt: str | None, draft: str | None) -> Request:
        if prompt is None:
            raise UsageError("this run answers prompts: give one for each text, as prompts=[...]")
        asked = self.prompter.request(0, prompt, None, 0, draft=draft).example
        ids = self._whole_ids(text, "answer")
        return Request(Example(0, ids, asked.prompt, draft=asked.draft), infills=False)

    def _repair(self, text: str, prompt: str, draft: str | None) -> Request:
        """Return the example that scores a text given its draft, and the prompt it begins with."""
        asked = self.prompter.request(0, prompt, None, 0, draft=draft)
        ids = self._whole_ids(text, "text")
        known = self._known(ids, text, holes.plain(prompt))
        found, begun = _request(ids, Window(0, known, len(ids))), asked.example
        free = list(begun.draft or ())[sum(begun.kept) :]
        kept = [True] * known + [False] * len(free) if known else []
        example = replace(found.example, draft=[*ids[:known], *free], kept=kept)
        return evolve(found, example=example)

    def _whole_ids(self, text: str, noun: str) -> Sequence[int]:
        """Return the ids of a text that is scored as a whole, and fits the room."""
        ids = self.prompter.tokenizer.encode(text)
        if len(ids) > self.room:
            size = f"{len(ids)} tokens, and there is room for {self.room}"
            raise UsageError(f"the {noun} has {size}: {text!r}")
        return ids

    def _known(self, ids: Sequence[int], text: str, prompt: str) -> int:
        """Return the number of tokens that lie within the prompt with which a text begins."""
        if not text.startswith(prompt):
            raise UsageError(f"the text does not begin with its prompt {prompt!r}: {text!r}")
        own = self.prompter.tokenizer.encode(prompt) if prompt else []
        pairs = enumerate(zip(own, ids, strict=False))
        return next((i for i, (a, b) in pairs if a != b), min(len(own), len(ids)))

    def _alone(self, text: str) -> Iterator[Request]:
        """Yield an example for each token of a text, in which all others are given."""
        ids = self.prompter.tokenizer.encode(text)
        if not ids:
            raise UsageError(f"the text has no token that is scored: {text!r}")
        for window in windows(len(ids), 0, self.room, self.overlap):
            body = ids[window.start : window.end]
            for place in range(window.known, len(body)):
                given = [i != place for i in range(len(body))]
                cut = window.end < len(ids)
                yield Request(Example(0, body, given=given, cut=cut), infills=True)

    def _check_fills(self) -> None:
        """Check that the family fills a place among given tokens.  Raises UsageError."""
        family = self.prompter.model.family
        if self.prompter.prompt:
            raise UsageError("this run answers prompts: a pseudo-likelihood is that of a text")
        layout = family.layouts.get("infill")
        if layout is None or family.inserts or getattr(layout, "begins", False):
            raise UsageError(
                f"{family.name} does not fill one place among given tokens, so that it has no "
                "pseudo-likelihood; log_likelihood is that of the family"
            )


def perplexity(found: Sequence[LogLikelihood]) -> Perplexity:
    """Return the perplexity of texts from their log-likelihoods.  Raises UsageError for none."""
    tokens = sum(one.tokens for one in found)
    if not tokens:
        raise UsageError("there is no token to score")
    if len(found) > 1:
        nats, error = ratio([-one.value for one in found], [one.tokens for one in found])
    else:
        nats, error = -found[0].value / tokens, found[0].error / tokens
    value = exp(min(nats, 700.0))
    return Perplexity(value, value * error, tokens, found[0].claim, found[0].given)


def _request(ids: Sequence[int], window: Window) -> Request:
    """Return the example of a window; one that more text follows is cut."""
    body = ids[window.start : window.end]
    cut, rest = window.end < len(ids), len(body) - window.known
    if not window.known:
        return Request(Example(0, body, cut=cut), infills=False)
    given = [True] * window.known + [False] * rest
    gaps = [False] * window.known + [True] * (rest + 1)
    return Request(Example(0, body, given=given, gaps=gaps, cut=cut), infills=True)


def _summed(values: Sequence[LogLikelihood]) -> LogLikelihood:
    """Add up independent parts of a text."""
    joint = [one.joint for one in values if one.joint is not None]
    return LogLikelihood(
        value=sum(one.value for one in values),
        error=sqrt(sum(one.error**2 for one in values)),
        tokens=sum(one.tokens for one in values),
        claim=values[-1].claim,
        given=values[-1].given,
        joint=sum(joint) if len(joint) == len(values) else None,
    )
