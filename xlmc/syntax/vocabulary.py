"""The names of the pieces of a spec in messages."""

import re
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from attrs import frozen
from lark import Token
from lark.lexer import PatternStr

from xlmc.syntax import grammar

_NAMES = {
    "NAME": "a name",
    "PATH": "a name",
    "NUMBER": "a number",
    "STRING": "a quoted text",
    "PRIMES": "`'`",
    "RELATION": "a comparison",
    "_END": "a new line or `;`",
    "$END": "the end of the file",
}
OPERATORS = frozenset({"PLUS", "MINUS", "TIMES", "DIVIDE", "POWER"})
_ORDER = ["_RPAR", "_RSQB", "_END"]  # closers are named first

# How a statement is written, by its first word; `NAME` and `PATH` by the block.
_FORMS = {
    "_FAMILY": 'a spec is written `family my_family "Its title" { ... }`',
    "_PAPER": 'a paper is written `paper "Author et al. 2024" arxiv "2401.00001"`',
    "_NOISE": "a section is written `noise { ... }`, with one entry a line",
    "_NETWORK": "a section is written `network { ... }`, with one entry a line",
    "_LOSS": "a section is written `loss { ... }`, with one entry a line",
    "_DECODER": "a decoder is written `decoder { ... }`, a second one `decoder my_name { ... }`",
    "_COLLATE": "a section is written `collate { ... }`, with one entry a line",
    "REPLACE": "`replace` comes before a section: `replace noise { ... }`",
    "_RECIPE": "a recipe is written `recipe my_task { batch 64; steps 80_000 }`; "
    "one without a task has settings that all others share",
    "_PARAM": "a param is written `param steps : Count = 128` or "
    "`param order = confidence | margin`",
    "_LET": "a part of an expression is named by `let back = min(eta, 1)`",
    "_DROP": "an entry of the parent is deleted by `drop reuse` in its section, "
    "a named decoder by `drop decoder my_name`, a second network by `drop network my_name`",
    "_ORDER": "the order of the tokens is written `order random`",
    "_AMOUNT": "an amount is written `amount t ~ uniform(0, 1)` or "
    "`amount count ~ uniform(1, length)`",
    "_DRAFT": "a draft is written `draft ~ empty` or `draft ~ random(16)`",
    "_BACKBONE": "a backbone is written `backbone dit`, `backbone dit(condition = t)` or "
    '`backbone python "my_package.my_module:MyNetwork"`',
    "_ATTENTION": "the attention is written `attention full`",
    "_CARRY": "a carried state is written `carry memory at mask over 2`",
    "_HEAD": "a head is written `head token : logits`, `head slot : logits at gaps` or "
    "`head gap : distribution(32) at gaps`",
    "_MEAN": "a mean is written `mean over tokens` or `mean over masked per sequence`",
    "_START": "the start is written `start masks`",
    "_GRID": "a grid is written `grid uniform(steps)` or `grid events`",
    "_BLOCKS": "blocks are written `blocks 32`",
    "_GUIDE": "a guide is written `guide cfg(scale = 2.0, without = prompt)`",
    "_OVERFLOW": "the overflow is written `overflow skip_row`",
    "_STEP": "a step is written `step { ... }`, with one action a line",
    "_FINISH": "a finish is written `finish { ... }` or `finish over 32 { ... }`, with one action "
    "a line",
    "_STOP": "a stop is written `stop when done > 0.5 or length = limit` or `stop chance done`",
    "_REUSE": "reuse is written `reuse while unchanged` or `reuse prefix while block`",
    "_INSERT": "the action is written `insert tokens one`, `insert tokens quota 2` or "
    "`insert masks poisson gap * reveal(beta)`",
    "_PICK": "the action is written `pick gap`, `pick gap greedy` or `pick gap with top_k = 2`",
    "_DRAW": "the action is written `draw token`, `draw token greedy` or "
    "`draw token with temperature, top_p`, or `draw token from posterior`",
    "_PAD": "padding is written `pad body right, prompt left`",
    "NAME in noise": "an arrow needs a survival function: "
    "`clean -> mask  survival alpha(t) = 1 - t`",
    "NAME in loss": "a term of the loss is written "
    "`token : cross_entropy(x0) on mask  weight bound`",
    "NAME in step": "an action is written `unmask one by random` or `draw token`",
    "NAME in collate": "a layout is written `text : bos [body] eos`",
    "PATH in recipe": "a setting is a name and a value: `batch 64` or `decoder.top_k 1`",
}

SPEC = _FORMS["_FAMILY"]

