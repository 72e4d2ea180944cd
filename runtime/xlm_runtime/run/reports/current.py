"""The evaluation that counts for a run, wherever runs are listed, compared or reported."""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from xlm_runtime.run.folder.runs import Run
from xlm_runtime.run.reports import measured
from xlm_runtime.system import hashes
from xlm_runtime.system.reader import read_as
from xlm_runtime.train import saved


def current(run: Run) -> tuple[dict[str, Any], list[str]]:
    """Return the evaluation to show for a run, and remarks on it; empty if there is none.

    Only evaluations of the run's own package and of weights that it still has count. Of these it
    is the last on all test examples and on the run's data, else the last of all.
    """
    known = list(measured.every(run))
    own = evaluations(run, known)
    if not own:
        return {}, [measured.missing(known, run.facts["package"])]
    return measured.preferred(own, run.facts)


def evaluations(run: Run, known: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Select the evaluations of the run's own package and of weights that it still has."""
    package, weights = run.facts["package"], set(_weights(run))
    return [
        found
        for found in known
        if (of := found.get("of", {})).get("package") == package
        and (not weights or of.get("weights") in weights)
    ]


def _weights(run: Run) -> Iterator[str]:
    """Yield the hashes of the averaged weights of all checkpoints, as they were recorded.

    A run of published weights that was not trained has none.
    """
    for step in saved.every(run.checkpoints):
        folder = saved.step_folder(run.checkpoints, step)
        if not (folder / hashes.HASHES).is_file():
            yield measured.weights(folder)
        elif known := read_as(folder / hashes.HASHES, hashes.Hashes).files.get(saved.AVERAGE):
            yield sha256(bytes.fromhex(known)).hexdigest()


def settings(run: Run, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a run by path: those of training, and those of an evaluation."""
    plain = run.config.to_json()
    plain |= {key: value for key, value in found.get("settings", {}).items() if key != "train"}
    flat: dict[str, Any] = {}
    for section, values in plain.items():
        if section == "decoder":
            flat["decoder"] = values["name"]
            values = values["params"]
        flat |= {f"{section}.{key}": value for key, value in values.items()}
    return flat
