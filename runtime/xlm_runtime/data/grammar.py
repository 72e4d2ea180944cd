r"""Unambiguous context-free grammars: drawing, recognising and counting sentences.

A grammar is a text with one line for each symbol, ``symbol: ways``. Ways are separated by ``|``; a
way is a sequence of symbols and words, after its weight if that is not 1: ``s: 2 np vp | np
"thinks" s``. Words are in quotes; a line that begins with ``|`` continues the line before it. The
first symbol is the start symbol.

A grammar must be LALR(1): Lark in ``strict`` mode builds a parser only if there is no conflict
(the tests check it). Such a grammar has no sentence with two derivations (Aho et al. 2006, section
4.7), so that counting derivations counts sentences.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import blake2b
from typing import Any

import numpy as np

Way = tuple[str, ...]  # symbols, and words in their quotes
_LINE = re.compile(r"\s*(\w+)\s*:\s*(.+)")
_PART = re.compile(r'"[^"\s]+"|\w+')


@dataclass(frozen=True)
class Grammar:
    """The ways that each symbol can be written in, with their weights."""

    start: str
    ways: Mapping[str, Sequence[tuple[float, Way]]]

    @staticmethod
    def of(text: str) -> "Grammar":
        """Parse a grammar.  Raises ValueError for a malformed line or an unknown symbol.

        ``text`` is part of this library, never a user's input.
        """
        ways: dict[str, list[tuple[float, Way]]] = {}
        for line in filter(str.strip, re.sub(r"\s*\n\s*\|", " |", text).splitlines()):
            found = _LINE.fullmatch(line.rstrip())
            if found is None:
                raise ValueError(f"no rule of a grammar: {line!r}")
            ways[found[1]] = [_way(part) for part in found[2].split("|")]
        grammar = Grammar(next(iter(ways)), ways)
        for symbol in {p for each in ways.values() for _, way in each for p in way}:
            if not _is_word(symbol) and symbol not in ways:
                raise ValueError(f"the grammar has no rule for {symbol}")
        return grammar

    @cached_property
    def words(self) -> list[str]:
        """Its words in the order of the text."""
        every = (p for each in self.ways.values() for _, way in each for p in way if _is_word(p))
        return list(dict.fromkeys(word.strip('"') for word in every))

    @property
    def fingerprint(self) -> str:
        """A digest of the rules and their weights."""
        rules = repr([(s, [(float(w), way) for w, way in each]) for s, each in self.ways.items()])
        return blake2b(rules.encode(), digest_size=8).hexdigest()

    def draw(self, rng: np.random.Generator, longest: int) -> list[str]:
        """Draw a sentence by the weights, among those of at most ``longest`` words."""
        while True:
            words: list[str] = []
            waiting = [self.start]
            while waiting and len(words) + len(waiting) <= longest:  # every symbol makes a word
                symbol = waiting.pop()
                if _is_word(symbol):
                    words.append(symbol.strip('"'))
                else:
                    waiting += reversed(self._choose(symbol, rng))
            if not waiting:
                return words

    def _choose(self, symbol: str, rng: np.random.Generator) -> Way:
        ways = self.ways[symbol]
        place = rng.random() * sum(weight for weight, _ in ways)
        for weight, way in ways:
            place -= weight
            if place < 0:
                return way
        return ways[-1][1]

    @cached_property
    def lark(self) -> str:
        """The rules as Lark reads them."""
        names = self._names
        rules = [
            f"{symbol}: " + " | ".join(" ".join(_lark(p, names) for p in way) for _, way in each)
            for symbol, each in self.ways.items()
        ]
        words = [f"{name}: /{re.escape(word)}(?!\\S)/" for word, name in names.items()]
        return "\n".join([*rules, *words, "%ignore / /"])

    @cached_property
    def _names(self) -> dict[str, str]:
        """The name of each word in Lark."""
        return {word: f"W{i}" for i, word in enumerate(self.words)}

    @cached_property
    def _parser(self) -> Any:
        from lark import Lark

        return Lark(self.lark, parser="lalr", start=self.start)

    def accepts(self, words: Sequence[str]) -> bool:
        """Return whether some words are a sentence."""
        return self.depth(words) is not None

    def depth(self, words: Sequence[str]) -> int | None:
        """Return the number of rules above the deepest word of a sentence; None if it is none."""
        from lark.exceptions import UnexpectedInput

        if not set(self.words).issuperset(words):
            return None
        try:
            return _height(self._parser.parse(" ".join(words)))
        except UnexpectedInput:
            return None

    def begun(self, words: Sequence[str]) -> int:
        """Return the length of the longest beginning of ``words`` that begins some sentence.

        An LALR parser accepts a word only if some sentence has it at this place (Aho et al. 2006,
        section 4.7), and every symbol derives some words.
        """
        from lark import Token
        from lark.exceptions import UnexpectedToken

        parser = self._parser.parse_interactive()
        for number, word in enumerate(words):
            try:
                parser.feed_token(Token(self._names.get(word, "UNKNOWN"), word))
            except UnexpectedToken:
                return number
        return len(words)

    def counts(self, longest: int) -> list[int]:
        r"""Count the sentences of 0, 1, ..., ``longest`` words.

        .. math:: N_A(n) = \sum_{A \to X_1 \dots X_k} \sum_{n_1 + \dots + n_k = n}
            \prod_i N_{X_i}(n_i)

        Every symbol makes at least one word, and none derives itself alone.
        """

        @cache
        def of(symbol: str, n: int) -> int:
            if _is_word(symbol):
                return int(n == 1)
            return sum(along(way, n) for _, way in self.ways[symbol])

        @cache
        def along(way: Way, n: int) -> int:
            if len(way) == 1:
                return of(way[0], n)
            first = range(1, n - len(way) + 2)
            return sum(of(way[0], m) * along(way[1:], n - m) for m in first if of(way[0], m))

        return [of(self.start, n) for n in range(longest + 1)]

    def guess(self, lengths: Iterable[int]) -> float:
        """Return the chance that uniform words are a sentence, for lengths drawn from these."""
        every = list(lengths)
        counts = self.counts(max(every))
        shares = np.bincount(every) / len(every)
        size = len(self.words)
        return float(sum(s * (counts[n] / size**n) for n, s in enumerate(shares.tolist())))


def _way(text: str) -> tuple[float, Way]:
    """Parse one way to write a symbol: ``2 np vp`` -> (2, ("np", "vp"))."""
    parts = text.split()
    weight = float(parts.pop(0)) if parts and re.fullmatch(r"\d+(\.\d+)?", parts[0]) else 1.0
    if not parts or not all(_PART.fullmatch(part) for part in parts):
        raise ValueError(f"no way to write a symbol: {text!r}")
    return weight, tuple(parts)


def _height(tree: Any) -> int:
    """Count the rules on the longest path from a parse tree down to a word."""
    return 1 + max(
        (_height(part) for part in tree.children if hasattr(part, "children")), default=0
    )


def _is_word(symbol: str) -> bool:
    return symbol.startswith('"')


def _lark(symbol: str, names: Mapping[str, str]) -> str:
    return names[symbol.strip('"')] if _is_word(symbol) else symbol
