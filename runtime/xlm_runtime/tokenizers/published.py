"""Published tokenizers: by their name on the Hub, a local file or a folder."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer as Backend

from xlm_runtime.errors import RunError, UsageError
from xlm_runtime.hub import reaching
from xlm_runtime.tokenizers.made import spelling
from xlm_runtime.tokenizers.roles import with_roles
from xlm_runtime.tokenizers.tokenizer import Tokenizer

SIZES = {  # checked: a loader that fails gives a few ids
    "bert-base-uncased": 30522,
    "gpt2": 50257,
    "facebook/esm2_t30_150M_UR50D": 33,
    "Qwen/Qwen2-0.5B": 151646,
}
_FILES = ("tokenizer.json", "tokenizer_config.json", "vocab.json", "vocab.txt", "tokenizer.model")
_NAMES = {
    "pad": ("[PAD]", "<pad>", "<|pad|>"),
    "mask": ("[MASK]", "<mask>", "<|mask|>", "<|mdm_mask|>"),
    "cls": ("[CLS]", "<cls>"),
    "sep": ("[SEP]", "<sep>"),
    "bos": ("<bos>", "<s>", "[BOS]", "<|beginoftext|>", "<|startoftext|>"),
    "eos": ("<eos>", "</s>", "[EOS]", "<|endoftext|>"),
    "unk": ("[UNK]", "<unk>"),
}


def of(backend: Backend, specials: Iterable[str]) -> Tokenizer:
    """A tokenizer of the library as one of ours: its special tokens are known by their names."""
    return with_roles(backend, _conventional(backend), specials)


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
    return with_roles(backend, declared, specials, template, sharing=sharing, parting=parting)


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
    try:
        return Backend.from_str(text)
    except Exception as error:  # of no class of its own
        raise UsageError(f"data.tokenizer={path}: it cannot be read: {error}") from error


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
    backend = spelling(tokenizer.get_vocab(), tokenizer.unk_token)
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
