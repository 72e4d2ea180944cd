"""The words of each slot of the language, by their names."""

from collections.abc import Iterator

from xlmc.words import arrows, backbones, heads, layouts, registry, terms
from xlmc.words.backbones.base import Backbone
from xlmc.words.base import Word
from xlmc.words.heads.base import Head
from xlmc.words.layouts.base import Layout


def head_words() -> dict[str, Head]:
    """Return the kinds of heads."""
    return registry.words(heads, Head)


def backbone_words() -> dict[str, Backbone]:
    """Return the backbones."""
    return registry.words(backbones, Backbone)


def layout_words() -> dict[str, Layout]:
    """Return the layouts."""
    return registry.words(layouts, Layout)


def every() -> Iterator[Word]:
    """Yield all words, slot by slot."""
    for slot in (arrows.known(), head_words(), backbone_words(), terms.known(), layout_words()):
        yield from slot.values()
