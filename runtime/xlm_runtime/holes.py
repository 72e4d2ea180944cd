"""Texts with holes: ``the [MASK*3] sat``, ``the [GAP] sat``.

A family that fills masks puts three tokens in the place of ``[MASK*3]``, and one in that of
``[MASK]``. A family that inserts decides on the number itself: ``[GAP]`` is any number of tokens,
none included, and nothing is inserted elsewhere. One that inserts masks does both.
"""

import re

from xlm_runtime.errors import UsageError
from xlm_runtime.plug import Example, Family
from xlm_runtime.tokenizers import Tokenizer

HOLE = re.compile(r"\[(?:GAP|MASK(?:\*(\d+))?)\]")


def has_holes(text: str) -> bool:
    """Whether a text says what is to be filled in."""
    return HOLE.search(text) is not None


def example(index: int, text: str, family: Family, tokenizer: Tokenizer) -> Example:
    """The example of a text with holes, whose other tokens are given.

    Raises UsageError for a hole that the family cannot fill, and for words without an id.
    """
    body: list[int] = []
    given: list[bool] = []
    gaps = [False]
    end = 0
    for hole in HOLE.finditer(text):
        _refuse(hole, text, family)
        _add(tokenizer.encode(text[end : hole.start()]), True, body, given, gaps)
        end = hole.end()
        if hole[0] == "[GAP]":
            gaps[-1] = True
        else:
            blank = tokenizer.vocabulary["mask" if family.inserts else "pad"]
            _add([blank] * int(hole[1] or 1), False, body, given, gaps)
    _add(tokenizer.encode(text[end:]), True, body, given, gaps)
    return Example(index, body, given=given, gaps=gaps if family.inserts else ())


def _add(ids: list[int], known: bool, body: list[int], given: list[bool], gaps: list[bool]) -> None:
    body += ids
    given += [known] * len(ids)
    gaps += [False] * len(ids)


def _refuse(hole: re.Match[str], text: str, family: Family) -> None:
    """A complaint about a hole of the wrong kind."""
    what, name = hole[0], family.name
    if what == "[GAP]" and not family.inserts:
        why = f"{name} fills a fixed number of places: write [MASK*3] for three tokens"
    elif what != "[GAP]" and family.inserts and "mask" not in family.specials:
        why = f"{name} inserts as many tokens as it finds missing: write [GAP]"
    elif what != "[GAP]" and "mask" not in family.specials:
        why = f"{name} goes on from a text and fills nothing in"
    elif hole[1] is not None and int(hole[1]) < 1:
        why = "a hole has at least one token"
    else:
        return
    raise UsageError(f"{what} in {text!r}: {why}")
