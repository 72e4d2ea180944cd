"""The states of a few decodings, kept with the predictions of a run for its report."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from xlm_runtime.model.generate import Sample, spelled
from xlm_runtime.system.atomic import write_json
from xlm_runtime.system.reader import read_json
from xlm_runtime.tokenizers import Tokenizer

FEW = 3
_STATES = 200  # of one decoding: of more, that many at equal distances
_ROOM = 2**15  # tokens of a batch whose states are kept in memory without a request


def affordable(rows: int, tokens: int) -> bool:
    """Return whether the states of a batch take little memory, so that they may be recorded."""
    return rows * tokens <= _ROOM


def beside(predictions: Path) -> Path:
    """Return the file of the states that belong to a file of predictions."""
    return predictions.with_name(f"{predictions.stem.replace('predictions', 'history')}.json")


def states(samples: Iterable[Sample], tokenizer: Tokenizer) -> list[dict[str, Any]]:
    """Return the states of samples as texts, prompt and visible specials included."""
    return [
        {
            "index": sample.example.index,
            "nfe": sample.nfe,
            "steps": len(sample.history) - 1,
            "states": [spelled(state, tokenizer) for state in _some(sample.history)],
        }
        for sample in samples
        if sample.history
    ]


def _some(history: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Select states at equal distances, the first and the last among them."""
    if len(history) <= _STATES:
        return list(history)
    return [history[round(i * (len(history) - 1) / (_STATES - 1))] for i in range(_STATES)]


def write(predictions: Path, found: Sequence[dict[str, Any]]) -> None:
    """Write the states that belong to a file of predictions, if there are any."""
    if found:
        write_json(beside(predictions), {"samples": list(found)})


def read(predictions: Path) -> list[dict[str, Any]]:
    """Read the states that belong to a file of predictions.  Raises RunError for damage."""
    found = read_json(beside(predictions)).get("samples", [])
    whole = isinstance(found, list) and all(
        isinstance(one, dict) and isinstance(one.get("states"), list) for one in found
    )
    return found if whole else []
