"""A page of the reference for each word, made from the word itself."""

from collections.abc import Iterable, Iterator

from xlmc.diagnostics.diagnostic import suggest
from xlmc.theory.needs import Need, home
from xlmc.words.base import Word
from xlmc.words.divergences.base import Divergence, Use
from xlmc.words.slots import every

PLACES = {"tokens": "at tokens", "gaps": "at gaps", "special": "at a special token"}


def page(name: str) -> str:
    """Return what `xlmc explain WORD` prints; "" for no word."""
    known = [*every()]
    own = [word for word in known if word.name == name]
    own += [word for word in known if word.name.startswith(f"{name} ")]
    found = own or [word for word in known if word.named(name)]
    return "\n\n".join(part for word in found for part in _parts(word))


def nearest(name: str) -> str:
    """Return a hint at the word that an unknown one may be meant to be."""
    return suggest(name, [word.name for word in every()])


def _parts(word: Word) -> Iterator[str]:
    yield f"{word.name}: {word.slot}"
    yield word.meaning
    yield f"Form:     {word.form}\nExample:  {word.example}"
    if word.default:
        yield f"Default:  {word.default}"
    if word.needs:
        yield f"Needs:    {_needs(word.needs)}"
    if word.values:
        yield "\n".join(f"  {value}: {meaning}" for value, meaning in word.values)
    for option in word.options:
        yield f"Option `{option.name}`, a {option.kind}: {option.meaning}"
    if isinstance(word, Divergence):
        yield from map(_use, word.uses)


def _use(use: Use) -> str:
    lines = [
        f"  {use.example}",
        f"    {use.meaning}",
        f"    under {home(use.needs)}; the head is of `{use.head}`, {PLACES[use.place]}",
    ]
    return "\n".join(lines)


def _needs(needs: Iterable[Need]) -> str:
    return " and ".join(need.meaning for need in needs)
