"""The jobs of a run: training, evaluation and generation, each done once for the same settings."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from math import isfinite
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from xlm_runtime.config.config import Config
from xlm_runtime.data.lengths import Law
from xlm_runtime.model import evaluate, generate, memory
from xlm_runtime.model.model import Model, first, load_weights, make, pretrained
from xlm_runtime.model.published import Checkpoint
from xlm_runtime.packages.package import Package
from xlm_runtime.plug import Example, Family, Vocabulary
from xlm_runtime.run import answers, measured, watched
from xlm_runtime.run.runs import Run
from xlm_runtime.system.atomic import saving, to_json, write_json, write_text
from xlm_runtime.system.env import device, rank
from xlm_runtime.system.progress import Watch, say
from xlm_runtime.system.reader import sealed
from xlm_runtime.tasks.base.prepared import Prepared, Split
from xlm_runtime.tasks.base.task import Task
from xlm_runtime.train import saved

if TYPE_CHECKING:
    from torchmetrics import MetricCollection

_SHOWN = 5  # predictions that are printed


@frozen(eq=False)
class Session:
    """Everything that the jobs of one command share."""

    package: Package
    task: Task
    prepared: Prepared
    config: Config
    run: Run
    ckpt: str | None
    published: Checkpoint | None = None

    def model(self) -> Model:
        """Build a model with fresh weights, of the size of published ones if there are some."""
        about = None if self.published is None else self.published.config
        return self._ending(make(*self._parts, about))

    def start(self) -> Model:
        """Return the model that training starts from: published weights, or fresh ones."""
        if self.published is None:
            return self.model()
        say(f"published weights: {self.published.name}")
        return self._ending(pretrained(*self._parts, self.published))

    def check(self) -> None:
        """Check that the weights of the checkpoint fit the network.  Raises UsageError."""
        folder = saved.resolve(self.run.checkpoints, self.ckpt or "best")
        load_weights(self.model().network, saved.average(folder))

    def _ending(self, model: Model) -> Model:
        """Set the stop strings and the suppressed tokens of a model's decoders."""
        options, tokenizer = self.config.generate, self.prepared.tokenizer
        ended = generate.ending(tokenizer, options.stops)
        return evolve(model, ended=ended, suppressed=tokenizer.named(options.suppressed))

    @property
    def _parts(self) -> tuple[Family, Vocabulary, str, int, Config]:
        vocabulary, body = self.prepared.tokenizer.vocabulary, self.prepared.body
        return self.package.family, vocabulary, self.task.layout, body, self.config

    def blanks(self, examples: Sequence[Example], model: Model, length: int = 0) -> list[Example]:
        """Return examples without answers, of one ``length`` or, if it is 0, of drawn ones."""
        lengths = Law.of([length] if length else self.prepared.lengths)
        seed, oracle = self.config.train.seed, self.config.eval.oracle and not length
        return list(generate.blank(model, examples, lengths, seed, oracle))

    @property
    def other_data(self) -> bool:
        """True if the run was trained on other data."""
        here = self.prepared.fingerprint
        return bool(self.run.facts.get("content", here) != here)

    def asked(self, count: int, held: Split) -> list[Example]:
        """Return the examples to decode: held-out ones, or empty ones for plain text."""
        if self.task.layout == "text":
            return generate.unconditional(count)
        return list(first(held, count))


def training(session: Session) -> None:
    """Train to the end of the configuration; a finished run is only reported."""
    from xlm_runtime.train.fit import Held, fit  # Lightning takes seconds to import

    config, run = session.config, session.run
    begun, steps, prepared = run.steps, config.train.steps, session.prepared
    if begun >= steps:
        say(f"run {run.path} is trained ({begun} steps)")
        return
    model = session.model() if begun else session.start()
    memory.check_training(model.network, model.dtype)
    size = sum(weight.numel() for weight in model.network.parameters())
    family = session.package.family
    where = f"{device().type} in {config.train.precision}"
    say(f"{family.title}: {size / 1e6:.2f} M weights on {where}, run {run.path}")
    if begun:
        say(f"continuing after step {begun} of {steps}")
    if rank() == 0:
        run.keep_tokenizer(prepared.tokenizer)
        about = {"layout": session.task.layout, "body": prepared.body, "prompt": prepared.prompt}
        lengths = Law.of(prepared.lengths).plain()
        facts = {"facts": dict(prepared.facts), "lengths": lengths}
        write_json(run.path / "data.json", about | facts)
    held = Held(prepared.validation, config.eval.batch, lambda: _glimpse(session, model))
    fit(model, prepared.train, held, config, run.path)


