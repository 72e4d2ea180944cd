"""Text to ids and back, with the special tokens that a family needs."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from hashlib import blake2b
from os.path import commonprefix
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer as Backend
from tokenizers import models

from xlm_runtime.plug import Vocabulary
from xlm_runtime.system.bounds import VOCABULARY
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.system.reader import damaged, read_object
from xlm_runtime.system.strict import mistakes, short
from xlm_runtime.tokenizers.files import ANEW, CONFIG, JSON, read_backend
from xlm_runtime.tokenizers.reader import Reader, own_unknown

_OWN, _UNKNOWN, _PARTS = "xlm_specials", "xlm_unknown", "xlm_separator"
_KEPT = {  # beside the ids: what `Tokenizer.save` writes of itself
    _OWN: dict[str, int], _UNKNOWN: int | None, "chat_template": str | None, _PARTS: int | None,
}  # fmt: skip
_MESSAGE = "a message that nobody writes"
Turn = tuple[str, str]  # a message of a chat, and the answer to it


class Tokenizer:
    """Text ↔ ids.  ``specials`` maps roles (``pad``, ``mask``, ``bos``, ``eos``, ``cls``) to ids.

    ``unknown`` is the id of text that the vocabulary lacks, or None if there is no such id;
    ``template`` the chat template that it was published with, or None; ``separator`` the body
    token that separates the documents of a row, or None if a row holds one.
    """

    def __init__(
        self,
        backend: Backend,
        specials: Mapping[str, int],
        unknown: int | None = None,
        template: str | None = None,
        separator: int | None = None,
    ) -> None:
        backend.no_truncation()  # a tokenizer.json may bake both in
        backend.no_padding()
        self.backend = backend
        self.unknown = unknown
        self.template = template
        self.separator = separator
        vocab = backend.get_vocab(with_added_tokens=True)
        self.vocabulary = Vocabulary(_size(vocab), dict(specials))
        self._special_ids = frozenset(specials.values())
        own = own_unknown(backend)
        self._lacking = own if own in self._special_ids else None
        self._read = Reader(backend, self._hidden(own))
        closed = isinstance(backend.model, models.WordLevel) and unknown is None
        body = sorted((i, word) for word, i in vocab.items() if i not in self._special_ids)
        self._templates: dict[int, list[list[int]]] = {}
        self._words = [word for _, word in body] if closed else None

    def __repr__(self) -> str:
        """Describe the tokenizer in one line."""
        kind = type(self.backend.model).__name__
        return (
            f"Tokenizer({kind}, {self.vocabulary.size} ids, {', '.join(self.vocabulary.specials)})"
        )

    def encode(self, text: str) -> list[int]:
        """Encode a text, without specials.  Raises UsageError for words without an id."""
        (ids,) = self.encode_all([text])
        return ids

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        """Encode each text, on all cores; see `encode`."""
        for text in texts:
            self._refuse(text)
        rows = self._read(list(texts))
        if self._lacking is not None:
            for text, row in zip(texts, rows, strict=True):
                if self._lacking in row:
                    name = self.backend.id_to_token(self._lacking)
                    raise UsageError(
                        f"the vocabulary lacks a word of {text!r}, and replaces it only by the "
                        f"special token {name}"
                    )
        return rows

    def _hidden(self, unknown: int | None) -> set[str]:
        """Return the tokens that no text contains: those with a role, and all special ones.

        The model's token for ``unknown`` words is none of them.
        """
        added = self.backend.get_added_tokens_decoder()
        ids = {*self._special_ids, *(i for i, token in added.items() if token.special)}
        ids |= set() if self.separator is None else {self.separator}
        return {self._name(i) for i in ids if i != unknown}

    def token(self, token: int) -> str:
        """Return the name of an id in the vocabulary."""
        return self._name(int(token))

    def _name(self, token: int) -> str:
        name = self.backend.id_to_token(token)
        assert name is not None  # it is an id of the vocabulary
        return name

    def known(self, text: str) -> tuple[list[int], int]:
        """Encode a text with ``pad`` for words without an id; return also their number."""
        pad = self.vocabulary["pad"]
        if self._words is None:
            strange = (self.unknown, self._lacking)
            ids = [pad if i in strange else i for row in self._read([text]) for i in row]
            return ids, ids.count(pad)
        ids = []
        for word in text.split():
            ids += self.encode(word) if word in self._words else [pad]
        return ids, ids.count(pad)

    def named(self, tokens: Iterable[str]) -> tuple[int, ...]:
        """Return the ids of tokens by their own names.  Raises UsageError for an unknown one."""
        ids = []
        for token in tokens:
            found = self.backend.token_to_id(token)
            if found is None:
                near = get_close_matches(token, self.backend.get_vocab(), n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise UsageError(f"the tokenizer has no token {token!r}{hint}")
            ids.append(found)
        return tuple(ids)

    def chat(self, text: str, before: Sequence[Turn] = ()) -> list[int]:
        """Encode a user's message in the chat template, ready for the answer to follow.

        ``before``: earlier messages and their answers. Special tokens of the template are special,
        those in messages are text. Messages and template are encoded separately. Raises UsageError
        if there is no template, or one that fails.
        """
        messages = [*(one for turn in before for one in turn), text]
        first, *others = self._between(len(messages))
        ids = [*first]
        for message, after in zip(messages, others, strict=True):
            ids += [*self.encode(message), *after]
        return ids

    def _between(self, count: int) -> list[list[int]]:
        """Return the ids that the chat template puts before, between and after messages."""
        if count not in self._templates:
            self._templates[count] = self._parts(count)
        return self._templates[count]

    def _parts(self, count: int) -> list[list[int]]:
        if self.template is None:
            raise UsageError("the tokenizer has no chat template: leave data.chat=false")
        backend = Backend.from_str(self.backend.to_str())
        backend.encode_special_tokens = False
        names = [f"{_MESSAGE} {number}." for number in range(count)]
        parts = re.split("|".join(map(re.escape, names)), self._rendered(names))
        if len(parts) != count + 1:
            raise UsageError("the chat template does not repeat each message once as it is")
        return [backend.encode(part, add_special_tokens=False).ids for part in parts]

    def _rendered(self, messages: Sequence[str]) -> str:
        from jinja2 import TemplateError
        from transformers import PreTrainedTokenizerFast

        named = {
            f"{role}_token": self.backend.id_to_token(i)
            for role, i in self.vocabulary.specials.items()
        }
        made: Any = PreTrainedTokenizerFast(tokenizer_object=self.backend, **named)  # type: ignore[no-untyped-call]
        roles = ("user", "assistant")
        said = [{"role": roles[i % 2], "content": text} for i, text in enumerate(messages)]
        try:
            return str(
                made.apply_chat_template(
                    said, chat_template=self.template, tokenize=False, add_generation_prompt=True
                )
            )
        except (TemplateError, TypeError, ValueError) as error:
            raise UsageError(f"the tokenizer's chat template fails: {error}") from error

    def decode(self, ids: Iterable[int]) -> str:
        """Decode ids to text, without specials."""
        kept = [int(i) for i in ids if int(i) not in self._special_ids]
        text: str = self.backend.decode(kept, skip_special_tokens=False)
        return text

    def documents(self, text: str) -> list[str]:
        """Split a text at the separator of documents, if there is one."""
        return [text] if self.separator is None else text.split(self.decode([self.separator]))

    def body(self, ids: Iterable[int]) -> list[int]:
        """Return generated ids up to the first ``eos`` or ``pad``.

        Other specials stay where they are: a mask that was never filled is a mistake, not a gap.
        """
        ends = {self.vocabulary.specials.get("eos"), self.vocabulary.specials.get("pad")}
        kept: list[int] = []
        for i in map(int, ids):
            if i in ends:
                break
            kept.append(i)
        return kept

    def behind(self, ids: Sequence[int], given: int) -> int:
        """Return the number of letters of a text that its first ``given`` ids determine."""
        if not given:
            return 0
        texts = [self.decode(ids[:given]), self.decode(ids)]
        return len(commonprefix(texts))  # noqa: RUF071  # letters, not paths

    def until(self, ids: Iterable[int], stops: Sequence[str], given: int = 0) -> list[int]:
        """Return the ids up to the first of the strings, without a token in which it begins.

        Strings are searched for in the text, for any tokenization of it, and behind the first
        ``given`` ids.
        """
        kept = list(ids)
        whole = self.decode(kept)
        text = before(whole, stops, self.behind(kept, given))
        if text == whole:
            return kept
        fits = (k for k in range(len(kept), 0, -1) if text.startswith(self.decode(kept[:k])))
        return kept[: next(fits, 0)]

    @property
    def names(self) -> dict[str, str]:
        """The tokens that play roles, that of unknown words included."""
        ids = dict(self.vocabulary.specials)
        ids |= {} if self.unknown is None else {"unk": self.unknown}
        return {role: self._name(i) for role, i in ids.items()}

    @property
    def fingerprint(self) -> str:
        """A digest of everything that shapes ids."""
        parts = [self.backend.to_str(), sorted(self.vocabulary.specials.items())]
        more = {"separator": self.separator, "unknown": self.unknown, "chat": self.template}
        more["read"] = self._read.version
        state = json.dumps([*parts, {name: one for name, one in more.items() if one is not None}])
        return blake2b(state.encode(), digest_size=16).hexdigest()

    def save(self, folder: Path) -> None:
        """Write ``tokenizer.json`` and ``tokenizer_config.json``; transformers reads them too."""
        folder.mkdir(parents=True, exist_ok=True)
        self.backend.save(str(folder / JSON))
        specials = dict(self.vocabulary.specials)
        named = {f"{role}_token": self.backend.id_to_token(i) for role, i in specials.items()}
        config = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            **named,
            _OWN: specials,
            _UNKNOWN: self.unknown,
            _PARTS: self.separator,
            **({} if self.template is None else {"chat_template": self.template}),
        }
        text = json.dumps(config, indent=1)
        (folder / CONFIG).write_text(text, encoding="utf-8")

    def _refuse(self, text: str) -> None:
        """Refuse a text with words outside a vocabulary of words that has no unknown one."""
        if self._words is None:
            return
        strange = dict.fromkeys(w for w in text.split() if w not in self._words)
        if strange:
            raise UsageError(
                f"unknown: {', '.join(map(repr, strange))}; the words are "
                f"{', '.join(self._words[:40])}{', ...' if len(self._words) > 40 else ''}"
            )

    def __getstate__(self) -> dict[str, Any]:
        return {
            "backend": self.backend.to_str(),
            "specials": dict(self.vocabulary.specials),
            "unknown": self.unknown,
            "template": self.template,
            "separator": self.separator,
        }

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        backend = Backend.from_str(state["backend"])
        parts = (state["specials"], state["unknown"], state["template"], state["separator"])
        self.__init__(backend, *parts)  # type: ignore[misc]


def _size(vocab: Mapping[str, int]) -> int:
    """Return the number of embedding rows that the ids need.  Raises UsageError beyond bounds."""
    token, last = max(vocab.items(), key=lambda item: item[1])
    if last + 1 not in VOCABULARY:
        raise UsageError(
            f"the tokenizer gives {short(token)} the id {last:,}, so that it has {last + 1:,} ids: "
            f"{VOCABULARY.refusal(last + 1)}"
        )
    return last + 1


def before(text: str, stops: Sequence[str], start: int = 0) -> str:
    """Return a text up to the first of some strings, searched for from ``start`` on."""
    found = [place for stop in stops if (place := text.find(stop, start)) >= 0]
    return text[: min(found)] if found else text


def is_saved(folder: Path) -> bool:
    """Return whether `Tokenizer.save` wrote a folder's tokenizer.  Raises RunError for damage."""
    file = folder / CONFIG
    return file.is_file() and _OWN in read_object(file, ANEW)


def load(folder: Path) -> Tokenizer:
    """Read what `Tokenizer.save` wrote.  Raises RunError where it is not there, or damaged."""
    missing = [name for name in (JSON, CONFIG) if not (folder / name).exists()]
    if missing:
        raise RunError(f"{folder} contains no tokenizer of a run: {missing[0]} is missing")
    backend, file = read_backend(folder / JSON), folder / CONFIG
    config = read_object(file)
    kept: list[Any] = [config.get(name) for name in _KEPT]
    for (name, kind), value in zip(_KEPT.items(), kept, strict=True):
        if wrong := mistakes(value, kind):
            raise damaged(file, f"{name}: {wrong[0]}")
    specials, unknown, _, separator = kept
    for name, ids in ((_OWN, specials.values()), (_UNKNOWN, [unknown]), (_PARTS, [separator])):
        if strange := [i for i in ids if i is not None and backend.id_to_token(i) is None]:
            raise damaged(file, f"{name}: {JSON} has no token of the id {strange[0]}")
    return Tokenizer(backend, *kept)
