"""Predictions of any system, read from a file and matched to the examples that they answer.

JSON, CSV or Parquet with ``prediction`` and, if wanted, ``index``, ``prompt`` and ``target`` (as in
the ``predictions.jsonl`` of a run), or plain text, a prediction a line.
"""

import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from attrs import frozen

from xlm_runtime.data import files
from xlm_runtime.data.files import Table
from xlm_runtime.metrics.answer import Answer
from xlm_runtime.model.generate import upto_given
from xlm_runtime.plug import Example
from xlm_runtime.system.errors import UsageError
from xlm_runtime.tokenizers import Tokenizer, before

_TEXTS = ("prediction", "prompt", "target")
_NUMBERS = ("index", "ids")


@frozen
class Prediction:
    """One line of a file.

    line: its number, or that of the row if ``unit`` is a row. index: of the test example. ids: as
    they were generated, if the text does not determine them.
    """

    line: int
    text: str
    index: int | None = None
    prompt: str | None = None
    target: str | None = None
    ids: tuple[int, ...] | None = None
    unit: Literal["line", "row"] = "line"

    @property
    def place(self) -> str:
        """``line 7``."""
        return f"{self.unit} {self.line}"


def read(path: Path) -> list[Prediction]:
    """Read the predictions of a file.

    Raises UsageError if it is missing, empty or malformed.
    """
    if not path.is_file():
        raise UsageError(f"--predictions {path}: there is no such file")
    table = files.read(path, "--predictions")
    if table.format.plain:
        return [Prediction(number, str(record["text"])) for number, record in table.records()]
    return [_record(_typed(row, table), number, table) for number, row in table.records()]


def match(
    predictions: Sequence[Prediction],
    examples: Sequence[Example],
    tokenizer: Tokenizer,
    path: Path,
) -> list[tuple[Prediction, Example]]:
    """Match predictions to their examples: by ``index``, else by ``prompt``, else by order.

    By index or prompt some examples may lack a prediction; by order there must be one for each.
    Raises UsageError for a prediction that fits no example, or one that another line has answered.
    """
    for prediction in predictions:
        if any(not 0 <= token < tokenizer.vocabulary.size for token in prediction.ids or ()):
            place = f"--predictions {path}: {prediction.place}"
            raise UsageError(f"{place}: `ids` go from 0 to {tokenizer.vocabulary.size - 1} here")
    for key in ("index", "prompt"):
        have = [getattr(p, key) is not None for p in predictions]
        if all(have):
            break
        if any(have):
            where = predictions[have.index(False)].place
            raise UsageError(f"--predictions {path}: {where} has no `{key}`, but others have one")
    else:
        return _in_order(predictions, examples, path)
    if key == "index":
        places: Mapping[Hashable, list[Example]] = {e.index: [e] for e in examples}
        pairs = _by(lambda p: p.index, predictions, places, path)
    else:
        pairs = _by(
            lambda p: _seen(p.prompt or "", tokenizer),
            predictions,
            _prompts(examples, tokenizer),
            path,
        )
    _check(pairs, tokenizer, path)
    return pairs


def answer(
    prediction: Prediction, example: Example, tokenizer: Tokenizer, stops: Sequence[str]
) -> tuple[Answer, int]:
    """Return the answer for metrics, and the number of words unknown to the tokenizer.

    Such a word becomes the token for padding, which no body holds, so that it is never right. Stop
    strings are searched for behind the given tokens.
    """
    whole = tokenizer.known(prediction.text)[0] if prediction.ids is None else prediction.ids
    start = 0
    if stops:
        given = upto_given(example, whole, inserts=bool(example.gaps))
        start = tokenizer.behind(whole, given)
    text = before(prediction.text, stops, start)
    if prediction.ids is not None and text == prediction.text:
        return Answer(prediction.ids, example, tokenizer, text), 0
    ids, unknown = tokenizer.known(text)
    return Answer(ids, example, tokenizer, text), unknown


def _typed(row: Mapping[str, object], table: Table) -> Mapping[str, Any]:
    """Parse the numbers of a row whose format has texts alone; an empty cell is None."""
    if table.format.typed:
        return row
    return {
        key: _number(str(value)) if key in _NUMBERS and value is not None else value
        for key, value in row.items()
    }


