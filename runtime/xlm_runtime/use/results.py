"""The texts that were generated for a prompt, as records of a file and as lines for a person."""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from attrs import frozen

from xlm_runtime.model import generate
from xlm_runtime.model.generate import Sample
from xlm_runtime.model.scores import LogLikelihood
from xlm_runtime.tokenizers import Tokenizer
from xlm_runtime.use.prompts import Prompt


@frozen
class Candidate:
    """A text that was generated for a prompt: how often it was drawn, and its likelihood."""

    number: int
    sample: Sample
    ids: tuple[int, ...]
    text: str
    count: int = 1
    likelihood: LogLikelihood | None = None


def candidates(
    samples: Sequence[Sample],
    likelihoods: Sequence[LogLikelihood | None],
    tokenizer: Tokenizer,
    stops: Sequence[str],
    *,
    ranked: bool,
) -> list[Candidate]:
    """Return the candidates of a prompt; if ``ranked``, without repeats, the likeliest first."""
    made = []
    for number, (sample, likelihood) in enumerate(zip(samples, likelihoods, strict=True)):
        ids, text = generate.said(sample, tokenizer, stops)
        made.append(Candidate(number, sample, tuple(ids), text, 1, likelihood))
    return _ranked(made) if ranked else made


def _ranked(made: Sequence[Candidate]) -> list[Candidate]:
    counts = Counter(one.ids for one in made)
    first = {one.ids: one for one in reversed(made)}
    unlike = [
        Candidate(one.number, one.sample, ids, one.text, counts[ids], one.likelihood)
        for ids, one in first.items()
    ]
    return sorted(unlike, key=lambda one: (-_worth(one), one.number))


def _worth(candidate: Candidate) -> float:
    worth = candidate.likelihood.whole if candidate.likelihood else float("-inf")
    return worth if isfinite(worth) else float("-inf")


def record(
    prompt: Prompt, candidate: Candidate, tokenizer: Tokenizer, *, many: bool, ranked: bool
) -> dict[str, Any]:
    """Return the record of a candidate; ``many``: there may be others of the prompt."""
    shown: dict[str, Any] = {"id": prompt.id}
    if many:
        shown["candidate"] = candidate.number
    if prompt.text:
        shown["prompt"] = prompt.text
    if prompt.draft is not None:
        shown["draft"] = prompt.draft
    shown["prediction"] = candidate.text
    if tokenizer.known(candidate.text)[0] != list(candidate.ids):
        shown["ids"] = list(candidate.ids)  # the text alone would be read as other tokens
    if ranked:
        shown["count"] = candidate.count
    shown["nfe"] = candidate.sample.nfe
    if candidate.likelihood is not None:
        shown |= _numbers(candidate.likelihood)
    return shown


def _numbers(found: LogLikelihood) -> dict[str, Any]:
    numbers: dict[str, Any] = {
        "log_likelihood": found.value,
        "log_likelihood_error": found.error,
        "tokens": found.tokens,
        "claim": found.claim,
        "given": found.given,
    }
    return numbers | ({} if found.joint is None else {"log_likelihood_joint": found.joint})


def lines(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Format the records of a prompt for a person: one line, or a heading and one for each."""
    prompt = " → ".join(str(records[0][key]) for key in ("prompt", "draft") if records[0].get(key))
    if len(records) == 1:
        before = f"{prompt} → " if prompt else ""
        return [_one(f"{before}{records[0]['prediction']}{_remarks(records[0])}")]
    head = [_one(prompt)] if prompt else []
    return head + [_one(f"  {one['prediction']}{_remarks(one)}") for one in records]


def _remarks(record: Mapping[str, Any]) -> str:
    said = []
    if "log_likelihood" in record:
        said.append(f"log-likelihood {record['log_likelihood']:.2f}")
        if record["log_likelihood_error"]:
            said[0] += f" ± {record['log_likelihood_error']:.2f}"
        said[0] += f" ({', '.join(filter(None, (record['claim'], record['given'])))})"
    if "log_likelihood_joint" in record:
        said.append(f"with the length {record['log_likelihood_joint']:.2f}")
    if record.get("count", 1) > 1:
        said.append(f"{record['count']} times")
    return f"   [{'; '.join(said)}]" if said else ""


def _one(text: str) -> str:
    return text.replace("\n", " ⏎ ").rstrip()
