"""Specs that made sense until something in them was changed."""

import re
from typing import Any

from families import specs
from hypothesis import strategies as st

from xlmc.syntax import grammar

TOKEN = re.compile(r'"[^"\n]*"|[A-Za-z_][\w.]*|[0-9][\w.]*(?:e-[0-9]+)?|->|\*\*|<=|>=|[^\s\w]')
WORDS = """
    t s x0 bound count length limit masked steps_left pi none alpha keep token slot done hidden
    loss clean mask gone tokens gaps cls bos eos pad prompt body text seq2seq infill given
    unchanged prefix following last append full causal logits chance dit rotary qwen2 pretrained
    condition sigma hazard reveal corrupted
    dsigma uniform events stratified antithetic cross_entropy joint_cross_entropy
    binary_cross_entropy visible geometric shifted
    sequences block sequence masks empty random confidence margin entropy
    left likeliest sampled temperature top_k top_p Count Chance Scale greedy one all min max sin
    cos tan exp log sqrt lambda self torch 0 1 2 0.5 1e-9 1e9 64 65 1e300 1e-300 0.0
    99999999999999999999 = + - * / ** ( ) , ' -1
"""


@st.composite
def mutated(draw: st.DrawFn, **kinds: Any) -> str:
    """A drawn spec with up to three changes: of tokens, or of lines."""
    text = draw(specs(**kinds))
    for _ in range(draw(st.sampled_from([1, 1, 2]))):
        text = draw(
            st.sampled_from([_replaced] * 4 + [_swapped] * 2 + [_dropped, _doubled, _moved])
        )(draw, text)
    return text


def _place(draw: st.DrawFn, text: str) -> re.Match[str]:
    found = list(TOKEN.finditer(text))
    if draw(st.integers(0, 19)):
        found = [place for place in found if _kind(place[0]) in ("name", "number")]
    return found[draw(st.integers(0, len(found) - 1))]


KEYWORDS = frozenset(grammar.keywords(grammar.parser()))


def _kind(token: str) -> str:
    """What a token could be replaced by without making nonsense."""
    if token in KEYWORDS:
        return "keyword"
    return "name" if token[0].isalpha() else "number" if token[0].isdigit() else "sign"


def _replaced(draw: st.DrawFn, text: str) -> str:
    """A name or number becomes another, of this spec or not; seldom any token any other."""
    place = _place(draw, text)
    pool = [*WORDS.split(), *(found[0] for found in TOKEN.finditer(text))]
    if draw(st.integers(0, 9)):
        pool = [word for word in pool if _kind(word) == _kind(place[0])]
    return text[: place.start()] + draw(st.sampled_from(sorted({*pool}))) + text[place.end() :]


def _swapped(draw: st.DrawFn, text: str) -> str:
    """Two tokens of a kind change places."""
    a, b = sorted([_place(draw, text), _place(draw, text)], key=lambda place: place.start())
    if a.start() == b.start() or _kind(a[0]) != _kind(b[0]):
        return text
    middle = text[a.end() : b.start()]
    return text[: a.start()] + b[0] + middle + a[0] + text[b.end() :]


def _line(draw: st.DrawFn, text: str) -> tuple[list[str], int]:
    lines = text.splitlines(keepends=True)
    return lines, draw(st.integers(1, len(lines) - 2))


def _dropped(draw: st.DrawFn, text: str) -> str:
    """A line goes; with it, where it opens a block, the block."""
    lines, i = _line(draw, text)
    j, depth = i, 0
    while j < len(lines):
        depth += lines[j].count("{") - lines[j].count("}")
        j += 1
        if depth <= 0:
            break
    return "".join([*lines[:i], *lines[j:]])


def _doubled(draw: st.DrawFn, text: str) -> str:
    """A line stands twice."""
    lines, i = _line(draw, text)
    return "".join([*lines[: i + 1], *lines[i:]])


def _moved(draw: st.DrawFn, text: str) -> str:
    """A line goes somewhere else."""
    lines, i = _line(draw, text)
    line = lines.pop(i)
    lines.insert(draw(st.integers(1, len(lines) - 1)), line)
    return "".join(lines)
