"""Metrics that a run requests by ``--metric``, in addition to those of its task.

``generative_perplexity=gpt2-large``, ``mauve=FOLDER``, ``distinct``, or one of the user's own, an
instance of a torchmetrics Metric in any module: ``my_metrics:PALINDROMES``.
"""

import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from xlm_runtime.system import dotted
from xlm_runtime.system.errors import UsageError

if TYPE_CHECKING:
    from torchmetrics import Metric, MetricCollection

    from xlm_runtime.tasks.base.prepared import Prepared
    from xlm_runtime.tasks.base.task import Task

_JUDGED = ("generative_perplexity", "mauve")
_PLAIN = (
    "exact_match",
    "token_accuracy",
    "unigram_entropy",
    "distinct",
    "repetition",
    "length",
    "fcd",
)
_COMPARED = ("exact_match", "token_accuracy")  # with the body of the example
_COMPANIONS = ("unigram_entropy", "distinct")  # never a generative perplexity without them


def check(asked: Sequence[str]) -> None:
    """Check requested metrics.

    Raises UsageError for an unknown metric, RunError for a judge that cannot be fetched.
    """
    for text in asked:
        name, equals, judge = text.partition("=")
        if name in _JUDGED:
            from xlm_runtime.metrics import judge as judges

            judges.check(judge, f"--metric {name}")
            _check_mauve(name)
        elif name in _PLAIN and equals:
            raise UsageError(f"--metric {text}: {name} has no argument: write --metric {name}")
        elif name == "fcd":
            from xlm_runtime.metrics import fcd

            fcd.check()
        elif name not in _PLAIN:
            _own(text)


def check_fit(task: "Task", asked: Sequence[str], prepared: "Prepared") -> None:
    """Check that requested metrics fit the task and each other, without loading a judge."""
    for text in asked:
        if text in _COMPARED and task.layout == "text":
            raise UsageError(
                f"--metric {text}: task {task.name} has no questions, so that no text is right "
                "or wrong"
            )
    unjudged = [text for text in asked if text.partition("=")[0] not in _JUDGED]
    extended(task.metrics(prepared), unjudged, prepared)


def extended(
    own: "MetricCollection", asked: Sequence[str], prepared: "Prepared"
) -> "MetricCollection":
    """Return the metrics of a task and the requested ones.  Raises UsageError and RunError."""
    from xlm_runtime.metrics import collection

    check(asked)
    wanted = list(dict.fromkeys(asked))
    if any(text.startswith("generative_perplexity") for text in wanted):
        wanted = [*_COMPANIONS, *wanted]
    found = list(own.values())
    for text in wanted:
        found += [one for one in _made(text, prepared) if text not in _PLAIN or _new(one, found)]
    names = [str(one.name) for one in found]
    double = next((name for name in names if names.count(name) > 1), None)
    if double:
        raise UsageError(f"two metrics have the name '{double}': request one of them")
    return collection(*found)


def fingerprint(asked: Sequence[str]) -> list[str]:
    """Return what metrics depend on besides their names: user code and local judges."""
    found = []
    for text in asked:
        name, _, judge = text.partition("=")
        folder = Path(judge)
        if name in _JUDGED and folder.is_dir():
            stats = [(f.name, f.stat()) for f in sorted(folder.iterdir()) if f.is_file()]
            about = repr([(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats])
        elif ":" in text and name not in _JUDGED:
            _own(text)
            about = Path(str(sys.modules[text.partition(":")[0]].__file__)).read_text("utf-8")
        else:
            about = ""
        found.append(f"{text} {blake2b(about.encode(), digest_size=8).hexdigest()}")
    return found


def _new(one: "Metric", found: "Sequence[Metric]") -> bool:
    return str(one.name) not in [str(other.name) for other in found]


def _made(text: str, prepared: "Prepared") -> "tuple[Metric, ...]":
    name, _, judge = text.partition("=")
    makers: dict[str, Callable[[], tuple[Metric, ...]]] = {
        "generative_perplexity": lambda: _perplexity(judge),
        "mauve": lambda: _mauve(judge, prepared),
        "fcd": lambda: _fcd(prepared),
    }
    if name in makers:
        return makers[name]()
    return _plain(name) if name in _PLAIN else (_own(text),)


def _plain(name: str) -> "tuple[Metric, ...]":
    from xlm_runtime.metrics import language, sequences

    if name == "distinct":
        return tuple(language.Distinct(n) for n in (1, 2, 3))
    every = (sequences.ExactMatch(), sequences.TokenAccuracy(), *language.texts())
    return tuple(one for one in every if one.name == name)


def _perplexity(judge: str) -> "tuple[Metric, ...]":
    from xlm_runtime.metrics.perplexity import GenerativePerplexity

    return (GenerativePerplexity(judge),)


def _mauve(judge: str, prepared: "Prepared") -> "tuple[Metric, ...]":
    from xlm_runtime.metrics.mauve import Mauve

    def written(count: int) -> list[list[str]]:
        rows = (prepared.test[i] for i in range(min(count, len(prepared.test))))
        tokenizer = prepared.tokenizer
        return [tokenizer.documents(tokenizer.decode(row.body)) for row in rows]

    return (Mauve(judge, written),)


def _fcd(prepared: "Prepared") -> "tuple[Metric, ...]":
    notation = prepared.facts.get("notation")
    if notation is None:
        raise UsageError("--metric fcd: the texts of this task are no molecules")
    from xlm_runtime.metrics.fcd import Fcd
    from xlm_runtime.tasks.base.molecules import known
    from xlm_runtime.tokenizers.molecules.notation import reader

    return (Fcd(reader(notation), lambda: known(prepared)),)


def _check_mauve(name: str) -> None:
    if name == "mauve":
        from xlm_runtime.metrics import mauve

        mauve.check()


def _own(text: str) -> "Metric":
    """Import a metric of the user's own."""
    from torchmetrics import Metric

    known = [*_JUDGED, *_PLAIN]
    if ":" not in text:
        near = get_close_matches(text.partition("=")[0], known, n=1)
        hint = f", did you mean '{near[0]}'?" if near else ""
        raise UsageError(
            f"--metric {text}: there is no such metric{hint}\n"
            f"metrics: {', '.join(known)}; or one of your own, as package.module:NAME"
        )
    made = dotted.load(text, Metric, "--metric")  # type: ignore[type-abstract]
    if not isinstance(getattr(made, "name", None), str):
        raise UsageError(f"--metric {text}: it has no `name`, under which its value is shown")
    made.reset()
    return made
