"""The parser that Lark makes of ``grammar/xlm.lark``, and the words that the grammar reserves."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from lark import Lark, Token
from lark.lark import PostLex
from lark.lexer import ContextualLexer

from xlmc.resources import folder

# Keywords that are names wherever no keyword can stand. They are marked in the grammar.
SOFT = frozenset(
    {"chance", "draft", "events", "factor", "order", "poisson", "temperature", "pad", "share"}
)
OPENING = frozenset({"_LPAR", "_LSQB"})
CLOSING = frozenset({"_RPAR", "_RSQB"})


class Lines(PostLex):
    """Drops the ends of lines inside parentheses and brackets."""

    always_accept = ("_END",)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """Yield the same tokens without the dropped ones. A `;` is never dropped."""
        depth = 0
        for token in stream:
            depth += (token.type in OPENING) - (token.type in CLOSING)
            if depth <= 0 or token.type != "_END" or token.startswith(";"):
                yield token


class _Trusting(ContextualLexer):
    """Does not look for terminals that collide, which takes long where interegular is installed.

    A test builds the grammar strictly and so looks for them once.
    """

    def __init__(self, conf: Any, *rest: Any, **named: Any) -> None:
        conf.skip_validation = True
        super().__init__(conf, *rest, **named)


def build(**options: Any) -> Lark:
    """Build a new parser; tests pass ``strict=True``, which takes far longer."""
    reserved: dict[str, str] = {}

    def unless_reserved(token: Token) -> Token:
        token.type = reserved.get(token, token.type)
        return token

    text = (folder("grammar") / "xlm.lark").read_text(encoding="utf-8")
    made = Lark(
        text,
        parser="lalr",
        lexer="contextual",
        propagate_positions=True,
        maybe_placeholders=True,
        postlex=Lines(),
        lexer_callbacks={"NAME": unless_reserved},
        **options,
    )
    reserved.update((word, kind) for word, kind in keywords(made).items() if word not in SOFT)
    return made


@cache
def parser() -> Lark:
    """Return the parser, built when it is first needed (some 0.1 s)."""
    return build(_plugins={"ContextualLexer": _Trusting})


def keywords(made: Lark) -> dict[str, str]:
    """Return every keyword of the language and its terminal."""
    edge = r"\b"
    patterns = {t.pattern.value: t.name for t in made.terminals}
    return {p.removesuffix(edge): name for p, name in patterns.items() if p.endswith(edge)}
