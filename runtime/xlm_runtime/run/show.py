"""``xlmc tasks``: the list of tasks, and a description of each."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import cast

from xlm_runtime import tasks
from xlm_runtime.config.config import roles
from xlm_runtime.data.rows import lines
from xlm_runtime.plug import Example
from xlm_runtime.system import cache
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.system.progress import complain, say
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared
from xlm_runtime.tasks.base.task import Task
from xlm_runtime.tokenizers import Tokenizer

_WIDE = 300  # characters of a rendered part
_SPECIALS = ("pad", "mask", "bos", "eos")  # of no family: what most of them have


def listed() -> list[str]:
    """Return a line for each task: its name, its layout and its title."""
    every = [tasks.get(name) for name in tasks.names()]
    wide = max(len(task.name) for task in every)
    return [f"{task.name:<{wide}}  {task.layout:<7}  {task.title}" for task in every]


def show(
    name: str,
    *,
    preset: str = "quick",
    data: Path | None = None,
    columns: str = "",
    examples: int | None = None,
) -> int:
    """Print a description of a task and return the exit code of the command.

    Its data are made or read for a few ``examples``: by default with preset quick and ``--data``,
    which need no download, and not with preset paper. Missing data are a failure only if
    ``examples`` are requested.
    """
    try:
        if data and not data.exists():
            raise UsageError(f"--data {data}: there is no such file")
        options = DataOptions(
            preset="paper" if preset == "paper" else "quick",
            cache=cache.home(),
            data=data,
            columns=roles(columns),
            specials=_SPECIALS,
        )
        task = tasks.get(name).given(data, options.columns)
        for line in [*_description(task, options), *_data(task, options, examples)]:
            say(line)
        for line in _settings(task) if preset == "quick" else []:
            say(line)
    except RunError as error:
        complain(error)
        return error.code
    return 0


def _description(task: Task, options: DataOptions) -> Iterator[str]:
    """Yield the lines that need no data."""
    yield f"{task.name}: {task.title}"
    yield f"  layout: {_LAYOUTS[task.layout]}"
    yield from lines(task.about(options))


def _data(task: Task, options: DataOptions, examples: int | None) -> Iterator[str]:
    """Yield the facts of the data, with examples of the test split."""
    count = (
        (3 if options.data or options.preset == "quick" else 0) if examples is None else examples
    )
    if not count:
        yield f"  metrics: {_metrics(task, _Unread(task.about(options)))}"
        yield "  sizes, examples: need the data, which --examples 3 fetches or makes"
        return
    try:
        prepared = task.prepare(options)
    except RunError as error:
        if examples is not None:
            raise
        yield f"  sizes, metrics, examples: {error}"
        return
    known = task.about(options)
    yield from lines({k: v for k, v in prepared.facts.items() if k not in known})
    yield f"  room: {prepared.prompt} tokens of prompt, {prepared.body} of body"
    yield f"  metrics: {_metrics(task, prepared)}"
    split = prepared.test
    chosen = [split[i] for i in range(min(count, len(split)))]
    form = "prompt → body" if prepared.prompt else "body"
    form += ", [given] tokens in brackets" if any(any(one.given) for one in chosen) else ""
    yield f"  examples of the test split ({form}):"
    yield from (f"    {rendered(one, prepared.tokenizer)}" for one in chosen)


class _Unread:
    """A placeholder for data that were not read: metrics are named, not computed."""

    train = validation = test = ()
    tokenizer = None

    def __init__(self, facts: Mapping[str, object]) -> None:
        self.facts = facts


def _metrics(task: Task, prepared: object) -> str:
    """Return the names of metrics; those with several values are named by their common part."""
    try:
        metrics = task.metrics(cast(Prepared, prepared))
    except ImportError as error:
        return f"need {error.name}, which is not installed"
    return ", ".join(map(str, metrics.keys())) or "none"


def _settings(task: Task) -> Iterator[str]:
    if task.quick:
        yield "  settings of preset quick:"
        yield from (f"    {key} = {value}" for key, value in task.quick.items())


def rendered(example: Example, tokenizer: Tokenizer) -> str:
    """Format an example as ``prompt → body`` in one line, its given tokens in brackets."""
    prompt = f"{_cut(tokenizer.decode(example.prompt))} → " if example.prompt else ""
    if not any(example.given):
        return prompt + _cut(tokenizer.decode(example.body))
    parts = []
    pairs = zip(example.given, example.body, strict=True)
    for given, run in groupby(pairs, itemgetter(0)):
        text = tokenizer.decode([token for _, token in run])
        parts.append(f"[{text}]" if given else text)
    return prompt + _cut(" ".join(parts))


def _cut(text: str) -> str:
    line = " ⏎ ".join(text.splitlines())
    return line if len(line) <= _WIDE else f"{line[:_WIDE].rstrip()} …"


_LAYOUTS = {
    "text": "text (a body)",
    "seq2seq": "seq2seq (a prompt and a body)",
    "infill": "infill (a body of which some tokens are given)",
}