# What is needed after a word, in a statement.
_AFTER = {
    ("_FAMILY", "_FAMILY"): "the name of the family",
    ("_FAMILY", "_EXTENDS"): "the name of the parent",
    ("_PAPER", "_PAPER"): "the citation, a quoted text,",
    ("_PAPER", "_ARXIV"): "the number of the paper, a quoted text,",
    ("_RECIPE", "_RECIPE"): "the name of the task",
    ("_PARAM", "_PARAM"): "the name of the param",
    ("_PARAM", "_COLON"): "the type of the param",
    ("_PARAM", "_EQUAL"): "the value of the param",
    ("_PARAM", "_BAR"): "another choice",
    ("_LET", "_LET"): "the name",
    ("_LET", "_EQUAL"): "the expression",
    ("_DROP", "_DROP"): "the entry to delete",
    ("_ORDER", "_ORDER"): "the order",
    ("_AMOUNT", "_AMOUNT"): "`t` or `count`",
    ("_AMOUNT", "_TILDE"): "the distribution",
    ("_DRAFT", "_DRAFT"): "`~`",
    ("_DRAFT", "_TILDE"): "the law of the draft",
    ("_BACKBONE", "_BACKBONE"): "the backbone",
    ("_ATTENTION", "_ATTENTION"): "the kind of attention",
    ("_CARRY", "_CARRY"): "the name of the carried state",
    ("_CARRY", "_AT"): "the state of the places that carry it",
    ("_CARRY", "_OVER"): "the number of calls that it is trained through",
    ("_HEAD", "_HEAD"): "the name of the head",
    ("_HEAD", "_COLON"): "the kind of the head",
    ("_HEAD", "_LPAR"): "the largest count",
    ("_HEAD", "_AT"): "the place where the head is read",
    ("NAME in noise", "_ARROW"): "the state that tokens become",
    ("NAME in noise", "_BAR"): "the other state that tokens become",
    ("NAME in noise", "_SHARE"): "the share of the tokens in that state",
    ("NAME in noise", "_SURVIVAL"): "the name of the survival function",
    ("NAME in noise", "_EVENTS"): "the name of the number of events",
    ("NAME in noise", "_EQUAL"): "the survival function",
    ("NAME in loss", "_COLON"): "the divergence",
    ("NAME in loss", "_ON"): "a state",
    ("NAME in loss", "_WEIGHT"): "the weight",
    ("NAME in collate", "_COLON"): "the first part of the layout",
    ("NAME in collate", "_LSQB"): "a part of the layout",
    ("NAME in collate", "_KEEPING"): "the kind of tokens to keep",
    ("_FINISH", "_OVER"): "the largest number of corrections",
    ("_MEAN", "_OVER"): "the denominator of the mean",
    ("_START", "_START"): "the state that decoding starts from",
    ("_GRID", "_GRID"): "the grid",
    ("_BLOCKS", "_BLOCKS"): "the size of a block",
    ("_GUIDE", "_GUIDE"): "the guide",
    ("_OVERFLOW", "_OVERFLOW"): "the treatment of insertions without room",
    ("_STOP", "_STOP"): "`when`",
    ("_STOP", "_WHEN"): "a condition",
    ("_STOP", "_OR"): "another condition",
    ("_REUSE", "_WHILE"): "a condition",
    ("NAME in step", "_WEIGHT"): "the weight",
    ("NAME in step", "_OR"): "the rule whose places are taken as well",
    ("NAME in step", "_ELSE"): "the rule of rows in which the first takes nothing",
    ("NAME in step", "_BY"): "the order",
    ("_INSERT", "_BY"): "the order",
    ("_INSERT", "_INSERT"): "the thing to insert, `tokens` or `masks`,",
    ("_INSERT", "NAME"): "the rule, as `one` in `insert tokens one`,",
    ("_PICK", "_PICK"): "the place to pick, `gap`,",
    ("_DRAW", "_DRAW"): "the head to draw from",
    ("_DRAW", "_FROM"): "the distribution, `posterior`,",
    ("_PAD", "_PAD"): "a part",
    ("_PAD", "NAME"): "the side, `left` or `right`,",
    ("PATH in recipe", "PATH"): "the value of the setting",
}


STEPS = ("step", "finish")  # the blocks of actions


@frozen
class Verb:
    """The verb of an action ``VERB RULE``: how that is written, and the words for its rule."""

    form: str
    rule: str


Verbs = Mapping[str, Verb]


def form(block: str, statement: list[Token], verbs: Verbs) -> str:
    """Return the form of the statement that was being read, or nothing."""
    verb = _verb(block, statement, verbs)
    return verb.form if verb is not None else _FORMS.get(_key(block, statement), "")


def after(block: str, statement: list[Token], verbs: Verbs) -> str:
    """Return the part that was needed after the last word of a statement, or nothing."""
    verb = _verb(block, statement, verbs)
    if verb is not None and len(statement) == 1:
        return verb.rule  # of a longer one the last word can be a name as well
    return _AFTER.get((_key(block, statement), statement[-1].type), "") if statement else ""


def _verb(block: str, statement: list[Token], verbs: Verbs) -> Verb | None:
    """Return the verb that a statement begins with; None where it is no such action."""
    named = block in STEPS and bool(statement) and statement[0].type == "NAME"
    return verbs.get(statement[0]) if named else None


