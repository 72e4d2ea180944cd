"""Files of tokenizers, ours and others', by the one reader of JSON."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer as Backend

from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.system.reader import damaged, read_object

JSON, CONFIG = "tokenizer.json", "tokenizer_config.json"
DECLARING = (CONFIG, "special_tokens_map.json", "added_tokens.json", "vocab.json")
ANEW = "get it anew, or name another tokenizer with data.tokenizer"
_MODELS = ("BPE", "WordPiece", "WordLevel", "Unigram")


@contextmanager
def chosen(name: str) -> Iterator[None]:
    """Convert damage of the tokenizer that a user names to a wrong setting."""
    try:
        yield
    except RunError as error:
        raise UsageError(f"data.tokenizer={name}: {error}") from error


def read_backend(file: Path, remedy: str = "") -> Backend:
    """Read the tokenizer in a ``tokenizer.json``.  Raises RunError with the remedy for damage."""
    return backend(read_object(file, remedy), file, remedy)


def backend(state: dict[str, Any], file: Path, remedy: str = "") -> Backend:
    """Build the tokenizer of a parsed ``tokenizer.json``; the file names it in errors."""
    model = state.get("model")
    kind = model.get("type") if isinstance(model, dict) else None
    if kind not in _MODELS:
        why = f"not a {JSON} of a fast tokenizer, whose model is one of {', '.join(_MODELS)}"
        raise damaged(file, why if kind is None else f"unknown model {kind!r}: {why}", remedy)
    try:
        return Backend.from_str(json.dumps(state))
    except Exception as error:  # the library has no class of its own for it
        raise damaged(file, f"it cannot be read: {error}", remedy) from error
