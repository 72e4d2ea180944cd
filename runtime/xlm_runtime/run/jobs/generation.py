"""Generation: a file of predictions, one for each distinct generation."""

from typing import Any

from attrs import evolve

from xlm_runtime.model import generate
from xlm_runtime.model.generate import Sample
from xlm_runtime.model.model import Model
from xlm_runtime.run.folder import answers, histories
from xlm_runtime.run.jobs import watched
from xlm_runtime.run.jobs.session import Session
from xlm_runtime.system.atomic import saving
from xlm_runtime.system.progress import say

_SHOWN = 5  # predictions that are printed


def generation(session: Session, again: bool) -> None:
    """Write a file of predictions, one for each distinct generation, and print some of it."""
    folder, key = session.key(("eval", "generate"))
    file = answers.file(session.run.path, key)
    if not again and session.run.note("generate") == key and file.exists():
        records = answers.read(session.run.path, file)
        say(f"generated before ({file})")
    else:
        records, states = _generate(session, session.loaded(folder))
        about = {"checkpoint": folder.name, "examples": len(records)}
        if not session.unasked:
            about["test_examples"] = len(session.prepared.test)
        about |= session.sources(folder)
        with saving(session.run.path):
            answers.note(session.run.path, file, key, about)  # so that a kill leaves no orphan
            generate.write(file, records)
            histories.write(file, states)
            answers.note(session.run.path, file, key, about)
            session.run.note("generate", key)
        say(f"{len(records)} predictions in {file}")
    for shown in records[:_SHOWN]:
        say(generate.show(shown))
    name = session.config.decoder.name
    worth = session.package.family.samples.get(name)
    if worth:
        say(f"  samples of decoder {name}: {worth}")


def _generate(session: Session, model: Model) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the records of all samples, and the states of the first few."""
    options, prepared = session.config.generate, session.prepared
    asked = session.asked(model, options.count, prepared.test)
    blanks, targets = session.blanks(asked, model, options.length), session.targets(asked)
    rows = min(len(asked), options.batch)
    recorded = options.history or histories.affordable(rows, prepared.prompt + prepared.body)
    how = (prepared, options.batch, session.config.train.seed, recorded)
    records: list[dict[str, Any]] = []
    few: list[Sample] = []
    for sample, target in zip(
        watched.samples("generate", model, blanks, *how), targets, strict=True
    ):
        few += [sample] * (len(few) < histories.FEW)
        kept = sample if options.history else evolve(sample, history=())
        records.append(generate.record(kept, prepared.tokenizer, target, options.stops))
    return records, histories.states(few, prepared.tokenizer)
