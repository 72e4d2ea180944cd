r"""Context-free grammars that are not ambiguous: sentences drawn, told from others, and counted.

A grammar is a text: one line for each symbol, ``symbol: ways``, ways divided by ``|``, a way being
symbols and words, with its weight before it if that is not 1: ``s: 2 np vp | np "thinks" s``. Words
stand in quotes; a line that begins with ``|`` goes on with the one before it. The first symbol is
the start.

It must be LALR(1): Lark, told to be ``strict``, builds a parser without any conflict (the tests see
to that). Such a grammar has no sentence with two derivations (Aho et al. 2006, section 4.7), so
that to count derivations is to count sentences.
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
        """The grammar of a text.  Raises ValueError for a line or a symbol that is not understood.

        ``text`` is written by us, not by users.
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
        """Its words in the order in which they stand in it."""
        every = (p for each in self.ways.values() for _, way in each for p in way if _is_word(p))
        return list(dict.fromkeys(word.strip('"') for word in every))

    @property
    def fingerprint(self) -> str:
        """A digest of the rules and their weights."""
        rules = repr([(s, [(float(w), way) for w, way in each]) for s, each in self.ways.items()])
        return blake2b(rules.encode(), digest_size=8).hexdigest()

    def draw(self, rng: np.random.Generator, longest: int) -> list[str]:
        """A sentence by the weights, among those of at most ``longest`` words."""
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
        """What Lark calls each word."""
        return {word: f"W{i}" for i, word in enumerate(self.words)}

    @cached_property
    def _parser(self) -> Any:
        from lark import Lark

        return Lark(self.lark, parser="lalr", start=self.start)

    def accepts(self, words: Sequence[str]) -> bool:
        """Whether some words are a sentence."""
        return self.depth(words) is not None

    def depth(self, words: Sequence[str]) -> int | None:
        """How many rules lie above the deepest word of a sentence; None of what is none."""
        from lark.exceptions import UnexpectedInput

        if not set(self.words).issuperset(words):
            return None
        try:
            return _height(self._parser.parse(" ".join(words)))
        except UnexpectedInput:
            return None

    def begun(self, words: Sequence[str]) -> int:
        """How many of the first words some sentence begins with.

        An LALR parser takes no word that no sentence could have there (Aho et al. 2006, section
        4.7), and every symbol makes some words.
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
        r"""How many sentences there are of 0, 1, ..., ``longest`` words.

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
        """How often words drawn uniformly are a sentence, at lengths that are drawn from these."""
        every = list(lengths)
        counts = self.counts(max(every))
        shares = np.bincount(every) / len(every)
        size = len(self.words)
        return float(sum(s * (counts[n] / size**n) for n, s in enumerate(shares.tolist())))


def _way(text: str) -> tuple[float, Way]:
    """``2 np vp`` -> (2, ("np", "vp"))."""
    parts = text.split()
    weight = float(parts.pop(0)) if parts and re.fullmatch(r"\d+(\.\d+)?", parts[0]) else 1.0
    if not parts or not all(_PART.fullmatch(part) for part in parts):
        raise ValueError(f"no way to write a symbol: {text!r}")
    return weight, tuple(parts)


def _height(tree: Any) -> int:
    """Rules on the longest way from a parse tree down to a word."""
    return 1 + max(
        (_height(part) for part in tree.children if hasattr(part, "children")), default=0
    )


def _is_word(symbol: str) -> bool:
    return symbol.startswith('"')


def _lark(symbol: str, names: Mapping[str, str]) -> str:
    return names[symbol.strip('"')] if _is_word(symbol) else symbol