def _glimpse(session: Session, model: Model) -> list[str]:
    """Return a few samples to show during training."""
    count, tokenizer = session.config.generate.samples, session.prepared.tokenizer
    if not count:
        return []
    asked = session.asked(count, session.prepared.validation)
    targets = _targets(session, asked)
    made = generate.samples(model, session.blanks(asked, model), count, session.config.train.seed)
    pairs = zip(made, targets, strict=True)
    stops = session.config.generate.stops
    return [generate.show(generate.record(s, tokenizer, target, stops)) for s, target in pairs]


def evaluation(session: Session, again: bool) -> None:
    """Print and write the evaluation of the checkpoint on the test examples."""
    file, (folder, key) = session.run.path / measured.METRICS, _key(session, ("eval",))
    if not again and session.run.note("eval") == key and file.exists():
        found = measured.read(file)
        say(f"evaluated before ({file})")
        _show(found)
        return
    model = _loaded(session, folder)
    found = {"checkpoint": folder.name, **_measure(session, model)}
    found |= _of(session, folder)
    _show(found)  # whatever becomes of the file
    with saving(session.run.path):
        write_json(file, found)
        _remember(session, found)
        session.run.note("eval", key)


def _show(found: Mapping[str, Any]) -> None:
    for text in table(found):
        say(text)


def _remember(session: Session, found: Mapping[str, Any]) -> None:
    """Append an evaluation to the file of all evaluations."""
    file = session.run.path / measured.EVERY
    before = file.read_bytes().decode(errors="surrogateescape") if file.exists() else ""
    write_text(file, before + to_json(sealed(found)) + "\n")


def _of(session: Session, folder: Path) -> dict[str, Any]:
    """Return the sources of a result: hashes of package, weights, data and settings."""
    settings = measured.settings(session.config.to_json())
    return measured.of(session.package.digest, folder, session.prepared.fingerprint, settings)


def _measure(session: Session, model: Model) -> dict[str, Any]:
    options, claim = session.config.eval, model.family.claim
    metrics = metrics_of(session.task, session.prepared, session.config)
    examples = list(first(session.prepared.test, options.examples))
    decoder = session.config.decoder
    found: dict[str, Any] = {"examples": len(examples)}
    found["test_examples"] = len(session.prepared.test)
    found |= {"decoder": decoder.name, "decoder_params": dict(decoder.params)}
    if session.other_data:
        found["data"] = "not those of training"
    found |= {"noise": session.config.noise} if session.config.noise else {}
    found["claim"] = {"value": claim.value, "why": claim.why}
    found |= _losses(session, model)
    if len(metrics):
        asked = examples
        if session.task.layout == "text":
            asked = generate.unconditional(options.samples)
        found["decoding"] = _decode(session, model, asked, metrics)
        found |= judged(metrics)
    found["layout"] = evaluate.laid(model, bool(session.prepared.lengths.min() > model.body))
    return found | beside(session.prepared, session.config)


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


def metrics_of(task: Task, prepared: Prepared, config: Config) -> "MetricCollection":
    """Return the metrics of a task, and those that a run requests."""
    own, asked = task.metrics(prepared), config.eval.asked
    if not asked:
        return own
    from xlm_runtime.run.asked import extended  # torchmetrics takes a second to import

    return extended(own, asked, prepared)


def judged(metrics: "MetricCollection") -> dict[str, Any]:
    """Return the values of metrics, and those of each group if a metric is a mean over groups."""
    values = {name: float(value) for name, value in metrics.compute().items()}
    every: dict[str, Any] = dict(metrics.items())
    groups = {name: one.by_group() for name, one in every.items() if hasattr(one, "by_group")}
    return {"answers": values} | ({"groups": groups} if groups else {})


