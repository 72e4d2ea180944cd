"""The job ``score``: the metrics of a task for predictions of any system, without any model."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlm_runtime.config.config import Config
from xlm_runtime.model.model import first
from xlm_runtime.plug import Example
from xlm_runtime.run.folder import predictions
from xlm_runtime.run.folder.predictions import Prediction
from xlm_runtime.run.jobs.evaluation import beside, judged, metrics_of
from xlm_runtime.run.reports.table import values
from xlm_runtime.system.atomic import saving, write_json
from xlm_runtime.system.errors import UsageError
from xlm_runtime.system.progress import Watch, say
from xlm_runtime.tasks.base.prepared import Prepared
from xlm_runtime.tasks.base.task import Task

if TYPE_CHECKING:
    from torchmetrics import MetricCollection


def scoring(task: Task, prepared: Prepared, config: Config, file: Path) -> None:
    """Score the predictions of a file as an evaluation scores those of a model.

    Prints the numbers and writes them to ``NAME.scores.json`` beside ``NAME.jsonl``.
    """
    metrics = metrics_of(task, prepared, config)
    if not len(metrics):
        raise UsageError(f"task {task.name} has no metrics: request some with --metric")
    pairs, examples = _pairs(task, prepared, config, file)
    unknown = 0
    with Watch("score", len(pairs)) as watch:
        for done, (prediction, example) in enumerate(pairs, 1):
            stops = config.generate.stops
            answer, strange = predictions.answer(prediction, example, prepared.tokenizer, stops)
            metrics.update(answer)
            unknown += strange
            watch.at(done)
    found: dict[str, Any] = {"predictions": str(file), "scored": len(pairs), "examples": examples}
    found |= {"unknown_words": unknown, "compared": compared(metrics)}
    found |= judged(metrics)
    found |= beside(prepared, config)
    for line in _table(found):
        say(line)
    written = file.with_name(f"{file.stem}.scores.json")
    with saving(written):
        write_json(written, found)
    say(f"written to {written}")


def compared(metrics: "MetricCollection") -> list[str]:
    """List the metrics that compare tokens; others read the text as it is written."""
    from xlm_runtime.metrics import ExactMatch, Solved, TokenAccuracy

    kinds = (ExactMatch, TokenAccuracy, Solved)
    return [str(one.name) for one in metrics.values() if isinstance(one, kinds)]


def _pairs(
    task: Task, prepared: Prepared, config: Config, file: Path
) -> tuple[Sequence[tuple[Prediction, Example]], int]:
    """Pair predictions with their examples; return also the number of examples."""
    read = predictions.read(file)
    if task.layout == "text":
        _check_nothing_asked(read, task, file)
        examples = [Example(p.line if p.index is None else p.index, ()) for p in read]
    else:
        examples = list(first(prepared.test, config.eval.examples))
    return predictions.match(read, examples, prepared.tokenizer, file), len(examples)


def _check_nothing_asked(read: Sequence[Prediction], task: Task, file: Path) -> None:
    for one in read:
        for key, said in (("prompt", one.prompt), ("target", one.target)):
            if said is not None:
                raise UsageError(
                    f"--predictions {file}: line {one.line} has a `{key}`, but task {task.name} "
                    f"has no questions: leave `{key}` out"
                )


def _table(found: dict[str, Any]) -> list[str]:
    scored, examples, unknown = found["scored"], found["examples"], found["unknown_words"]
    lines = [f"{scored} predictions of {found['predictions']}"]
    if scored < examples:
        lines.append(f"  {examples - scored} of {examples} test examples have none: not counted")
    if unknown:
        wrong = f", wrong for {', '.join(found['compared'])}" if found["compared"] else ""
        lines.append(f"  {unknown} words that the tokenizer does not know{wrong}")
    return lines + values([(found["answers"], "")], found)
