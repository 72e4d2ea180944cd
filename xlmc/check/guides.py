"""Guidance: that its options are right, and that a row has the part that an answer is without."""

from collections.abc import Iterator

from xlmc.check.rules import number
from xlmc.check.words import one_of, word
from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import Unsupported, WrongGuide
from xlmc.syntax import ast, query
from xlmc.syntax.expression import literal
from xlmc.theory.environment import Environment
from xlmc.theory.process import Process
from xlmc.words.guides.base import HIDDEN
from xlmc.words.slots import guide_words

EXAMPLE = "write `guide cfg(scale = 2, without = prompt)`"


def check(guide: ast.Guide, family: ast.Family, env: Environment) -> Iterator[Diagnostic]:
    """Complain about a guide."""
    call, words = guide.value, guide_words()
    wrong = list(one_of(word(call, call.function), words, "a guide"))
    yield from wrong
    if wrong:
        return
    if Process.of(family).drafts:
        why = "rates of edits are not compared with those of a row without some tokens"
        what, hint = "guidance of edits", "drop the guide"
        yield Unsupported(span=guide.span, what=what, why=why, hint=hint)
        return
    wrong = list(_options(call, [one.name for one in words[call.function].options]))
    yield from wrong
    if wrong:
        return
    scale, without = (
        {one.name: one for one in call.keywords}[name] for name in ("scale", "without")
    )
    yield from number(scale.value, "Scale", "scale", env)
    yield from _without(without.value, family)
    if literal(scale.value) == 0:
        yield WrongGuide(span=scale.span, why="a scale of 0 changes nothing", hint="drop the guide")


def _options(call: ast.Call, names: list[str]) -> Iterator[Diagnostic]:
    """Complain unless a guide has all its options, by name and once each."""
    wrong = [
        one
        for keyword in call.keywords
        for one in one_of(word(keyword, keyword.name), names, "an option of a guide")
    ]
    yield from wrong
    given = {keyword.name for keyword in call.keywords}
    if not wrong and (call.arguments or call.primes or len(call.keywords) != len(given)):
        yield WrongGuide(span=call.span, why="its options have names, once each", hint=EXAMPLE)
    elif not wrong and given != {*names}:
        why = "it needs a scale, and the part that the second answer is without"
        yield WrongGuide(span=call.span, why=why, hint=EXAMPLE)


def _without(value: ast.Expr, family: ast.Family) -> Iterator[Diagnostic]:
    if not isinstance(value, ast.Name):
        why = "the part that is left out has a name"
        yield WrongGuide(span=value.span, why=why, hint="write `without = prompt`")
        return
    parts = {one.name: one for one in HIDDEN}
    wrong = list(one_of(value, parts, "a part of a row that can be left out"))
    yield from wrong
    part = parts.get(value.id)
    if part is not None and query.layouts(family) and not part.there(family):
        hint = f"add `{part.example}` to the collation, or drop the guide"
        yield WrongGuide(span=value.span, why=part.lack, hint=hint)
    elif part is not None:
        why, hint = part.why_not(family, Process.of(family))
        if why:
            yield WrongGuide(span=value.span, why=why, hint=hint)
