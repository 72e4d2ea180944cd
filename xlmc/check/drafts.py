"""Drafts: their law, and the edits by which a step makes the text of one."""

from collections.abc import Iterator

from attrs import evolve

from xlmc.check import scope
from xlmc.check.insertions import own_clock, ranged
from xlmc.check.rules import a_chance, at_least_one, known
from xlmc.check.words import one_of, word
from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import (
    NeverTrained,
    WrongDraft,
    WrongDraw,
    WrongRule,
    WrongScore,
    WrongStep,
)
from xlmc.syntax import ast, query
from xlmc.theory.environment import Environment, environment
from xlmc.theory.process import Process
from xlmc.words import slots, terms

OF_NUMBER = {  # what it is, its type, and an example
    "size": ("that of its tokens", "Size", "16"),
    "rate": ("the chance of a mistake", "Chance", "0.2"),
}
EDITS = {"insert": "rate", "delete": "extra", "substitute": "changed"}  # to what a head learns
PLACES = {"insert": "gaps", "delete": "tokens", "substitute": "tokens"}
NAMES = {"insert": "missing", "delete": "surplus", "substitute": "wrong"}  # of heads in hints
DRAWN = {"insert": ("token", "gaps"), "substitute": ("revision", "tokens")}
TERMS = {"rate": "poisson(gone)", "extra": "poisson(extra)", "changed": "poisson(changed)"}
DRAWS = {"token": "cross_entropy(gone)", "revision": "cross_entropy(x0) on changed"}


def law(family: ast.Family) -> Iterator[Diagnostic]:
    """Check the law of a draft, which there is where an arrow leads to one, and there alone."""
    process, draft = Process.of(family), query.draft(family)
    if draft is None:
        for arrow in query.arrows(family) if process.drafts else ():
            why = "nothing says what row the text becomes at last"
            yield WrongDraft(span=arrow.target.span, why=why, hint="add `draft ~ random(16)`")
        return
    if process.known and not process.drafts:
        why = f"tokens become `{process.end}`" if process.end else "nothing is corrupted"
        hint = "write `clean -> draft  survival alpha(t) = 1 - t`, or drop the draft"
        yield WrongDraft(span=draft.span, why=why, hint=hint)
        return
    words, name = slots.draft_words(), query.law_of_draft(family)
    yield from one_of(word(draft.law, name), words, "a law of the draft")
    if name in words:
        yield from _number(draft, family, words[name].number)


def _number(draft: ast.Draft, family: ast.Family, number: str) -> Iterator[Diagnostic]:
    """Check the number of a law: that of its tokens, or the chance of a mistake."""
    call, name = draft.law, query.law_of_draft(family)
    given = list(numbers(draft))
    if not number:
        if isinstance(call, ast.Call):
            why = f"`{name}` takes no number"
            yield WrongDraft(span=call.span, why=why, hint=f"write `draft ~ {name}`")
        return
    why, kind, example = OF_NUMBER[number]
    if len(given) != 1 or (isinstance(call, ast.Call) and (call.keywords or call.primes)):
        hint = f"write `draft ~ {name}({example})`"
        yield WrongDraft(span=call.span, why=f"`{name}` takes one number, {why}", hint=hint)
        return
    env = environment(query.entries(family, "noise"), f"in the {number} of a draft", {}, {}, ())
    wrong = list(scope.known(given[0], env))
    hint = f"write `param {number} : {kind} = {example}` and `draft ~ {name}({number})`"
    check = at_least_one if number == "size" else a_chance
    yield from wrong or check(given[0], env, what=f"{number} of a draft", hint=hint)


def numbers(draft: ast.Draft) -> tuple[ast.Expr, ...]:
    """Return the numbers that a law of drafts is given."""
    return draft.law.arguments if isinstance(draft.law, ast.Call) else ()


def edit(
    action: ast.Act | ast.Insert, family: ast.Family, env: Environment
) -> Iterator[Diagnostic]:
    """Check the rate of an edit: that of the head which learns it, by the clock."""
    verb, value = query.verb(action), action.much.value
    known_law = slots.law_of_draft(family)
    if known_law is not None and verb not in known_law.edits:
        why = f"a draft that is `{known_law.name}` has no token to {verb}"
        yield WrongStep(
            span=action.span, problem=f"nothing to {verb}", why=why, hint=f"drop the {verb}"
        )
        return
    example = f"write `{_example(verb, family)}`"
    if action.much.rule != "poisson":
        why, span = "an edit of a draft comes at a rate", action.much.span
        yield WrongRule(span=span, rule=action.much.rule, why=why, hint=example)
        return
    if (other := action.much.rest) is not None:
        why, hint = "an edit comes at one rate", f"drop `{action.much.link} {other.span.text}`"
        yield WrongRule(span=other.span, rule=other.rule, why=why, hint=hint)
    if action.order is not None:
        why = "each place is edited at a rate of its own: none comes first"
        yield WrongScore(span=action.order.span, why=why, hint="drop the order")
    if value is not None:
        yield from _rate(value, EDITS[verb], family, env, example)


