"""The input of a task's preparation (`DataOptions`) and its result (`Prepared`)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from xlm_runtime.data.length_law import length
from xlm_runtime.plug import Example
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.tokenizers import Tokenizer

_LOOK = 100_000  # examples whose lengths are looked at where a split does not know them
_CHAT = ("bos", "eos", "cls", "sep")  # what templates use
_SOME = 32  # examples of each split that tell data apart
_MANY = 1000  # those that are compared between families


class Split(Protocol):
    """The examples of a split by place.  A list will do; with workers it must be picklable."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Example: ...


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """The options with which a run prepares the data of a task.

    preset: ``quick`` data need no download; ``paper`` data are the published ones.
    cache: the folder below which prepared data are kept.
    data: the user's own file, or a folder with ``train.*``, ``validation.*`` and ``test.*``.
    columns: the columns to read from it, by role (``text``; ``prompt`` and ``target``).
    seed: the seed of generated data.
    specials: the special tokens of the family (``Family.specials``).
    tokenizer: a name on the Hub, a local file or folder, or ``bpe:4096``; None for the task's own.
    block, prompt: the largest numbers of tokens of a body and of a prompt; None for the task's
        own.
    published: the ids are those of published weights, so that roles which share a token there (pad
        and eos, often) still share it.
    chat: prompts are encoded by `Tokenizer.chat`.
    kept: the tokenizer folder of a trained run; used instead of training one anew, as the data may
        have changed.
    made: generate problems even where published ones exist.
    stream, window: texts for training are a stream, shuffled in windows of so many rows.
    """

    preset: Literal["quick", "paper"]
    cache: Path
    data: Path | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    seed: int = 1
    specials: tuple[str, ...] = ()
    tokenizer: str | None = None
    block: int | None = None
    published: bool = False
    chat: bool = False
    kept: Path | None = None
    made: bool = False
    prompt: int | None = None
    stream: bool = False
    window: int = 10_000

    def __post_init__(self) -> None:
        """Check that columns are of a file.  Raises UsageError."""
        if self.columns and not self.data:
            raise UsageError("--columns needs a file, given by --data")


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """The data of a task, ready to be laid out.

    body, prompt: the largest numbers of tokens of each, without any special token.
    loss: the split that the loss and the likelihood of an evaluation are of; ``none`` where bodies
        are answers alone, whose loss means nothing.
    untrainable: why nothing can be trained on it; empty where it can.
    stream: a `streaming.Stream` that is trained on, in place of ``train``, which is its beginning.
    facts: plain JSON values, printed and saved with the run: where the data come from, sizes, what
        was dropped or cut and why, the rate of a guess, the protocol behind published numbers.
    """

    train: Split
    validation: Split
    test: Split
    tokenizer: Tokenizer
    body: int
    prompt: int = 0
    loss: Literal["test", "validation", "none"] = "test"
    untrainable: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    stream: Any = None

    def __post_init__(self) -> None:
        """Check that no split is empty or contradicts the sizes.  Raises RunError."""
        for name in ("train", "validation", "test"):
            split: Split = getattr(self, name)
            if len(split) == 0:
                raise RunError(f"the {name} split is empty")
            for index in {0, len(split) // 2, len(split) - 1}:
                self._check(split[index], f"example {index} of {name}")

    @cached_property
    def fingerprint(self) -> str:
        """A digest of the data: the key that they are cached by, sizes, ids, and some examples."""
        splits = (self.train, self.validation, self.test)
        places = [(one, i) for one in splits for i in range(0, len(one), 1 + len(one) // _SOME)]
        examples = [split[place] for split, place in places]
        some = [[list(map(int, ids)) for ids in (e.prompt, e.body)] for e in examples]
        cache = Path(str(self.facts.get("cache", ""))).name
        parts = [cache, [len(split) for split in splits], self.tokenizer.fingerprint, some]
        return blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()

    @cached_property
    def prints(self) -> dict[str, dict[str, str]]:
        """Digests of the texts and of the tokens of each split, the same for all families.

        Of sizes and of up to 1,000 examples, without the special tokens that families add.
        """
        splits = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: self._print(split) for name, split in splits.items()}

    def _print(self, split: Split) -> dict[str, str]:
        texts: list[object] = [len(split)]
        tokens: list[object] = [len(split)]
        for place in range(0, len(split), 1 + len(split) // _MANY):
            one = split[place]
            texts.append([*map(self.tokenizer.decode, (one.prompt, one.body)), list(one.given)])
            tokens.append([self.tokenizer.token(i) for ids in (one.prompt, one.body) for i in ids])
        return {
            kind: blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()
            for kind, parts in (("texts", texts), ("tokens", tokens))
        }

    @cached_property
    def lengths(self) -> npt.NDArray[np.int64]:
        """The number of body tokens of the training examples (of the first 100,000 of a list).

        Of a text that is cut it is one more than the room. Unconditional samples draw their length
        from these if the family does not model it itself.
        """
        known = getattr(self.train, "lengths", None)
        if known is not None:
            lengths = np.asarray(known, np.int64)
            cut = getattr(self.train, "cut", None)
            return lengths if cut is None else np.where(cut, self.body + 1, lengths)
        look = range(min(len(self.train), _LOOK))
        return np.array([length(self.train[i], self.body) for i in look], np.int64)

    def example(self, text: str, index: int = 0) -> Example:
        """Build an example from the user's own prompt; ``index`` keys its randomness.

        If the task has prompts the text is one, and the body is open. Else it is a body whose
        tokens are given: text to continue. Raises UsageError for a text that is too long or has
        words that the tokenizer does not know.
        """
        ids = self.tokenizer.encode(text)
        room = self.prompt or self.body
        if len(ids) > room:
            raise UsageError(f"the prompt has {len(ids)} tokens, room is for {room}: {text!r}")
        if self.prompt:
            return Example(index, body=(), prompt=ids)
        return Example(index, body=ids, given=(True,) * len(ids))

    def _check(self, example: Example, name: str) -> None:
        for part, ids, room in (
            ("body", example.body, self.body),
            ("prompt", example.prompt, self.prompt),
        ):
            if len(ids) > room:
                raise RunError(f"the {part} of {name} has {len(ids)} tokens, room is for {room}")
            # a prompt may stand in a chat template, whose specials are its own
            self._check_ids(ids, f"the {part} of {name}", but=() if part == "body" else _CHAT)
        if example.given and len(example.given) != len(example.body):
            raise RunError(f"{name}: `given` and `body` differ in length")
        if example.document and len(example.document) != len(example.body):
            raise RunError(f"{name}: `document` and `body` differ in length")
        if example.document and (example.prompt or any(example.given)):
            raise RunError(f"{name}: several documents have no prompt and no given tokens")

    def _check_ids(self, ids: Sequence[int], name: str, but: Sequence[str]) -> None:
        vocab = self.tokenizer.vocabulary
        for i in ids:
            if not 0 <= i < vocab.size:
                raise RunError(f"{name} contains {i}, but the vocabulary has {vocab.size} ids")
        own = {vocab.specials[role] for role in but if role in vocab.specials}
        special = [role for role, i in vocab.specials.items() if i in ids and i not in own]
        if special:
            raise RunError(f"{name} contains the special token '{special[0]}'; layouts add those")


def roomy(setting: str, asked: int | None, longest: int, task: str) -> int:
    """Return the room set by ``data.block`` or ``data.prompt``, else that of the longest.

    Raises UsageError if the longest does not fit.
    """
    if asked is not None and asked < longest:
        noun = "body" if setting == "block" else "prompt"
        raise UsageError(f"data.{setting}={asked}: a {noun} of {task} has up to {longest} tokens")
    return longest if asked is None else asked
