"""The evaluation of a checkpoint: its losses, its likelihood, and its answers."""

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

from xlm_runtime.config.config import Config
from xlm_runtime.model import drafts, evaluate, generate
from xlm_runtime.model.generate import Sample
from xlm_runtime.model.model import Model, first
from xlm_runtime.plug import Example
from xlm_runtime.run.jobs import watched
from xlm_runtime.run.jobs.session import Session
from xlm_runtime.run.reports import measured
from xlm_runtime.run.reports.table import table
from xlm_runtime.system.atomic import saving, to_json, write_json, write_text
from xlm_runtime.system.progress import Watch, say
from xlm_runtime.system.reader import sealed
from xlm_runtime.tasks.base.prepared import Prepared
from xlm_runtime.tasks.base.task import Task

if TYPE_CHECKING:
    from torchmetrics import MetricCollection

    from xlm_runtime.metrics import Answer


LOSSES = ("loss_split", "loss", "loss_count", "loss_examples", "likelihood")  # of no decoder


def evaluation(session: Session, again: bool) -> dict[str, Any]:
    """Print, write and return the evaluation of the checkpoint on the test examples."""
    file, (folder, key) = session.run.path / measured.METRICS, session.key(("eval",))
    if not again and session.run.note("eval") == key and file.exists():
        found = measured.read(file)
        say(f"evaluated before ({file})")
        _show(found)
        return found
    model = session.loaded(folder)
    found = {"checkpoint": folder.name, **measure(session, model)}
    found |= session.sources(folder)
    _show(found)  # whatever becomes of the file
    with saving(session.run.path):
        write_json(file, found)
        remember(session, found)
        session.run.note("eval", key)
    return found


def _show(found: Mapping[str, Any]) -> None:
    for text in table(found):
        say(text)


def remember(session: Session, found: Mapping[str, Any]) -> None:
    """Append an evaluation to the file of all evaluations."""
    file = session.run.path / measured.EVERY
    before = file.read_bytes().decode(errors="surrogateescape") if file.exists() else ""
    write_text(file, before + to_json(sealed(found)) + "\n")