def _key(block: str, statement: list[Token]) -> str:
    first = statement[0].type if statement else ""
    block = "step" if block in STEPS else block
    return f"{first} in {block}" if first in ("NAME", "PATH") else first


def actions(verbs: Verbs) -> list[str]:
    """Return the words that actions begin with."""
    return sorted([*verbs, *filter(None, map(sign, entries()["step"]))])


def action(verbs: Verbs) -> str:
    """Return the actions that a step can hold, in words."""
    known = listing([f"`{word}`" for word in actions(verbs)], "or")
    return f"a step or a finish has {known}"


# Signs that people bring from elsewhere, and what to write here.
_HINTS = {
    "&&": "write `or` between conditions; there is no `and`",
    "||": "write `or`",
    "!=": "compare by `=`, `<`, `>`, `<=` or `>=`",
    "^": "a power is written `**`",
    "×": "write `*`",
    "−": "write `-`",
    "–": "write `-`",
    "→": "write `->`",
    "≤": "write `<=`",
    "≥": "write `>=`",
    "“": 'a quoted text is between two `"`',
    "”": 'a quoted text is between two `"`',
    "'": 'a quoted text is between two `"`',
    ".": "a number starts with a digit, as in 0.5; only names in a recipe have dots",
    "%": "write a share as a number, as in 0.5",
    "\\": "a statement may span several lines only inside of parentheses",
}


def stray(text: str, start: int) -> tuple[str, str]:
    """Return a sign that the language does not have, and its replacement."""
    for width in (2, 1):
        if (sign := text[start : start + width]) in _HINTS:
            return sign, _HINTS[sign]
    if text[start].isalpha():
        return text[start], "names are made of the letters a-z and A-Z, digits and `_`"
    return text[start], "delete it"


def without_strings_and_comments(text: str) -> str:
    """Remove quoted texts and comments from a text."""
    return re.sub(r'"[^"\n]*"?|#[^\n]*', "", text)


# How a reader comes into each block.
_WAYS = {
    "family": ["_FAMILY", "NAME", "_LBRACE"],
    **{
        word: ["_FAMILY", "NAME", "_LBRACE", f"_{word.upper()}", "_LBRACE"]
        for word in ("noise", "network", "loss", "decoder", "collate")
    },
    "recipe": ["_FAMILY", "NAME", "_LBRACE", "_RECIPE", "NAME", "_LBRACE"],
    "step": ["_FAMILY", "NAME", "_LBRACE", "_DECODER", "_LBRACE", "_STEP", "_LBRACE"],
}


@cache
def entries() -> dict[str, frozenset[str]]:
    """Return the terminals with which an entry of each block can start."""
    known = {}
    for block, way in _WAYS.items():
        reader: Any = grammar.parser().parse_interactive("")
        for kind in way:
            reader.feed_token(Token(kind, ""))
        known[block] = frozenset(reader.accepts() - {"_RBRACE", "_END"})
    return known


def is_keyword(terminal: str) -> bool:
    """Return whether a terminal is a word of the language."""
    return sign(terminal).isalpha()


@cache
def _signs() -> dict[str, str]:
    """Return keywords and signs as they are written, by terminal."""
    made = grammar.parser()
    words = {kind: word for word, kind in grammar.keywords(made).items()}
    signs = {t.name: t.pattern.value for t in made.terminals if isinstance(t.pattern, PatternStr)}
    return words | signs


def sign(terminal: str) -> str:
    """Return a keyword or sign as it is written."""
    return _signs().get(terminal, "")


def found(token: Token) -> str:
    """Return a token as a message quotes it."""
    if token.type in ("_END", "$END"):
        return "`;`" if token.startswith(";") else "the end of the line"
    text = str(token)
    return f"`{text}`" if len(text) <= 40 else f"`{text[:39]}…`"


def expected(terminals: Collection[str]) -> str:
    """Format the choice between terminals, in words: `a value`, `` `,` or `)` ``."""
    rest = set(terminals)
    words = []
    if {"NAME", "NUMBER"} <= rest:
        words.append("a value")
        rest -= {"NAME", "NUMBER", "MINUS", "_LPAR", "STRING"}
    elif rest > OPERATORS:
        rest -= OPERATORS  # "or an operator" helps nobody
    elif rest & OPERATORS:
        words.append("an operator")
        rest -= OPERATORS
    if len(rest) > 1:
        rest -= {"PRIMES"}
    known = sorted(rest, key=lambda t: (_ORDER.index(t) if t in _ORDER else -1, t.lstrip("_")))
    words += dict.fromkeys(f"`{sign(t)}`" if sign(t) else _NAMES[t] for t in known)
    return listing(words, "or")


def listing(words: Collection[str], last: str) -> str:
    """Format a list of words: ``a, b or c``."""
    *first, final = words
    return f"{', '.join(first)} {last} {final}" if first else final
