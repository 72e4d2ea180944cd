"""The roles of tokens: declared ones, borrowed ones, new ones."""

from collections.abc import Iterable, Mapping

from tokenizers import AddedToken
from tokenizers import Tokenizer as Backend

from xlm_runtime.system.errors import UsageError
from xlm_runtime.tokenizers.reader import own_unknown
from xlm_runtime.tokenizers.tokenizer import Tokenizer

_ROLES = ("eos", "pad", "mask", "cls", "bos")  # the order in which they choose a token
_ALIASES = {"bos": "cls", "eos": "sep"}  # what stands at the ends where nothing else is declared


def with_roles(
    backend: Backend,
    declared: Mapping[str, str],
    wanted: Iterable[str],
    template: str | None = None,
    *,
    sharing: bool = False,
    parting: bool = False,
    separator: int | None = None,
) -> Tokenizer:
    """Give every wanted role an id of its own: declared, borrowed (`_ALIASES`), or new.

    Unless ``sharing`` none is that of unknown words, which texts hold.
    """
    own = own_unknown(backend)
    named = {role: backend.token_to_id(token) for role, token in declared.items()}
    found = {role: i for role, i in named.items() if i is not None}
    if not parting:
        separator = None
    elif separator is None:
        ends = (found[role] for role in ("eos", "sep") if role in found)
        separator = next(ends, None)
        separator = _new(backend, "|endoftext|") if separator is None else separator
    taken = (separator,) if sharing else (separator, own)
    ids = {role: i for role, i in found.items() if i not in taken}
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
    unknown = unknown if own is None else own
    for role in ids:  # declared and not wanted: no body tokens either
        take(role, role)
    unknown = None if unknown in specials.values() else unknown
    return Tokenizer(backend, specials, unknown, template, separator)


def _new(backend: Backend, role: str) -> int:
    """Add a token for a role at the end of the vocabulary, which no text contains."""
    name = next(n for n in (f"<{role}>", f"<xlm-{role}>") if backend.token_to_id(n) is None)
    names = {i: token for token, i in backend.get_vocab(with_added_tokens=True).items()}
    backend.add_special_tokens([AddedToken(name, special=True, normalized=False)])
    new: int = backend.get_vocab(with_added_tokens=True)[name]
    if new in names:
        raise UsageError(
            f"the tokenizer has no room for new tokens: its ids have gaps, so that id {new} "
            f"would be both that of {names[new]!r} and of {name!r}; number its tokens without gaps"
        )
    return new
