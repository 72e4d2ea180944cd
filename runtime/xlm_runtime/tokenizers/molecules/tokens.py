"""Tokenizers of molecules: our own, and the published ones that come with code of their own.

None of them needs RDKit.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from string import ascii_letters, digits
from typing import Any

from tokenizers import AddedToken, Regex, decoders, models, pre_tokenizers
from tokenizers import Tokenizer as Backend

from xlm_runtime import tokenizers
from xlm_runtime.data import hub
from xlm_runtime.system.errors import UsageError
from xlm_runtime.system.reader import damaged, read_object
from xlm_runtime.system.strict import mistakes
from xlm_runtime.tokenizers import Tokenizer
from xlm_runtime.tokenizers.files import ANEW, backend, chosen

# the tokens of SMILES by Schwaller et al. 2019 (arXiv:1811.02633), as the published ones split it
_ATOMS = (
    r"\[[^\]]+\]|Br?|Cl?|N|O|S|P|F|I|b|c|n|o|s|p|\(|\)|\.|=|#|-|\+|\\|/|:|~|@|\?|>>?|\*|\$"
    r"|%\([0-9]{1,5}\)|%[0-9]{2}|[0-9]"
)
_OWN = r"\[nH\]|Cl|Br|<\d+>|."
_FILES = ("tokenizer.json", "vocab.json")
_SPECIALS = ("<bos>", "<eos>", "<mask>", "<pad>", "<unk>")  # before the words of a vocab.json


def own(specials: Iterable[str], labels: int = 0) -> Tokenizer:
    """Build a tokenizer of characters, chlorine, bromine, ``[nH]``, and ``<1>`` to ``<labels>``.

    It needs no training and can spell every molecule: other atoms in brackets are spelled out.
    """
    numbers = [f"<{i}>" for i in range(1, labels + 1)]
    every = ["[nH]", "Cl", "Br", *numbers, *ascii_letters, *digits, *"()[]=#$/\\@+-.:%<>*~"]
    backend = _words({token: i for i, token in enumerate(every)}, _OWN, "[UNK]")
    backend.add_special_tokens(["[UNK]"])
    return tokenizers.of(backend, specials)


def published(name: str, specials: Iterable[str], instead: str) -> Tokenizer:
    """Load the tokenizer of a repository on the Hub or of a folder, with our own splitter.

    ``vocab.json``: words, to whose ids five specials are prepended (``yairschiff/qm9-tokenizer``).
    ``tokenizer.json``: that of SAFE (``datamol-io/safe-gpt``), whose own splitter is no part of
    the file; `<` and `>` are added, as GenMol does. Raises RunError and UsageError.
    """
    folder = Path(name)
    if not folder.is_dir():
        folder = hub.snapshot(name, _FILES, instead, "tokenizer")
    file = next((folder / one for one in _FILES if (folder / one).is_file()), None)
    if file is None:
        raise UsageError(f"data.tokenizer={name}: there is neither {' nor '.join(_FILES)}")
    with chosen(name):
        plain = read_object(file, ANEW)
        made = _of_vocab(plain, file) if file.name == "vocab.json" else _of_safe(plain, file)
    return tokenizers.of(made, specials)


def _of_vocab(words: dict[str, Any], file: Path) -> Backend:
    if not words or mistakes(words, dict[str, int]):
        raise damaged(file, "it is no object of words and their ids", ANEW)
    ids = {token: i for i, token in enumerate(_SPECIALS)}
    backend = _words(ids | {w: i + len(ids) for w, i in words.items()}, _ATOMS, "<unk>")
    backend.add_special_tokens(list(_SPECIALS))
    return backend


def _of_safe(plain: dict[str, Any], file: Path) -> Backend:
    kept = ("version", "truncation", "padding", "added_tokens", "normalizer", "model", "decoder")
    if missing := [key for key in kept if key not in plain]:
        raise damaged(file, f"it has no {missing[0]}", ANEW)
    data = {key: plain[key] for key in kept}
    split = json.loads(_split(_ATOMS).__getstate__())
    spec = {**data, "pre_tokenizer": split, "post_processor": None}
    made = backend(spec, file, ANEW)
    made.add_tokens([AddedToken(token, normalized=False) for token in ("<", ">")])
    return made


def _words(ids: dict[str, int], pattern: str, unknown: str) -> Backend:
    ids = {**ids} if unknown in ids else {**ids, unknown: len(ids)}
    backend = Backend(models.WordLevel(ids, unk_token=unknown))
    backend.pre_tokenizer = _split(pattern)
    backend.decoder = decoders.Fuse()
    return backend


def _split(pattern: str) -> pre_tokenizers.Split:
    return pre_tokenizers.Split(Regex(pattern), "isolated")
