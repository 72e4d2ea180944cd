"""``xlmc generate``: texts for prompts, printed or written to a file that can be resumed."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from hashlib import sha256
from pathlib import Path
from typing import Any

from attrs import frozen

from xlm_runtime.model import scores
from xlm_runtime.model.generate import Sample
from xlm_runtime.model.model import Model
from xlm_runtime.model.scores import LogLikelihood
from xlm_runtime.system.atomic import to_json
from xlm_runtime.system.errors import UsageError
from xlm_runtime.system.progress import say
from xlm_runtime.use import live, prompts, requests, results
from xlm_runtime.use.live import Screen
from xlm_runtime.use.loaded import Loaded
from xlm_runtime.use.opening import opened
from xlm_runtime.use.options import Options, check
from xlm_runtime.use.prompts import PIPE, Prompt
from xlm_runtime.use.requests import Request
from xlm_runtime.use.results import Candidate
from xlm_runtime.use.told import Tell, watching
from xlm_runtime.use.worth import worths
from xlm_runtime.use.written import Out

_APART = 1 << 32  # indices between candidates of a prompt: more than there are prompts
_CHUNK = 8  # batches that are generated, then scored
Found = tuple[Prompt, list[dict[str, Any]]]


@frozen(eq=False)
class Work:
    """A model, the prompts that it gets, and how their texts are drawn."""

    options: Options
    loaded: Loaded
    model: Model
    prompts: Sequence[Prompt]
    sources: Mapping[str, Any]

    @property
    def stops(self) -> Sequence[str]:
        """The strings at which texts end."""
        return self.options.stops or self.loaded.config.generate.stops


def generate(options: Options) -> None:
    """Generate the texts of a command.  Raises UsageError and RunError."""
    check(options)
    out = None if options.out in (None, PIPE) else Out(Path(str(options.out)))
    if out is not None:
        out.check()
    if options.live:
        live.check_terminal("--live")
    work = _work(options)
    if out is None:
        _printed(work)
        return
    ids = [prompt.id for prompt in work.prompts]
    with out.opened(_about(work), ids, options.kept) as writer:
        if writer.done:
            say(f"{writer.done} of {len(ids)} prompts are in {out.path} already")
        for _, records in _texts(work, writer.done):
            writer.add(records)
    say(f"{len(ids)} prompt{'' if len(ids) == 1 else 's'} in {out.path}")


def _work(options: Options) -> Work:
    """Open the run, read the prompts, and check that they fit each other."""
    asked = prompts.given(options.prompts, options.infills, options.file, options.drafts)
    found = opened(options)
    loaded, name = found.loaded, found.name
    if not asked and loaded.prompt:
        raise UsageError(f"{name} answers prompts: give --prompt, --prompts FILE, or a pipe")
    if options.drafts and loaded.prompt and not options.prompts:
        raise UsageError(f"{name} answers prompts: give a --prompt for each --draft")
    stops = options.stops or loaded.config.generate.stops
    model = loaded.deciding(options.settings(), stops, options.suppressed)
    if options.scored and stops:
        raise UsageError(f"{name} has generate.stop, and likelihoods are of whole texts")
    if options.scored and model.family.nelbo is None:
        raise UsageError(f"{model.family.name} has no likelihood: {model.family.claim.why}")
    work = Work(options, loaded, model, asked or [Prompt(0, "")], found.sources)
    for place, prompt in enumerate(work.prompts):  # before anything is generated
        _request(work, place, prompt, 0)
    return work


def _request(work: Work, place: int, prompt: Prompt, candidate: int) -> Request:
    """Return the request of a candidate, whose draws depend on its numbers alone."""
    length = prompt.length if prompt.length is not None else work.options.length
    prompter, room = work.loaded.prompter, work.model.body
    if length is not None:
        prompter.check_length("--length")
        if length > room:
            raise UsageError(f"--length {length}: there is room for {room} tokens")
    index = place + candidate * _APART
    seed, draft = work.options.seed, prompt.draft
    found = prompter.request(index, prompt.text, length, seed, draft=draft)
    if work.options.scored and found.infills:
        scores.check_holes(work.model, found.example)
    return found


def _about(work: Work) -> dict[str, Any]:
    """Return the sources of a file: hashes, and the settings in words."""
    options, model = work.options, work.model
    settings = {
        "decoder": model.decoder.name,
        **{f"decoder.{name}": value for name, value in model.decoder.params.items()},
        "seed": options.seed,
        "num": options.number,
        "length": options.length,
        "stop": list(work.stops),
        "suppress": list(options.suppressed or work.loaded.config.generate.suppressed),
        "likelihood": options.scored and options.draws,
        "distinct": options.distinct,
        **({"best": True} if options.best else {}),
    }
    listed = [
        [p.id, p.text, p.length, *([] if p.draft is None else [p.draft])] for p in work.prompts
    ]
    marks = {**work.sources["of"], "settings": _hash(settings), "prompts": _hash(listed)}
    return {**work.sources, "of": marks, "settings": settings}


def _hash(value: object) -> str:
    return sha256(json.dumps(value).encode()).hexdigest()


def _printed(work: Work) -> None:
    """Print the texts: JSON lines for ``--out -``, else lines for a person."""
    for _, records in _texts(work, 0):
        shown = map(to_json, records) if work.options.out == PIPE else results.lines(records)
        for line in shown:
            print(line, flush=True)


def _texts(work: Work, done: int) -> Iterator[Found]:
    """Yield each prompt after the first ``done`` with the records of its texts, in order."""
    options = work.options
    pairs = list(enumerate(work.prompts))[done:]
    each = max(1, _CHUNK * options.batch // options.number)
    with _shown(work, len(pairs) * options.number) as tell:
        for start in range(0, len(pairs), each):
            yield from _of_chunk(work, pairs[start : start + each], tell)


def _shown(work: Work, total: int) -> AbstractContextManager[Tell | Screen]:
    """Provide the display of so many texts: their states, or the progress."""
    if work.options.live:
        return live.watching(work.loaded.tokenizer, work.options.pause)
    return watching(work.loaded, total)


def _of_chunk(
    work: Work, pairs: Sequence[tuple[int, Prompt]], tell: Tell | Screen
) -> Iterator[Found]:
    """Generate, then score the texts of some prompts."""
    options, number = work.options, work.options.number
    wanted = [_request(work, at, prompt, k) for at, prompt in pairs for k in range(number)]
    size = 1 if options.live else options.batch
    made = requests.samples(work.model, wanted, size, options.seed, tell.record, tell.step)
    counted = map(tell.sample, made)
    if not options.scored:
        for _, prompt in pairs:
            some = [next(counted) for _ in range(number)]
            yield prompt, _records(work, prompt, some, [None] * number)
        return
    every = list(counted)
    worth = worths(work.model, work.loaded, wanted, every, options)
    for i, (_, prompt) in enumerate(pairs):
        own = slice(i * number, (i + 1) * number)
        yield prompt, _records(work, prompt, every[own], worth[own])


def _records(
    work: Work,
    prompt: Prompt,
    samples: Sequence[Sample],
    worth: Sequence[LogLikelihood | None],
) -> list[dict[str, Any]]:
    tokenizer, options = work.loaded.tokenizer, work.options
    found = results.candidates(samples, worth, tokenizer, work.stops, ranked=options.ranked)
    found = found[:1] if options.best else found
    how = {"many": options.number > 1, "ranked": options.ranked}

    def record(one: Candidate) -> dict[str, Any]:
        return results.record(prompt, one, tokenizer, **how)

    return [record(one) for one in found]
