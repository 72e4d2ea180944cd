"""An evaluation and its sources: hashes of package, weights, data and settings."""

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from xlm_runtime.run.folder.runs import Run
from xlm_runtime.system.errors import RunError
from xlm_runtime.system.reader import read_json, read_lines
from xlm_runtime.train.saved import AVERAGE

METRICS, EVERY = "metrics.json", "evaluations.jsonl"
_TEXTS = ("checkpoint", "decoder", "layout", "protocol", "loss_split", "data")
_NUMBERS = ("examples", "test_examples", "loss_count", "loss_examples", "guess")
_SETTINGS = ("loss", "decoder", "eval", "generate")
_ABOUT = ("estimator", "given", "lengths")
_SECTIONS = ("loss", "likelihood", "answers", "decoding")


def of(marks: Mapping[str, str], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sources of a result: hashes of all it depends on, and the settings.

    ``marks`` are the hashes of all but the settings: of package, weights, data, the size of the
    model and metrics of the user's own. Two results with equal hashes have the same sources.
    """
    return {"of": {**marks, "settings": digest(settings)}, "settings": settings}


def digest(value: object) -> str:
    """Hash a plain value."""
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def settings(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Select the settings that a result depends on, besides package, weights and data."""
    seed = {"seed": plain["train"]["seed"]}
    noise = {"noise": plain["noise"]} if plain["noise"] else {}
    return {"train": seed, **{name: plain[name] for name in _SETTINGS}, **noise}


def weights(folder: Path) -> str:
    """Hash the weights in the folder of a checkpoint, or of published ones."""
    files = [folder / AVERAGE] if (folder / AVERAGE).is_file() else folder.glob("*.safetensors")
    hashed = sha256()
    for path in sorted(files):
        with path.open("rb") as file:
            hashed.update(file_digest(file, "sha256").digest())
    return hashed.hexdigest()


def read(file: Path) -> dict[str, Any]:
    """Read an evaluation, empty if there is none.  Raises RunError for a malformed one."""
    return checked(read_json(file), str(file))


def checked(found: object, where: str) -> dict[str, Any]:
    """Check that a JSON value is an evaluation, as far as it is shown.

    Raises RunError, which begins with ``where``.
    """
    if not isinstance(found, dict):
        raise RunError(f"{where} is no evaluation")
    wrong = [name for name in _TEXTS if not isinstance(found.get(name, ""), str)]
    wrong += [name for name in _NUMBERS if not _is_number(found.get(name, 0))]
    for name in _SECTIONS:
        nested = "joint" if name == "likelihood" else ""
        wrong += [name] * (not _is_section(found.get(name, {}), nested))
    claim = found.get("claim", {})
    if found and not (isinstance(claim, dict) and {"value", "why"} <= {*claim}):
        wrong.append("claim")
    objects = ("decoder_params", "of")
    wrong += [name for name in objects if not isinstance(found.get(name, {}), dict)]
    for name in ("settings", "splits"):
        value = found.get(name, {})
        if not (isinstance(value, dict) and all(isinstance(one, dict) for one in value.values())):
            wrong.append(name)
    if not _are_texts(found.get("asked", [])):
        wrong.append("asked")
    if wrong or (found and not {"checkpoint", "examples"} <= {*found}):
        raise RunError(f"{where} is no evaluation: {', '.join(dict.fromkeys(wrong)) or 'cut off'}")
    return found


def _is_section(values: object, nested: str = "") -> bool:
    """Return whether a value has numbers and texts by name, and such a section as ``nested``."""
    return isinstance(values, dict) and all(
        _is_section(one)
        if key == nested
        else isinstance(one, str)
        if key in _ABOUT
        else _is_number(one)
        for key, one in values.items()
    )


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def every(run: Run) -> Iterator[dict[str, Any]]:
    """Yield the evaluations of a run, the last first."""
    last, file = read(run.path / METRICS), run.path / EVERY
    if last:
        yield last
    if not file.is_file():
        return
    for number, found in reversed(list(enumerate(read_lines(file), 1))):
        yield checked(found, f"{file}, evaluation {number}")


def is_part(found: Mapping[str, Any]) -> bool:
    """Return whether an evaluation saw only a part of the test examples."""
    return bool(found["examples"] < found.get("test_examples", found["examples"]))


def shown(run: Run, folder: Path) -> tuple[dict[str, Any], list[str]]:
    """Choose the evaluation to show for the weights in a folder; return remarks on it.

    Among evaluations of this package and these weights, the last on all test examples and on the
    data of the run is chosen, else the last of all. If there is none, the remark explains it.
    """
    facts, hashed = run.facts, weights(folder)
    known = list(every(run))
    own = [
        found
        for found in known
        if (found.get("of", {}).get("package"), found.get("of", {}).get("weights"))
        == (facts["package"], hashed)
    ]
    return preferred(own, facts) if own else ({}, [missing(known, facts["package"])])


def preferred(
    found: Sequence[dict[str, Any]], facts: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Choose one of some evaluations, the last first, for the run of ``facts``, with remarks."""
    best = min(found, key=lambda one: (_other_data(one, facts), is_part(one)))
    return best, _marks(best, facts)


def missing(known: Sequence[Mapping[str, Any]], package: str) -> str:
    """Explain in a sentence why no evaluation is shown."""
    if not known:
        return "It was not evaluated."
    of = known[0].get("of")
    if not of:
        why = "kept no hashes of what it measured"
    elif of.get("package") != package:
        why = "was of another package"
    else:
        why = f"was of other weights ({known[0]['checkpoint']})"
    return f"These weights were not evaluated: the last evaluation {why}, and is not shown."


def _other_data(found: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    return bool(found["of"].get("data") != facts.get("content"))


def _marks(found: Mapping[str, Any], facts: Mapping[str, Any]) -> list[str]:
    """Return remarks that a reader of the numbers needs."""
    marks = []
    if is_part(found):
        seen, there = found["examples"], found["test_examples"]
        marks.append(f"These numbers are of a part of the test data: {seen} of {there} examples.")
    if _other_data(found, facts):
        marks.append("These numbers are of other data than those of the run.")
    return marks
