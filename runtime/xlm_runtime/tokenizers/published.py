"""Published tokenizers: by their name on the Hub, a local file or a folder."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen
from tokenizers import Tokenizer as Backend

from xlm_runtime.data.hub import reaching
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.system.reader import damaged, read_object
from xlm_runtime.system.strict import mistakes
from xlm_runtime.tokenizers.files import ANEW, DECLARING, JSON, chosen, read_backend
from xlm_runtime.tokenizers.made import spelling
from xlm_runtime.tokenizers.roles import with_roles
from xlm_runtime.tokenizers.tokenizer import Tokenizer, is_saved, load

SIZES = {  # checked: a loader that fails gives a few ids
    "bert-base-uncased": 30522,
    "gpt2": 50257,
    "facebook/esm2_t30_150M_UR50D": 33,
    "Qwen/Qwen2-0.5B": 151646,
}
_LEAST = 32  # ids: those of proteins
_FILES = (JSON, *DECLARING, "vocab.txt", "tokenizer.model")
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
    """Wrap a tokenizer of the library; its special tokens get roles by their usual names."""
    return with_roles(backend, _conventional(backend), specials)


def pretrained(
    name: str,
    specials: Iterable[str],
    instead: str = "",
    *,
    sharing: bool = False,
    parting: bool = False,
) -> Tokenizer:
    """Load a published tokenizer by its name on the Hub, or a ``tokenizer.json`` or folder.

    Tokens that it declares for a role are used, and those that are special and have a usual name;
    a role that has none gets a new id at the end. No two roles share one, unless ``sharing``: then
    those that declare the same token do. With ``parting`` the token that is declared for the end
    of a text, or a new one, separates documents: a body token, and no role's. Raises RunError if
    it cannot be fetched (``instead`` is the remedy), UsageError if it is no tokenizer.
    """
    path = Path(name)
    found = _of_file(path) if path.is_file() else _of_folder(name, path, instead)
    _check_size(found.backend, name)
    return with_roles(
        found.backend,
        found.declared,
        specials,
        found.template,
        sharing=sharing,
        parting=parting,
        separator=found.separator,
    )


@frozen(eq=False)
class _Found:
    """The ids of a published tokenizer, and what is declared beside them."""

    backend: Backend
    declared: Mapping[str, str]
    template: str | None = None
    separator: int | None = None


def _of_file(path: Path) -> _Found:
    with chosen(str(path)):
        backend = read_backend(path, ANEW)
    return _Found(backend, _conventional(backend))


def _of_folder(name: str, folder: Path, instead: str) -> _Found:
    """Load the tokenizer of a folder or repository: its ``tokenizer.json``, if it has one.

    Then transformers contributes roles and the chat template, but no ids: the class that it
    chooses by other files may divide texts in another way.
    """
    if folder.is_dir():
        if not any((folder / file).is_file() for file in _FILES):
            raise UsageError(f"{name} has no tokenizer: name one with data.tokenizer")
        with chosen(name):
            _check_declaring(folder)
            if is_saved(folder):
                own = load(folder)
                return _Found(own.backend, own.names, own.template, own.separator)
    with reaching(f"the tokenizer {name}", instead):
        file = _json_of(name, folder)
        with chosen(name):
            known = None if file is None else read_backend(file, ANEW)
        theirs = _transformers(name, folder, whole=known is not None)
    backend = _converted(theirs, name) if known is None else known
    if known is not None:
        _add_declared(backend, theirs, name)
    template = getattr(theirs, "chat_template", None)
    declared = _conventional(backend) | _roles(theirs, backend)
    return _Found(backend, declared, template if isinstance(template, str) else None)


def _json_of(name: str, folder: Path) -> Path | None:
    """Return the ``tokenizer.json`` of a folder or a repository, if there is one."""
    if folder.is_dir():
        return folder / JSON if (folder / JSON).is_file() else None
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    try:
        return Path(hf_hub_download(name, JSON))
    except EntryNotFoundError:  # or neither here nor within reach: then nothing else is
        return None


def _transformers(name: str, folder: Path, *, whole: bool) -> Any:
    """Load a tokenizer with transformers; ``whole`` if a ``tokenizer.json`` is complete."""
    from transformers import AutoTokenizer, PreTrainedTokenizerFast, Qwen2Tokenizer

    local = folder.is_dir()
    # the byte-level BPE of Qwen2 in files that only code of their own would read
    spelt = local and (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file()
    kind: Any = PreTrainedTokenizerFast if whole else Qwen2Tokenizer if spelt else AutoTokenizer
    try:
        return kind.from_pretrained(name, local_files_only=local, trust_remote_code=False)
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        why = "without running code of its own" if "trust_remote_code" in str(error) else "as it is"
        raise UsageError(
            f"data.tokenizer={name}: it cannot be read {why}: {error}; {ANEW}"
        ) from error


def _check_declaring(folder: Path) -> None:
    """Check the files that add declarations to a tokenizer.  Raises RunError for damage."""
    for file in (folder / name for name in DECLARING):
        found = read_object(file, ANEW) if file.is_file() else {}
        if wrong := mistakes(found.get("added_tokens_decoder", {}), dict[str, dict[str, Any]]):
            raise damaged(file, f"added_tokens_decoder: {wrong[0]}", ANEW)


def _converted(theirs: Any, name: str) -> Backend:
    """Return the fast form that transformers makes of other files."""
    found: Backend | None = getattr(theirs, "backend_tokenizer", None) or _spelled(theirs)
    if found is None:
        raise UsageError(f"data.tokenizer={name}: it has no fast form, and so no {JSON}")
    return found


def _add_declared(backend: Backend, theirs: Any, name: str) -> None:
    """Add the tokens that other files declare and ``tokenizer.json`` lacks, at their ids."""
    declared = theirs.init_kwargs.get("added_tokens_decoder") or {}
    for i, token in sorted(declared.items()):
        if backend.token_to_id(token.content) is None:
            backend.add_tokens([token])
            if backend.token_to_id(token.content) != i:
                raise UsageError(
                    f"data.tokenizer={name}: {JSON} lacks the token {token.content!r}, for which "
                    f"other files have the id {i}; there it would be "
                    f"{backend.token_to_id(token.content)}: name a {JSON} that has all tokens"
                )


def _roles(theirs: Any, backend: Backend) -> dict[str, str]:
    """Return the tokens that are declared for roles and exist."""
    roles = ("pad", "mask", "cls", "sep", "bos", "eos", "unk")
    named = {role: getattr(theirs, f"{role}_token", None) for role in roles}
    return {
        role: token
        for role, token in named.items()
        if token and backend.token_to_id(token) is not None
    }


def _spelled(tokenizer: Any) -> Backend | None:
    """Build the fast form of ESM's tokenizer of proteins, which is published without one.

    It is a list of tokens, one for each letter beside the specials.
    """
    if type(tokenizer).__name__ != "EsmTokenizer":
        return None
    backend = spelling(tokenizer.get_vocab(), tokenizer.unk_token)
    backend.add_special_tokens(list(tokenizer.all_special_tokens))
    return backend


def _conventional(backend: Backend) -> dict[str, str]:
    """Return the roles of special tokens, by their usual names."""
    special = {token.content for token in backend.get_added_tokens_decoder().values()}
    return {
        role: next(name for name in names if name in special)
        for role, names in _NAMES.items()
        if special.intersection(names)
    }


def _check_size(backend: Backend, name: str) -> None:
    size = backend.get_vocab_size(with_added_tokens=True)
    expected = SIZES.get(name, size)
    if size != expected or size < _LEAST:
        raise RunError(
            f"the tokenizer {name} came with {size} ids"
            + (f" instead of {expected}" if size != expected else "")
            + ": its files are incomplete; remove them and fetch it again"
        )