def _rate(
    value: ast.Expr, learns: str, family: ast.Family, env: Environment, example: str
) -> Iterator[Diagnostic]:
    counts = [one.name for one in query.heads(family).values() if one.kind.id == "count"]
    own = evolve(env, names={**env.names, **dict.fromkeys(counts, "Rate")})
    wrong = list(known(value, own))
    yield from wrong
    if wrong:
        return
    read = query.spoken([value], env.lets.values()) & {*counts}
    good = {one.name for one in _trained(learns, family)}
    if len(read) != 1:
        why = "this formula reads several heads, and xlmc supports one"
        why = why if read else "no head in this formula learns how often the edit is due"
        yield WrongRule(span=value.span, rule="poisson", why=why, hint=example)
    elif not read <= good:
        (name,) = read
        if good or name in {term.head.id for term in query.terms(family)}:
            why = f"`{name}` is not trained by `{TERMS[learns]}`, so that it is another rate"
            yield WrongRule(span=value.span, rule="poisson", why=why, hint=example)
        else:
            yield NeverTrained(span=value.span, head=name)
    yield from own_clock(value, "poisson", query.arrows(family)[-1], env)
    if env.sound and len(read) == 1:
        hint = f"a rate is at least 0: `{min(read)} * reveal(...)`"
        yield from ranged("poisson", value, read, own, hint)


def draws(block: ast.Step | ast.Finish, family: ast.Family) -> Iterator[Diagnostic]:
    """Check that each edit of a draft is there, and each that brings a token with its draw."""
    law, verbs = slots.law_of_draft(family), {query.verb(one) for one in block.actions}
    drawn = query.those(block.actions, ast.Draw)
    for verb in law.edits if law is not None else ():
        if verb not in verbs:
            yield _lacks(verb, block, family)
    for verb, (learns, place) in DRAWN.items():
        own = [one for one in drawn if _place(one, family) == place]
        good = [one.name for one in _trained(learns, family)]
        head = good[0] if good else "new" if verb == "insert" else "right"
        if verb in verbs and not own:
            problem, why = f"this step draws no token to {verb}", "no action of it chooses a token"
            yield WrongStep(span=block.span, problem=problem, why=why, hint=f"add `draw {head}`")
        for one in own[1:] if verb in verbs else own:
            problem = "this step has two draws of one edit" if verb in verbs else "an idle draw"
            why = "again here" if verb in verbs else f"this step has no `{verb}`"
            yield WrongStep(span=one.span, problem=problem, why=why, hint="drop it")
        for one in own:
            if good and one.head.id not in good:
                why = f"`{one.head.id}` is not trained by `{DRAWS[learns]}`"
                yield WrongDraw(span=one.head.span, why=why, hint=f"write `draw {head}`")
            if one.law is not None:
                why = "edits come at their rates, and the token is that of the text"
                yield WrongDraw(span=one.law.span, why=why, hint=f"write `draw {one.head.id}`")


def _lacks(verb: str, block: ast.Node, family: ast.Family) -> Diagnostic:
    """Report an edit without which a draft never becomes the text."""
    hint = f"add `{_example(verb, family)}`"
    law = query.law_of_draft(family)
    why = f"a draft that is `{law}` becomes the text by insertions, deletions and substitutions"
    why = "a draft that is empty becomes the text by insertions" if law == "empty" else why
    return WrongStep(span=block.span, problem=f"this step has no `{verb}`", why=why, hint=hint)


def _example(verb: str, family: ast.Family) -> str:
    """Return an edit at the rate of the head that learns it, or of one that could."""
    heads = [
        *(one.name for one in _trained(EDITS[verb], family)),
        *_idle(verb, family),
        NAMES[verb],
    ]
    what = "insert tokens" if verb == "insert" else verb
    return f"{what} poisson {heads[0]} * reveal({query.arrows(family)[0].survival})"


def _idle(verb: str, family: ast.Family) -> list[str]:
    """Return the heads of numbers at the places of an edit, without those of other edits there."""
    place = PLACES[verb]
    others = [EDITS[other] for other in EDITS if other != verb and PLACES[other] == place]
    busy = {one.name for learns in others for one in _trained(learns, family)}
    return [
        name
        for name, head in query.heads(family).items()
        if head.kind.id == "count" and head.at and head.at.id == place and name not in busy
    ]


def _trained(learns: str, family: ast.Family) -> list[ast.Head]:
    """Return the heads that some term trains for an edit."""
    heads = query.heads(family)
    found = [part.term.head.id for part in terms.objective(family).training(learns)]
    return [heads[name] for name in dict.fromkeys(found) if name in heads]


def _place(draw: ast.Draw, family: ast.Family) -> str:
    return query.read_at(query.heads(family).get(draw.head.id))
