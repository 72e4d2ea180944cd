"""Names for a drawn spec: natural ones, those of the generated code, or any."""

import keyword
import re
from functools import cache

from hypothesis import strategies as st

from families.compiled import ROOT
from xlmc.check import words
from xlmc.syntax import grammar

_KEYWORDS = frozenset(grammar.keywords(grammar.parser())) - grammar.SOFT


@cache
def spoken() -> tuple[str, ...]:
    """Every name in the code of the examples: what a name in a spec could collide with."""
    texts = [path.read_text("utf-8") for path in sorted(ROOT.glob("examples/*/*.py"))]
    found = {word for text in texts for word in re.findall(r"[A-Za-z_]\w*", text)}
    return tuple(sorted(word for word in found if usable(word)))


def usable(word: str) -> bool:
    """Return whether the grammar takes a word as a name."""
    kept = word in _KEYWORDS or word == "chance"  # which begins conditions and amounts, too
    return word.isascii() and not kept and not keyword.iskeyword(word)


def allowed(word: str, kind: str) -> bool:
    """Return whether the checks let a word be the name of a head, a param, ..."""
    return usable(word) and not words.why_reserved(word, kind)


@st.composite
def names(draw: st.DrawFn, kind: str, taken: set[str], *natural: str) -> str:
    """A name that nothing else has: a natural one, one of the generated code's, or any."""
    word = draw(
        st.one_of(
            st.sampled_from(natural),
            st.sampled_from(natural),
            st.sampled_from(spoken()),
            st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,9}", fullmatch=True),
        ).filter(lambda word: word not in taken and allowed(word, kind))
    )
    taken.add(word)
    return word
