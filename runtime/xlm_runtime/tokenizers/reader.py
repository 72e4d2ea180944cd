"""The form of a tokenizer that reads texts: no string of a text becomes a special token."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tokenizers import Tokenizer as Backend
from tokenizers import models

_APART = "\uffff"  # a noncharacter of Unicode, which no text holds


class Reader:
    """A tokenizer that has the ids of another, and spells out the names of its hidden tokens.

    An added token is hidden by its flag, one of the model's vocabulary by another name, which
    begins with U+FFFF; in a text that character then reads as U+FFFD.
    """

    def __init__(self, backend: Backend, hidden: Collection[str]) -> None:
        self.own, self._renamed = _form(backend, hidden)
        self.version = None if self.own is backend else 1  # of how names are hidden
        self.own.encode_special_tokens = True  # no file keeps this

    def __call__(self, texts: list[str]) -> list[list[int]]:
        """Encode texts, on all cores if there are several."""
        if self._renamed:
            texts = [text.replace(_APART, "\ufffd") for text in texts]
        if len(texts) == 1:
            return [self.own.encode(texts[0], add_special_tokens=False).ids]
        encodings = self.own.encode_batch_fast(texts, add_special_tokens=False)
        return [encoding.ids for encoding in encodings]


def own_unknown(backend: Backend) -> int | None:
    """Return the id that a model gives to unknown text; None if it gives none."""
    model: Any = backend.model
    if isinstance(model, models.Unigram):
        found: int | None = json.loads(model.__getstate__())["unk_id"]
        return found
    token = model.unk_token
    return None if token is None else model.token_to_id(token)


def _form(backend: Backend, hidden: Collection[str]) -> tuple[Backend, bool]:
    """Return the backend for reading, and whether it renames tokens."""
    added = [t for t in backend.get_added_tokens_decoder().values() if t.content in hidden]
    inside = [name for name in hidden if backend.model.token_to_id(name) is not None]
    random = getattr(backend.model, "dropout", None)
    if not inside and not random and all(token.special for token in added):
        return backend, False
    state = json.loads(backend.to_str())
    names = {name: _APART + name for name in inside if _reached(state["model"], name)}
    for token in state["added_tokens"]:
        token["special"] |= token["content"] in hidden
        token["content"] = names.get(token["content"], token["content"])
    state["model"] = _model(state["model"], names)
    return Backend.from_str(json.dumps(state)), bool(names)


def _reached(model: Mapping[str, Any], name: str) -> bool:
    """Return whether a model can read a text as a given token of its vocabulary."""
    if model["type"] != "BPE" or model["ignore_merges"] or len(name) == 1:
        return True
    return any(_merged(merge, model) == name for merge in model["merges"])


def _merged(merge: Sequence[str], model: Mapping[str, Any]) -> str:
    """Return the token that merges two others."""
    first, second = merge
    return first + second.removeprefix(model["continuing_subword_prefix"] or "")


def _model(model: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return a tokenizer's model with some tokens renamed, and without BPE dropout."""
    vocab = model["vocab"]
    if model["type"] == "Unigram":
        return {**model, "vocab": [[names.get(piece, piece), score] for piece, score in vocab]}
    found = {**model, "vocab": {names.get(piece, piece): i for piece, i in vocab.items()}}
    if model["type"] == "BPE":
        merges = [m for m in model["merges"] if not names.keys() & {*m, _merged(m, model)}]
        found |= {"merges": merges, "dropout": None}
    return found