def _number(text: str) -> object:
    """Parse a cell as JSON, or return its text."""
    try:
        return json.loads(text) if text.strip() else None
    except (ValueError, RecursionError):
        return text


def _record(found: Mapping[str, Any], number: int, table: Table) -> Prediction:
    unit = table.format.unit
    where = f"{table.file}: {unit} {number}"
    if "prediction" not in found:
        near = get_close_matches("prediction", found, n=1)
        hint = f" (did you mean it by '{near[0]}'?)" if near else ""
        raise UsageError(f"{where} has no `prediction`{hint}; it has: {', '.join(found)}")
    for key in _TEXTS:
        if not isinstance(found.get(key, ""), str):
            raise UsageError(f"{where}: `{key}` is no text but {found[key]!r}")
        try:
            str(found.get(key, "")).encode()
        except UnicodeEncodeError as error:
            raise UsageError(f"{where}: `{key}` contains half a character ({error})") from error
    index, ids = found.get("index"), found.get("ids")
    if index is not None and type(index) is not int:
        raise UsageError(f"{where}: `index` is no whole number but {index!r}")
    if ids is not None and not (isinstance(ids, list) and all(type(i) is int for i in ids)):
        raise UsageError(f"{where}: `ids` is no list of whole numbers")
    texts = {key: found.get(key) for key in _TEXTS[1:]}
    own = None if ids is None else tuple(ids)
    return Prediction(number, found["prediction"], index, **texts, ids=own, unit=unit)


def _in_order(
    predictions: Sequence[Prediction], examples: Sequence[Example], path: Path
) -> list[tuple[Prediction, Example]]:
    if len(predictions) != len(examples):
        raise UsageError(
            f"--predictions {path}: {len(predictions)} predictions for {len(examples)} test "
            "examples; give one for each, in their order, or name the example of each by `index` "
            "or `prompt`, or change the number with --set eval.examples=N"
        )
    return list(zip(predictions, examples, strict=True))


def _by(
    key: Callable[[Prediction], Hashable],
    predictions: Sequence[Prediction],
    places: Mapping[Hashable, list[Example]],
    path: Path,
) -> list[tuple[Prediction, Example]]:
    """Pair predictions and examples by a key; examples of one key are answered in order."""
    taken: dict[Hashable, list[int]] = {}
    pairs = []
    for prediction in predictions:
        name = key(prediction)
        lines = taken.setdefault(name, [])
        if name not in places:
            raise UsageError(
                f"--predictions {path}: {prediction.place}: no test example has "
                f"{_named(prediction)} ({len(places)} of them are known here)"
            )
        if len(lines) == len(places[name]):
            raise UsageError(
                f"--predictions {path}: {prediction.unit}s {lines[-1]} and {prediction.line} both "
                f"answer {_named(prediction)}"
            )
        pairs.append((prediction, places[name][len(lines)]))
        lines.append(prediction.line)
    return pairs


def _named(prediction: Prediction) -> str:
    if prediction.index is not None:
        return f"index {prediction.index}"
    return f"the prompt {prediction.prompt!r}"


def _prompts(examples: Sequence[Example], tokenizer: Tokenizer) -> dict[Hashable, list[Example]]:
    found: dict[Hashable, list[Example]] = {}
    for example in examples:
        found.setdefault(_plain(tokenizer.decode(example.prompt)), []).append(example)
    return found


def _check(pairs: Sequence[tuple[Prediction, Example]], tokenizer: Tokenizer, path: Path) -> None:
    """Check that predictions are for these examples, not for others of the same indices."""
    for prediction, example in pairs:
        for key, said, ids in (
            ("prompt", prediction.prompt, example.prompt),
            ("target", prediction.target, example.body),
        ):
            if said is not None and _seen(said, tokenizer) != _plain(tokenizer.decode(ids)):
                raise UsageError(
                    f"--predictions {path}: {prediction.place}: the `{key}` is not that of "
                    f"test example {example.index}, {tokenizer.decode(ids)!r}: were they made for "
                    "other data, another --preset or another seed?"
                )


def _seen(text: str, tokenizer: Tokenizer) -> str:
    """Return a text after tokenization and decoding; unchanged if it has unknown words."""
    ids, unknown = tokenizer.known(text)
    return _plain(text if unknown else tokenizer.decode(ids))


def _plain(text: str) -> str:
    return " ".join(text.split())