def measure(
    session: Session, model: Model, losses: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return all numbers of a model.  ``losses`` are those of `LOSSES`, if they are known."""
    options, claim = session.config.eval, model.family.claim
    drafted = session.package.family.draft is not None
    metrics = metrics_of(session.task, session.prepared, session.config, drafted=drafted)
    examples = list(first(session.prepared.test, options.examples))
    decoder = session.config.decoder
    found: dict[str, Any] = {"examples": len(examples)}
    found["test_examples"] = len(session.prepared.test)
    found["splits"] = session.prepared.prints
    found |= {"decoder": decoder.name, "decoder_params": dict(decoder.params)}
    if session.other_data:
        found["data"] = "not those of training"
    found |= {"noise": session.config.noise} if session.config.noise else {}
    found["claim"] = {"value": claim.value, "why": claim.why}
    found |= _losses(session, model) if losses is None else losses
    if len(metrics):
        asked = _asked(session, model, examples)
        found["decoding"] = _decode(session, model, asked, metrics)
        found |= judged(metrics)
    found["layout"] = evaluate.laid(model, bool(session.prepared.lengths.min() > model.body))
    return found | beside(session.prepared, session.config) | _protocol(session, examples)


def _asked(session: Session, model: Model, examples: list[Example]) -> list[Example]:
    """Return the examples to decode: those of a test with their drafts, or empty ones."""
    if session.unasked:
        return generate.unconditional(session.config.eval.samples)
    texts = session.task.layout == "text"
    some = examples[: session.config.eval.samples] if texts else examples
    return list(drafts.drafted(model, some))


def _protocol(session: Session, examples: Sequence[Example]) -> dict[str, str]:
    """Return the protocol with the origin of drafts; nothing where there are none."""
    family = session.package.family
    if family.draft is None:
        return {}
    own = session.prepared.facts.get("protocol")
    source = drafts.source(family, examples, session.config.noise)
    return {"protocol": f"{own}; {source}" if own else source}


def _losses(session: Session, model: Model) -> dict[str, Any]:
    """Return loss and likelihood of the split that suits the task's bodies."""
    options, prepared = session.config.eval, session.prepared
    if prepared.loss == "none":
        return {}
    split = prepared.test if prepared.loss == "test" else prepared.validation
    examples = list(first(split, options.examples or len(prepared.test)))
    found: dict[str, Any] = {"loss_split": prepared.loss}
    found["loss"] = evaluate.losses(model, examples, options.batch)
    found["loss_count"], found["loss_examples"] = len(examples), len(split)
    if model.family.claim.value != "none":
        with Watch("likelihood", len(examples)) as watch:
            found["likelihood"] = evaluate.likelihood(
                model, examples, options.batch, options.draws, watch.at, prepared.lengths.tolist()
            )
    return found


def metrics_of(
    task: Task, prepared: Prepared, config: Config, *, drafted: bool = False
) -> "MetricCollection":
    """Return the metrics of a task, those that a run requests, and if ``drafted`` of repairs."""
    own, asked = task.metrics(prepared), config.eval.asked
    if drafted:
        from xlm_runtime.metrics.repairs import repairs  # torchmetrics takes a second to import

        compared = "exact_match" in own
        own.add_metrics({one.name: one for one in repairs(compared=compared)})
    if not asked:
        return own
    from xlm_runtime.run.jobs.asked import extended  # torchmetrics takes a second to import

    return extended(own, asked, prepared)


def judged(metrics: "MetricCollection") -> dict[str, Any]:
    """Return the values of metrics, and those of each group if a metric is a mean over groups."""
    values = {name: float(value) for name, value in metrics.compute().items()}
    every: dict[str, Any] = dict(metrics.items())
    groups = {name: one.by_group() for name, one in every.items() if hasattr(one, "by_group")}
    return {"answers": values} | ({"groups": groups} if groups else {})


def beside(prepared: Prepared, config: Config) -> dict[str, Any]:
    """Return the facts shown with metrics: the rate of a guess, the protocol, judges."""
    facts, asked = prepared.facts, config.eval.asked
    found = {name: facts[name] for name in ("guess", "protocol") if name in facts}
    return found | ({"asked": list(asked)} if asked else {})


def answered(session: Session, sample: Sample, example: Example) -> "Answer":
    """Return the answer to an example as metrics judge it."""
    from xlm_runtime.metrics import Answer  # torchmetrics takes a second to import

    tokenizer = session.prepared.tokenizer
    ids, text = generate.said(sample, tokenizer, session.config.generate.stops)
    return Answer(ids, example, tokenizer, text)


def _decode(
    session: Session, model: Model, asked: Sequence[Example], metrics: "MetricCollection"
) -> dict[str, float]:
    """Decode the examples and update the metrics; return the costs of decoding.

    ``nfe`` is the mean number of network calls for an answer, ``steps`` that of the steps that its
    batch took (a row may be done before others), each with its standard error over answers;
    ``tokens_per_second`` counts the tokens of answers, on this machine and at this batch size,
    without the time of metrics.
    """
    options = session.config.eval
    blanks = session.blanks(asked, model)
    calls: list[int] = []
    steps: list[int] = []
    tokens, judging, began = 0, 0.0, perf_counter()
    how = (session.prepared, options.batch, session.config.train.seed)
    made = watched.samples("decode", model, blanks, *how)
    for sample, example in zip(made, asked, strict=True):
        answer = answered(session, sample, example)
        made_at = perf_counter()
        metrics.update(answer)
        judging += perf_counter() - made_at
        calls.append(sample.nfe)
        steps.append(sample.steps)
        tokens += len(answer.ids)
    spent = perf_counter() - began - judging
    found: dict[str, float] = {}
    for name, numbers in (("nfe", calls), ("steps", steps)):
        value, error = evaluate.ratio(numbers, [1] * len(numbers))
        found |= {name: value, f"{name}_error": error, f"{name}_count": len(numbers)}
    return found | {"tokens_per_second": tokens / spent, "tokens_per_second_count": tokens}
