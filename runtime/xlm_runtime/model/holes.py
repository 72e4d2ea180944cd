r"""Texts with holes: ``the [MASK*3] sat``, ``the [GAP] sat``.

A family that fills masks puts three tokens in the place of ``[MASK*3]``, and one in that of
``[MASK]``. A family that inserts decides on the number itself: ``[GAP]`` is any number of tokens,
none included, and nothing is inserted elsewhere. One that inserts masks does both.

A backslash before it makes it text: ``\[GAP]`` is the text ``[GAP]``, and ``\\[GAP]`` a backslash
and a hole. Before anything else a backslash is a backslash.
"""

import re

from attrs import frozen

from xlm_runtime.plug import Example, Family
from xlm_runtime.system.errors import UsageError
from xlm_runtime.tokenizers import Tokenizer

_HOLE = re.compile(r"(?P<slashes>\\*)(?P<name>\[(?:GAP|MASK(?:\*(?P<count>\d+))?)\])")

_GAP, _MANY = "[GAP]", 10**9


@frozen
class Hole:
    """A place to be filled in: its name, ``[MASK*3]``, and its tokens; a gap begins without any."""

    name: str
    count: int


def parts(text: str) -> list[str | Hole]:
    """Split a text into texts and holes, alternately; the first and the last are texts."""
    found: list[str | Hole] = []
    here, end = "", 0
    for match in _HOLE.finditer(text):
        slashes = len(match["slashes"])
        here += text[end : match.start()] + "\\" * (slashes // 2)
        end = match.end()
        if slashes % 2:
            here += match["name"]
        else:
            found += [here, Hole(match["name"], _count(match))]
            here = ""
    return [*found, here + text[end:]]


def _count(hole: re.Match[str]) -> int:
    """Return the number of tokens of a hole; huge numbers become one that never fits."""
    digits = hole["count"] or "1"
    if hole["name"] == _GAP:
        return 0
    return int(digits) if len(digits) < len(str(_MANY)) else _MANY


def has_holes(text: str) -> bool:
    """Return whether a text has holes."""
    return len(parts(text)) > 1


def first(text: str) -> str:
    """Return the name of the first hole of a text that has some."""
    return next(part.name for part in parts(text) if isinstance(part, Hole))


def plain(text: str) -> str:
    """Unescape a text without holes."""
    (whole,) = parts(text)
    assert isinstance(whole, str)
    return whole


def example(index: int, text: str, family: Family, tokenizer: Tokenizer, room: int) -> Example:
    """Build the example of a text with holes, whose other tokens are given.

    Raises UsageError for a hole that the family cannot fill, for words without an id, and for a
    text of more than ``room`` tokens.
    """
    pieces = [tokenizer.encode(one) if isinstance(one, str) else one for one in parts(text)]
    for hole in (piece for piece in pieces if isinstance(piece, Hole)):
        _refuse(hole, text, family)
    size = sum(piece.count if isinstance(piece, Hole) else len(piece) for piece in pieces)
    if size > room:
        raise UsageError(f"the text has {size} tokens, and there is room for {room}: {text!r}")
    body: list[int] = []
    given: list[bool] = []
    gaps = [False]
    for piece in pieces:
        if not isinstance(piece, Hole):
            _add(piece, True, body, given, gaps)
        elif piece.name == _GAP:
            gaps[-1] = True
        else:
            blank = tokenizer.vocabulary["mask" if family.inserts else "pad"]
            _add([blank] * piece.count, False, body, given, gaps)
    return Example(index, body, given=given, gaps=gaps if family.inserts else ())


def _add(ids: list[int], known: bool, body: list[int], given: list[bool], gaps: list[bool]) -> None:
    body += ids
    given += [known] * len(ids)
    gaps += [False] * len(ids)


def _refuse(hole: Hole, text: str, family: Family) -> None:
    """Refuse a hole of the wrong kind."""
    what, name = hole.name, family.name
    fills = "mask" in family.specials or (family.corrupt is not None and not family.inserts)
    if not (family.inserts or fills):
        why = f"{name} continues a text and fills no holes"
    elif what == _GAP and not family.inserts:
        why = f"{name} fills a fixed number of places: write [MASK*3] for three tokens"
    elif what != _GAP and not fills:
        why = f"{name} inserts as many tokens as it predicts: write [GAP]"
    elif what != _GAP and hole.count < 1:
        why = "a hole has at least one token"
    else:
        return
    raise UsageError(f"{what} in {text!r}: {why}; write {escaped(what)} for the text itself")


def literal(text: str) -> str:
    """Escape a text so that none of it is a hole, the inverse of `plain`."""
    return _HOLE.sub(lambda one: "\\" * (2 * len(one["slashes"]) + 1) + one["name"], text)


def escaped(hole: str) -> str:
    """Escape a hole for a prompt."""
    return "\\" + hole
