"""Log-likelihoods of single texts: a value, its standard error, and all that qualifies it."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b
from math import exp

from attrs import frozen

from xlm_runtime.data import length_law
from xlm_runtime.data.length_law import conditions
from xlm_runtime.data.lengths import Lengths
from xlm_runtime.model import nelbo
from xlm_runtime.model.generate import beginning
from xlm_runtime.model.model import Model
from xlm_runtime.model.nelbo import Tick
from xlm_runtime.plug import Example
from xlm_runtime.system.errors import UsageError

DRAWS = 32  # of noise for a text


@frozen
class LogLikelihood:
    """The log-likelihood of a text under a model, in nats.

    value: log p of the text; the best value that is certain where ``claim`` is ``bound``.
    error: the standard error of ``value``, left by draws of noise; 0 where nothing is drawn.
    tokens: those that are scored; the end of a text adds nats and no token.
    claim: ``tight`` if the family's likelihood is exact for exact heads; ``bound`` if log p is at
        least ``value``.
    given: the condition, in words: ``given the prompt and the length``; empty for none.
    joint: log p of the text and its length, by the lengths of training; None where ``value``
        already includes the length, or given tokens reveal it. It compares texts of different
        lengths.
    """

    value: float
    error: float
    tokens: int
    claim: str
    given: str
    joint: float | None = None

    @property
    def perplexity(self) -> float:
        """The perplexity per scored token; at most ``exp(700)``."""
        return exp(min(-self.value / max(self.tokens, 1), 700.0))

    @property
    def whole(self) -> float:
        """The number by which texts of any length are compared: ``joint``, else ``value``."""
        return self.value if self.joint is None else self.joint


def scored(
    model: Model,
    examples: Sequence[Example],
    lengths: Lengths,
    *,
    size: int = 64,
    draws: int = DRAWS,
    tick: Tick = lambda _: None,
) -> list[LogLikelihood]:
    """Return the log-likelihood of the body of each example, given its prompt and given tokens.

    Its noise depends on the text alone, not on the other examples. Raises UsageError if the family
    has no likelihood.
    """
    family = model.family
    if family.nelbo is None:
        raise UsageError(f"{family.name} has no likelihood: {family.claim.why}")
    keyed = [replace(example, index=key(example)) for example in examples]
    every = bool(keyed) and nelbo.enumerable(model, keyed, size, alone=True)
    made = nelbo.estimate(model, keyed, size, draws, tick, every=every)
    law = length_law.Lengths(length_law.flat(lengths), model.body)
    cuts = law.cuts or any(example.cut for example in keyed)
    given = conditions(model.layout.given, cuts)
    more: Sequence[float | None]
    more = length_law.joint(model.layout.given, law, keyed) or [None] * len(keyed)
    return [
        LogLikelihood(
            value=-nats,
            error=error,
            tokens=len(example.body) - sum(example.given),
            claim=family.claim.value,
            given=given,
            joint=None if extra is None else -nats - extra,
        )
        for example, nats, error, extra in zip(keyed, made.nats, made.errors, more, strict=True)
    ]


def answered(model: Model, blank: Example, body: Sequence[int], *, ended: bool) -> Example:
    """Return the example of a text that was generated for ``blank``: its body, what was given.

    ``ended``: an end was written. Raises UsageError if the family inserts into several gaps, since
    given tokens may then lie at several places of the text.
    """
    cut = blank.cut
    if "eos" in model.layout.predicts:
        cut = not ended and len(body) >= model.body
    if not any(blank.given):
        return replace(blank, body=tuple(body), given=(), gaps=(), cut=cut)
    if known := beginning(blank):
        rest = len(body) - known
        given = [True] * known + [False] * rest
        gaps = [False] * known + [True] * (rest + 1)
        return replace(blank, body=tuple(body), given=given, gaps=gaps, cut=cut)
    check_holes(model, blank)
    return replace(blank, body=tuple(body), cut=cut)


def check_holes(model: Model, blank: Example) -> None:
    """Check that the likelihood of a text for a blank with given tokens is known: see `answered`.

    Raises UsageError.
    """
    if model.family.inserts and not beginning(blank):
        raise UsageError(
            f"{model.family.name} inserts into gaps: the likelihood of a text with holes would add "
            "up all places of the given tokens, and is not computed"
        )


def key(example: Example) -> int:
    """Return a number that the content of an example decides, and nothing else."""
    parts = [example.prompt, example.body, example.given, [example.cut]]
    parts += [] if example.draft is None else [example.draft, example.kept]
    text = repr([[int(one) for one in part] for part in parts])
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 1