def beside(prepared: Prepared, config: Config) -> dict[str, Any]:
    """Return the facts shown beside metrics: the rate of a guess, the protocol, judges."""
    facts, asked = prepared.facts, config.eval.asked
    found = {name: facts[name] for name in ("guess", "protocol") if name in facts}
    return found | ({"asked": list(asked)} if asked else {})


def _decode(
    session: Session, model: Model, asked: Sequence[Example], metrics: "MetricCollection"
) -> dict[str, float]:
    """Decode the examples and update the metrics; return the costs of decoding.

    ``nfe`` is the mean number of network calls for an answer, ``steps`` that of the steps that its
    batch took (a row may be done before others), each with its standard error over answers;
    ``tokens_per_second`` counts the tokens of answers, on this machine and at this batch size,
    without the time of metrics.
    """
    from xlm_runtime.metrics import Answer  # torchmetrics takes a second to import

    tokenizer, options = session.prepared.tokenizer, session.config.eval
    blanks = session.blanks(asked, model)
    calls: list[int] = []
    steps: list[int] = []
    tokens, judging, began = 0, 0.0, perf_counter()
    how = (session.prepared, options.batch, session.config.train.seed)
    made = watched.samples("decode", model, blanks, *how)
    for sample, example in zip(made, asked, strict=True):
        ids, text = generate.said(sample, tokenizer, session.config.generate.stops)
        made_at = perf_counter()
        metrics.update(Answer(ids, example, tokenizer, text))
        judging += perf_counter() - made_at
        calls.append(sample.nfe)
        steps.append(sample.steps)
        tokens += len(ids)
    spent = perf_counter() - began - judging
    found: dict[str, float] = {}
    for name, numbers in (("nfe", calls), ("steps", steps)):
        value, error = evaluate.ratio(numbers, [1] * len(numbers))
        found |= {name: value, f"{name}_error": error, f"{name}_count": len(numbers)}
    return found | {"tokens_per_second": tokens / spent, "tokens_per_second_count": tokens}


def table(found: Mapping[str, Any]) -> list[str]:
    """Return the metrics as lines; every likelihood shows its claim."""
    claim = found["claim"]
    lines = [f"evaluation of {found['checkpoint']} on {_seen(found)} test examples"]
    if "data" in found:
        lines.append(f"  the data are {found['data']}")
    if found.get("loss_split") == "validation":
        few = found.get("loss_examples", 0) > found.get("loss_count", 0)
        some = f", {found['loss_count']} of {found['loss_examples']} examples" if few else ""
        lines.append(f"  loss and likelihood are of the validation split{some}")
    loss = evaluate.shown(found["loss"]) if "loss" in found else {}
    measured = dict(found.get("likelihood", {}))
    estimator, lengths = measured.pop("estimator", ""), measured.get("joint", {}).get("lengths")
    answers = (found.get("answers", {}), "decoded")
    likelihoods = evaluate.sections(measured, claim["value"])
    lines += values(((loss, ""), *likelihoods, answers, (found.get("decoding", {}), "")), found)
    said = "no likelihood" if claim["value"] == "none" else claim["value"]
    lines += [f"  likelihood by: {estimator}"] if estimator else []
    lines += [f"  joint by: {lengths}"] if lengths else []
    return [*lines, f"  {said}: {claim['why']}"]


def _seen(found: Mapping[str, Any]) -> str:
    """Format the number of test examples that an evaluation saw, and of all if it is a part."""
    seen = str(found["examples"])
    return f"{seen} of {found['test_examples']}" if measured.is_part(found) else seen


