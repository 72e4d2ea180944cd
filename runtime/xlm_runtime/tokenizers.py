"""Tokenizers: text to ids and back, with the special tokens that a family needs.

One class over the fast tokenizers of Hugging Face: published ones, local files, ones trained here,
and plain words. Special tokens never come out of a text, whatever the text says.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, decoders, models, pre_tokenizers, trainers
from tokenizers import Tokenizer as Backend

from xlm_runtime.errors import RunError, UsageError
from xlm_runtime.hub import reaching
from xlm_runtime.plug import Vocabulary

__all__ = ["Tokenizer", "before", "bpe", "load", "of", "pretrained", "words"]

SIZES = {  # checked: a loader that fails gives a few ids
    "bert-base-uncased": 30522,
    "gpt2": 50257,
    "facebook/esm2_t30_150M_UR50D": 33,
    "Qwen/Qwen2-0.5B": 151646,
}
_ROLES = ("eos", "pad", "mask", "cls", "bos")  # the order in which they choose a token
_ALIASES = {"bos": "cls", "eos": "sep"}  # what stands at the ends where nothing else is declared
_FILES = ("tokenizer.json", "tokenizer_config.json", "vocab.json", "vocab.txt", "tokenizer.model")
_MESSAGE = "a message that nobody writes"
_NAMES = {
    "pad": ("[PAD]", "<pad>", "<|pad|>"),
    "mask": ("[MASK]", "<mask>", "<|mask|>", "<|mdm_mask|>"),
    "cls": ("[CLS]", "<cls>"),
    "sep": ("[SEP]", "<sep>"),
    "bos": ("<bos>", "<s>", "[BOS]", "<|beginoftext|>", "<|startoftext|>"),
    "eos": ("<eos>", "</s>", "[EOS]", "<|endoftext|>"),
    "unk": ("[UNK]", "<unk>"),
}


class Tokenizer:
    """Text ↔ ids.  ``specials`` maps roles (``pad``, ``mask``, ``bos``, ``eos``, ``cls``) to ids.

    ``unknown`` is the id that stands for what the vocabulary lacks, or None where nothing does;
    ``template`` the chat template that it was published with, or None; ``separator`` the body token
    that parts the documents of a row, or None where a row holds one.
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
        backend.encode_special_tokens = True  # "[MASK]" in a text is text; no file keeps this
        self._backend = backend
        self.unknown = unknown
        self.template = template
        self.separator = separator
        vocab = backend.get_vocab(with_added_tokens=True)
        self.vocabulary = Vocabulary(max(vocab.values()) + 1, dict(specials))
        self._special_ids = frozenset(specials.values())
        closed = isinstance(backend.model, models.WordLevel) and unknown is None
        body = sorted((i, word) for word, i in vocab.items() if i not in self._special_ids)
        self._words = [word for _, word in body] if closed else None

    def encode(self, text: str) -> list[int]:
        """The ids of a text, without specials.  Raises UsageError for words of no known id."""
        self._refuse(text)
        ids: list[int] = self._backend.encode(text, add_special_tokens=False).ids
        return ids

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        """`encode` of each text, on all cores."""
        for text in texts:
            self._refuse(text)
        encodings = self._backend.encode_batch_fast(list(texts), add_special_tokens=False)
        return [encoding.ids for encoding in encodings]

    def known(self, text: str) -> tuple[list[int], int]:
        """The ids of a text, and how many of its words have none: ``pad`` stands for those."""
        pad = self.vocabulary["pad"]
        if self._words is None:
            ids = [pad if i == self.unknown else i for i in self.encode(text)]
            return ids, ids.count(pad)
        ids = []
        for word in text.split():
            ids += self.encode(word) if word in self._words else [pad]
        return ids, ids.count(pad)

    def chat(self, text: str) -> list[int]:
        """The ids of a user's message in the chat template, ready for the answer to follow.

        Special tokens of the template are such, those in the message are text. Message and template
        are encoded apart. Raises UsageError where there is no template, or one that fails.
        """
        before, after = self._around
        return [*before, *self.encode(text), *after]

    @cached_property
    def _around(self) -> tuple[list[int], list[int]]:
        """What the chat template puts before and after a message."""
        if self.template is None:
            raise UsageError("the tokenizer has no chat template: leave data.chat=false")
        backend = Backend.from_str(self._backend.to_str())
        backend.encode_special_tokens = False
        parts = [
            backend.encode(part, add_special_tokens=False).ids
            for part in self._rendered(_MESSAGE).split(_MESSAGE)
        ]
        if len(parts) != 2:
            raise UsageError("the chat template does not repeat a user's message once as it is")
        return parts[0], parts[1]

    def _rendered(self, text: str) -> str:
        from jinja2 import TemplateError
        from transformers import PreTrainedTokenizerFast

        named = {
            f"{role}_token": self._backend.id_to_token(i)
            for role, i in self.vocabulary.specials.items()
        }
        made: Any = PreTrainedTokenizerFast(tokenizer_object=self._backend, **named)  # type: ignore[no-untyped-call]
        said = [{"role": "user", "content": text}]
        try:
            return str(
                made.apply_chat_template(
                    said, chat_template=self.template, tokenize=False, add_generation_prompt=True
                )
            )
        except (TemplateError, TypeError, ValueError) as error:
            raise UsageError(f"the tokenizer's chat template fails: {error}") from error

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids; specials are left out."""
        kept = [int(i) for i in ids if int(i) not in self._special_ids]
        text: str = self._backend.decode(kept, skip_special_tokens=False)
        return text

    def body(self, ids: Iterable[int]) -> list[int]:
        """Generated ids up to the first ``eos`` or ``pad``.

        Other specials stay where they are: a mask that was never filled is a mistake, not a gap.
        """
        ends = {self.vocabulary.specials.get("eos"), self.vocabulary.specials.get("pad")}
        kept: list[int] = []
        for i in map(int, ids):
            if i in ends:
                break
            kept.append(i)
        return kept

    def until(self, ids: Iterable[int], stops: Sequence[str]) -> list[int]:
        """Ids up to the first of the strings, a token that it begins within apart.

        Strings are looked for in the text, however it is divided into tokens.
        """
        kept = list(ids)
        whole = self.decode(kept)
        text = before(whole, stops)
        if text == whole:
            return kept
        fits = (k for k in range(len(kept), 0, -1) if text.startswith(self.decode(kept[:k])))
        return kept[: next(fits, 0)]

    @property
    def fingerprint(self) -> str:
        """A digest of everything that shapes ids."""
        parts = [self._backend.to_str(), sorted(self.vocabulary.specials.items())]
        own = [] if self.separator is None else [self.separator]
        state = json.dumps([*parts, *own])
        return blake2b(state.encode(), digest_size=16).hexdigest()

    def save(self, folder: Path) -> None:
        """Write ``tokenizer.json`` and ``tokenizer_config.json``; transformers reads them too."""
        folder.mkdir(parents=True, exist_ok=True)
        self._backend.save(str(folder / "tokenizer.json"))
        specials = dict(self.vocabulary.specials)
        named = {f"{role}_token": self._backend.id_to_token(i) for role, i in specials.items()}
        config = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            **named,
            "xlm_specials": specials,
            "xlm_unknown": self.unknown,
            "xlm_separator": self.separator,
            **({} if self.template is None else {"chat_template": self.template}),
        }
        text = json.dumps(config, indent=1)
        (folder / "tokenizer_config.json").write_text(text, encoding="utf-8")

    def _refuse(self, text: str) -> None:
        """A vocabulary of words without an unknown one has an id for none but its words."""
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
            "backend": self._backend.to_str(),
            "specials": dict(self.vocabulary.specials),
            "unknown": self.unknown,
            "template": self.template,
            "separator": self.separator,
        }

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        backend = Backend.from_str(state["backend"])
        parts = (state["specials"], state["unknown"], state["template"], state["separator"])
        self.__init__(backend, *parts)  # type: ignore[misc]


def before(text: str, stops: Sequence[str]) -> str:
    """A text up to the first of some strings, which are no part of it."""
    found = [text.find(stop) for stop in stops if stop in text]
    return text[: min(found)] if found else text


def words(labels: Sequence[str], specials: Iterable[str]) -> Tokenizer:
    """Words between spaces, one id each in their order; the specials come after them."""
    backend = Backend(models.WordLevel({label: i for i, label in enumerate(labels)}))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return _with_specials(backend, {}, specials)


def of(backend: Backend, specials: Iterable[str]) -> Tokenizer:
    """A tokenizer of the library as one of ours: its special tokens are known by their names."""
    return _with_specials(backend, _conventional(backend), specials)


def bpe(texts: Iterable[str], size: int, specials: Iterable[str]) -> Tokenizer:
    """A byte-level BPE of at most ``size`` ids, specials apart; it can spell any text.

    Raises UsageError where ``size`` is less than the 256 bytes.
    """
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    if size < len(alphabet):
        raise UsageError(f"a byte-level BPE has at least {len(alphabet)} ids, not {size}")
    backend = Backend(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=alphabet, show_progress=False, special_tokens=[]
    )
    backend.train_from_iterator(texts, trainer)
    return _with_specials(backend, {}, specials)


def load(folder: Path) -> Tokenizer:
    """What `Tokenizer.save` wrote.  Raises RunError where it is not there."""
    try:
        backend = Backend.from_str((folder / "tokenizer.json").read_text(encoding="utf-8"))
        config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        parts = (config["xlm_specials"], config["xlm_unknown"], config.get("chat_template"))
        return Tokenizer(backend, *parts, config.get("xlm_separator"))
    except (FileNotFoundError, KeyError) as error:
        raise RunError(f"{folder} holds no tokenizer of a run: {error}") from error


def letters(alphabet: str, specials: Iterable[str], *, parting: bool = False) -> Tokenizer:
    """One id for each letter, in their order, and one for all others; specials come last.

    Raises UsageError where a letter is named twice, or none is.
    """
    if len(set(alphabet)) != len(alphabet) or not alphabet.strip():
        raise UsageError(f"data.tokenizer=letters:{alphabet}: name every letter once")
    tokens = [*alphabet, "<unk>"]
    backend = _spelling({token: i for i, token in enumerate(tokens)}, "<unk>")
    return _with_specials(backend, {"unk": "<unk>"}, specials, parting=parting)


def _spelling(vocab: Mapping[str, int], unknown: str) -> Backend:
    """Texts letter by letter; spaces mean nothing."""
    backend = Backend(models.BPE(dict(vocab), [], unk_token=unknown))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    backend.decoder = decoders.Fuse()
    return backend


def pretrained(
    name: str,
    specials: Iterable[str],
    instead: str = "",
    *,
    sharing: bool = False,
    parting: bool = False,
) -> Tokenizer:
    """A published tokenizer by its name on the Hub, or a local ``tokenizer.json`` or folder.

    Tokens that it declares for a role are used, and those that are special and have a usual name; a
    role that has none gets a new id at the end. No two roles share one, unless ``sharing``: then
    those that declare the same token do. With ``parting`` the token that is declared for the end of
    a text, or a new one, parts documents: a body token, and no role's. Raises RunError where it
    cannot be had (``instead`` says what else can be done), UsageError where it is no tokenizer.
    """
    path = Path(name)
    template = None
    if path.is_file():
        backend = _from_file(path)
        declared = _conventional(backend)
    else:
        backend, declared, template = _from_transformers(name, path, instead)
        declared = _conventional(backend) | declared
    _check_size(backend, name)
    return _with_specials(backend, declared, specials, template, sharing=sharing, parting=parting)


def _from_file(path: Path) -> Backend:
    try:
        text = path.read_text(encoding="utf-8")
        known = json.loads(text)["model"]["type"]
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"data.tokenizer={path}: not a tokenizer.json of a fast tokenizer ({error!r})"
        ) from error
    if known not in ("BPE", "WordPiece", "WordLevel", "Unigram"):
        raise UsageError(f"data.tokenizer={path}: unknown model '{known}'")
    return Backend.from_str(text)


def _from_transformers(
    name: str, folder: Path, instead: str
) -> tuple[Backend, dict[str, str], str | None]:
    """The fast form of a tokenizer, its tokens by their roles, and its chat template."""
    local = folder.is_dir()
    if local and not any((folder / file).is_file() for file in _FILES):
        raise UsageError(f"{name} has no tokenizer: name one with data.tokenizer")
    with reaching(f"the tokenizer {name}", instead):
        from transformers import AutoTokenizer, Qwen2Tokenizer

        # the byte-level BPE of Qwen2 in files that only code of their own would read
        plain = local and not (folder / "tokenizer.json").is_file()
        spelt = plain and (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file()
        try:
            tokenizer = (Qwen2Tokenizer if spelt else AutoTokenizer).from_pretrained(
                name, local_files_only=local, trust_remote_code=False
            )
        except ValueError as error:
            raise UsageError(
                f"data.tokenizer={name}: it cannot be read without running code of its own: {error}"
            ) from error
    backend = getattr(tokenizer, "backend_tokenizer", None) or _spelled(tokenizer)
    if backend is None:
        raise UsageError(f"data.tokenizer={name}: it has no fast form, and so no tokenizer.json")
    roles = ("pad", "mask", "cls", "sep", "bos", "eos", "unk")
    named = {role: getattr(tokenizer, f"{role}_token", None) for role in roles}
    template = getattr(tokenizer, "chat_template", None)
    return (
        backend,
        {role: token for role, token in named.items() if token},
        template if isinstance(template, str) else None,
    )


def _spelled(tokenizer: Any) -> Backend | None:
    """The fast form of ESM's tokenizer of proteins, which is published without one.

    It is a list of tokens, one for each letter beside the specials.
    """
    if type(tokenizer).__name__ != "EsmTokenizer":
        return None
    backend = _spelling(tokenizer.get_vocab(), tokenizer.unk_token)
    backend.add_special_tokens(list(tokenizer.all_special_tokens))
    return backend


def _conventional(backend: Backend) -> dict[str, str]:
    """The roles of special tokens, by their usual names."""
    special = {token.content for token in backend.get_added_tokens_decoder().values()}
    return {
        role: next(name for name in names if name in special)
        for role, names in _NAMES.items()
        if special.intersection(names)
    }


def _check_size(backend: Backend, name: str) -> None:
    size = backend.get_vocab_size(with_added_tokens=True)
    expected = SIZES.get(name, size)
    if size != expected or size < 32:
        raise RunError(
            f"the tokenizer {name} came with {size} ids"
            + (f" instead of {expected}" if size != expected else "")
            + ": its files are incomplete; remove them and fetch it again"
        )


def _with_specials(
    backend: Backend,
    declared: Mapping[str, str],
    wanted: Iterable[str],
    template: str | None = None,
    *,
    sharing: bool = False,
    parting: bool = False,
) -> Tokenizer:
    """Give every wanted role an id of its own: declared, borrowed (`_ALIASES`), or new."""
    found = {role: backend.token_to_id(token) for role, token in declared.items()}
    separator = None
    if parting:
        ends = (found[role] for role in ("eos", "sep") if found.get(role) is not None)
        separator = next(ends, None)
        separator = _new(backend, "|endoftext|") if separator is None else separator
    ids = {role: i for role, i in found.items() if i not in (None, separator)}
    roles = sorted(set(wanted), key=lambda r: (_ROLES.index(r) if r in _ROLES else 9, r))
    specials: dict[str, int] = {}

    def take(role: str, source: str) -> None:
        free = source in ids and (
            ids[source] not in specials.values() or (sharing and role == source)
        )
        if role not in specials and free:
            specials[role] = ids[source]

    for role in roles:
        take(role, role)
    for role in roles:
        take(role, _ALIASES.get(role, role))
    for role in roles:
        if role not in specials:
            specials[role] = _new(backend, role)
    unknown = ids.pop("unk", None)
    for role in ids:  # declared and not wanted: no body tokens either
        take(role, role)
    unknown = None if unknown in specials.values() else unknown
    return Tokenizer(backend, specials, unknown, template, separator)


def _new(backend: Backend, role: str) -> int:
    """The id of a new token at the end of the vocabulary, which no text holds."""
    name = next(n for n in (f"<{role}>", f"<xlm-{role}>") if backend.token_to_id(n) is None)
    backend.add_special_tokens([AddedToken(name, special=True, normalized=False)])
    return backend.get_vocab(with_added_tokens=True)[name]
