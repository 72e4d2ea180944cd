"""The jobs that try a training and write no run: plan, rate and overfit."""

from math import isinf

from attrs import evolve

from xlm_runtime.config.config import Config
from xlm_runtime.model.evaluate import said
from xlm_runtime.model.model import Model, first
from xlm_runtime.run.jobs.forecast import forecast
from xlm_runtime.run.jobs.session import Session
from xlm_runtime.system.errors import RunError
from xlm_runtime.system.progress import say
from xlm_runtime.tasks.base.prepared import Prepared


def trial(job: str, session: Session) -> None:
    """Run one of `command.TRIALS`.  Raises RunError where a batch is not learnt."""
    if job == "overfit":
        still = evolve(session.config.model, dropout=0.0, attention_dropout=0.0)
        session = evolve(session, config=evolve(session.config, model=still))
    if job == "plan":
        forecast(session)
        return
    model = session.trainable()
    jobs = {"rate": _rate, "overfit": _overfit}
    jobs[job](model, session.prepared, session.config)


def _rate(model: Model, prepared: Prepared, config: Config) -> None:
    """Print the loss after some steps at each of several learning rates, and name the best."""
    from xlm_runtime.train.trials import rate

    found: dict[float, float] = {}
    for at, loss in rate.losses(model, prepared.train, prepared.validation, config):
        found[at] = loss
        say(f"rate {at:<6g}  held-out loss {loss:.4f} after {rate.STEPS} steps")
    best = min(found, key=lambda one: found[one])
    if isinf(found[best]):
        raise RunError("no rate leaves a finite loss: look at data and loss with --job overfit")
    say(
        f"least at {best:g}: --set train.learning_rate={best:g} (set now: "
        f"{config.train.learning_rate:g}). Longer trainings often prefer a smaller one"
    )


def _overfit(model: Model, prepared: Prepared, config: Config) -> None:
    """Learn a batch by heart.  Raises RunError with the reason where that fails."""
    from xlm_runtime.train.trials import overfit

    examples = [*first(prepared.train, config.train.batch)]
    found = overfit.learn(model, examples, config)
    if found.alike:
        say(f"{found.alike} of {len(examples)} examples are left out: noised, others look the same")
    say(f"at first   {said(found.start)}")
    say(f"at the end {said(found.end)}")
    if found.whole:
        say(f"the batch is learnt by heart after {found.steps} steps")
        return
    left = f"{found.end['loss'] / found.start['loss']:.0%} of the loss is left"
    if model.family.inserts and not found.falls:
        say(
            f"after {found.steps} steps {left}, and it falls no more. Where several insertions are "
            "right at once, each has its share of the chance, so that 0 is out of reach"
        )
        return
    raise RunError(
        f"the batch is not learnt: after {found.steps} steps {left}. {_why(found.falls)}"
    )


def _why(falls: bool) -> str:
    if falls:
        return "It still falls: a larger train.learning_rate (--job rate finds one) learns faster"
    return (
        "It falls no more: a smaller train.learning_rate or train.clip may go on; else look at the "
        "term that is left, its target and weight, and at the size of the network"
    )
