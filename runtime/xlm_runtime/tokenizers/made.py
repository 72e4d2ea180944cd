"""Tokenizers of our own making: words, letters, and a byte-level BPE trained on texts."""

from collections.abc import Iterable, Mapping, Sequence

from tokenizers import Regex, decoders, models, pre_tokenizers, trainers
from tokenizers import Tokenizer as Backend

from xlm_runtime.system.bounds import VOCABULARY
from xlm_runtime.system.errors import UsageError
from xlm_runtime.tokenizers.roles import with_roles
from xlm_runtime.tokenizers.tokenizer import Tokenizer

_PIECES = pre_tokenizers.Split(Regex(".{256}"), "isolated")


def words(labels: Sequence[str], specials: Iterable[str]) -> Tokenizer:
    """Build a tokenizer of words between spaces, one id each in order, then specials."""
    backend = Backend(models.WordLevel({label: i for i, label in enumerate(labels)}))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return with_roles(backend, {}, specials)


def bpe(texts: Iterable[str], size: int, specials: Iterable[str]) -> Tokenizer:
    """Train a byte-level BPE of at most ``size`` ids without specials; it can spell any text.

    Training reads words in pieces of 256 bytes: a longer one (Base64, DNA) takes time that grows
    with its square. Raises UsageError if ``size`` is less than the 256 bytes, or beyond bounds.
    """
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    if size < len(alphabet):
        raise UsageError(f"a byte-level BPE has at least {len(alphabet)} ids, not {size}")
    if size not in VOCABULARY:
        raise UsageError(f"the ids of a BPE: {VOCABULARY.refusal(size)}")
    words = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend = Backend(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.Sequence([words, _PIECES])
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=alphabet, show_progress=False, special_tokens=[]
    )
    backend.train_from_iterator(texts, trainer)
    backend.pre_tokenizer = words
    return with_roles(backend, {}, specials)


def letters(alphabet: str, specials: Iterable[str], *, parting: bool = False) -> Tokenizer:
    """Build a tokenizer with an id for each letter in order, one for others, then specials.

    Raises UsageError if a letter is named twice, or none is.
    """
    if len(set(alphabet)) != len(alphabet) or not alphabet.strip():
        raise UsageError(f"data.tokenizer=letters:{alphabet}: name every letter once")
    tokens = [*alphabet, "<unk>"]
    backend = spelling({token: i for i, token in enumerate(tokens)}, "<unk>")
    return with_roles(backend, {"unk": "<unk>"}, specials, parting=parting)


def spelling(vocab: Mapping[str, int], unknown: str) -> Backend:
    """Return a backend that reads texts letter by letter and ignores spaces."""
    backend = Backend(models.BPE(dict(vocab), [], unk_token=unknown))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    backend.decoder = decoders.Fuse()
    return backend
