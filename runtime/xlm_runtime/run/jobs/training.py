"""Training to the end of the configuration, with a look at decoded examples on the way."""

from math import isfinite

from xlm_runtime.data.lengths import Law
from xlm_runtime.model import generate, memory
from xlm_runtime.model.model import Model
from xlm_runtime.run.jobs.evaluation import answered, judged
from xlm_runtime.run.jobs.session import Session
from xlm_runtime.run.reports.numbers import numbers
from xlm_runtime.system.atomic import write_json
from xlm_runtime.system.env import device, rank
from xlm_runtime.system.progress import say


def training(session: Session) -> None:
    """Train to the end of the configuration; a finished run is only reported."""
    from xlm_runtime.train.fit import Held, fit  # Lightning takes seconds to import

    config, run = session.config, session.run
    begun, steps, prepared = run.steps, config.train.steps, session.prepared
    if begun >= steps or run.index.waited(config.train):
        early = "" if begun >= steps else f" of {steps}, the best being {run.index.best}"
        say(f"run {run.path} is trained ({begun} steps{early})")
        return
    model = session.trainable(begun=begun > 0)
    size = memory.weights_of(model.network)
    family = session.package.family
    where = f"{device().type} in {config.train.precision}"
    say(f"{family.title}: {size / 1e6:.2f} M weights on {where}, run {run.path}")
    if begun:
        say(f"continuing after step {begun} of {steps}")
    elif (form := family.published) and form.repo and not (session.published or session.first):
        say(f"random weights; --set model.pretrained=published starts from those of {form.repo}")
    if rank() == 0:
        run.keep_tokenizer(prepared.tokenizer)
        about = {"layout": session.task.layout, "body": prepared.body, "prompt": prepared.prompt}
        lengths = Law.of(prepared.lengths).plain()
        facts = {"facts": dict(prepared.facts), "lengths": lengths}
        write_json(run.path / "data.json", about | facts)
    show, judge = lambda: _glimpse(session, model), lambda: _judged(session, model)
    held = Held(prepared.validation, config.eval.batch, show, judge)
    fit(model, prepared.stream or prepared.train, held, config, run.path)


def _glimpse(session: Session, model: Model) -> list[str]:
    """Return a few samples to show during training."""
    count, tokenizer = session.config.generate.samples, session.prepared.tokenizer
    if not count:
        return []
    asked = session.asked(model, count, session.prepared.validation)
    targets = session.targets(asked)
    made = generate.samples(model, session.blanks(asked, model), count, session.config.train.seed)
    pairs = zip(made, targets, strict=True)
    stops = session.config.generate.stops
    return [generate.show(generate.record(s, tokenizer, target, stops)) for s, target in pairs]


def _judged(session: Session, model: Model) -> dict[str, float]:
    """Decode some held-out examples, and return the metrics of the answers."""
    count, prepared = session.config.train.decode_examples, session.prepared
    if not count:
        return {}
    metrics = session.task.metrics(prepared)
    asked = session.asked(model, count, prepared.validation)
    size, seed = session.config.eval.batch, session.config.train.seed
    made = generate.samples(model, session.blanks(asked, model), size, seed)
    for sample, example in zip(made, asked, strict=True):
        metrics.update(answered(session, sample, example))
    values = {name: one.value for name, one in numbers(judged(metrics)).items()}
    return {name: value for name, value in values.items() if value is not None and isfinite(value)}