def values(
    sections: Sequence[tuple[Mapping[str, float | None], str]], found: Mapping[str, Any]
) -> list[str]:
    """Format numbers as lines, each with its error and the mark of its section.

    None is a number that is not finite, which JSON does not have.
    """
    rows = [
        (name, value, part.get(f"{name}_error"), mark)
        for part, mark in sections
        for name, value in part.items()
        if not name.endswith(("_error", "_count"))  # beside what they belong to
    ]
    rows += [("a_guess_would_be", found["guess"], None, "")] if "guess" in found else []
    wide = max(18, *(len(name) + 1 for name, *_ in rows)) if rows else 18
    lines = []
    for name, value, error, mark in rows:
        spread = f"± {error:.4f}" if error is not None and isfinite(error) else ""
        said = f"{value:.4f}" if value is not None and isfinite(value) else "not finite"
        lines.append(f"  {name.replace('_', ' '):<{wide}}{said:>10} {spread + ' ':<10}{mark}")
    if "asked" in found:
        lines.append(f"  requested: {', '.join(found['asked'])}")
    if "decoder_params" in found:
        params = [f"{name} {value}" for name, value in found["decoder_params"].items()]
        listed = f" ({', '.join(params)})" if params else ""
        lines.append(f"  decoder: {found['decoder']}{listed}, draws in float64")
    if "layout" in found:
        lines.append(f"  layout: {found['layout']}")
    if "protocol" in found:
        lines.append(f"  protocol: {found['protocol']}")
    return [line.rstrip() for line in lines]


def generation(session: Session, again: bool) -> None:
    """Write a file of predictions, one for each distinct generation, and print some of it."""
    folder, key = _key(session, ("eval", "generate"))
    file = answers.file(session.run.path, key)
    if not again and session.run.note("generate") == key and file.exists():
        records = answers.read(session.run.path, file)
        say(f"generated before ({file})")
    else:
        records = _generate(session, _loaded(session, folder))
        about = {"checkpoint": folder.name, "examples": len(records)}
        if session.task.layout != "text":
            about["test_examples"] = len(session.prepared.test)
        about |= _of(session, folder)
        with saving(session.run.path):
            answers.note(session.run.path, file, key, about)  # so that a kill leaves no orphan
            generate.write(file, records)
            answers.note(session.run.path, file, key, about)
            session.run.note("generate", key)
        say(f"{len(records)} predictions in {file}")
    for shown in records[:_SHOWN]:
        say(generate.show(shown))
    name = session.config.decoder.name
    worth = session.package.family.samples.get(name)
    if worth:
        say(f"  samples of decoder {name}: {worth}")


def _generate(session: Session, model: Model) -> list[dict[str, Any]]:
    options, tokenizer = session.config.generate, session.prepared.tokenizer
    asked = session.asked(options.count, session.prepared.test)
    blanks, targets = session.blanks(asked, model, options.length), _targets(session, asked)
    how = (session.prepared, options.batch, session.config.train.seed, options.history)
    made = watched.samples("generate", model, blanks, *how)
    return [
        generate.record(sample, tokenizer, target, options.stops)
        for sample, target in zip(made, targets, strict=True)
    ]


def _targets(session: Session, asked: Sequence[Example]) -> list[Example | None]:
    return [None if session.task.layout == "text" else example for example in asked]


def _loaded(session: Session, folder: Path) -> Model:
    """Load the model with the averaged weights of a checkpoint, or with published ones."""
    if session.published is not None and folder == session.published.folder:
        model = session.start()
        say("they are used as they are: this run has not been trained")
    else:
        model = session.model()
        load_weights(model.network, saved.average(folder))
    model.network.to(device()).eval()
    return model


def _key(session: Session, sections: tuple[str, ...]) -> tuple[Path, str]:
    """Return the checkpoint that a job reads, and a digest of all that its result depends on."""
    if session.published is not None and not session.run.steps:
        folder = session.published.folder
    else:
        folder = saved.resolve(session.run.checkpoints, session.ckpt or "best")
    plain = session.config.to_json()
    parts = [
        session.package.digest,
        str(folder),
        session.config.generate.stop,
        session.prepared.fingerprint,
        *(plain[s] for s in ("model", "train", "data", "loss", "decoder", *sections)),
        *filter(None, [plain["noise"]]),
        *_prints(session.config.eval.asked),
    ]
    return folder, sha256(json.dumps(parts).encode()).hexdigest()


def _prints(asked: Sequence[str]) -> list[str]:
    """Return what the requested metrics depend on."""
    if not asked:
        return []
    from xlm_runtime.run.asked import fingerprint

    return fingerprint(asked)
