"""The second network: that it sets the clocks of tokens, and that the rest of the family fits."""

from collections.abc import Iterator

from xlmc.calculus.evaluate import DERIVED
from xlmc.calculus.survival import examine
from xlmc.check import scales
from xlmc.check.words import one_of, reserved
from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import (
    MissingEntry,
    NeverUsed,
    Unsupported,
    WrongAmount,
    WrongClocks,
    WrongEnd,
)
from xlmc.syntax import ast, query
from xlmc.syntax.expression import literal
from xlmc.theory.instances import at, worlds
from xlmc.theory.process import LEARNED, Process
from xlmc.words import slots
from xlmc.words.slots import backbone_words, head_words

EXACT = 1e-6
EXAMPLE = "network clocks { backbone table; head w : scale }"


def check(family: ast.Family) -> Iterator[Diagnostic]:
    """Check a second network and all that reads it; without one, that nothing belongs to one."""
    networks = [one for one in family.sections if one.kind == "network"]
    named = [one for one in networks if one.name is not None]
    for section in networks:
        if section.name is None:
            yield from _first(section)
    for section in named[1:]:
        why, hint = "one network sets all clocks", f"put its heads into `network {named[0].name}`"
        yield _unsupported(section, "a third network", why, hint)
    if not named:
        return
    scaled = Process.of(family).scaled
    wrong = [*_section(named[0], family), *_process(named[0], family)]
    yield from wrong
    if not wrong:
        yield from _noise(named[0], family)
        yield from scales.check(family) if scaled else ()
        yield from _loss(family)
        for section in query.decoders(family) if not scaled else ():
            yield from _decoder(section, family)


def _first(section: ast.Section) -> Iterator[Diagnostic]:
    """Report what only a second network has."""
    for backbone in query.those(section.entries, ast.Backbone):
        word = backbone_words().get(query.called(backbone.value))
        if word is not None and word.alone:
            why = "it looks at one token alone, and a mask is predicted from those around it"
            hint = f"write `backbone dit(condition = t)`, and beside it `{EXAMPLE}`"
            yield WrongClocks(span=backbone.span, what=word.name, why=why, hint=hint)
    for head in query.those(section.entries, ast.Head):
        if (kind := head_words().get(head.kind.id)) is not None and kind.clocks:
            why = "formulas of the noise read it, and this network reads noised rows"
            hint = f"give it to a second network: `{EXAMPLE}`"
            yield WrongClocks(span=head.kind.span, what=kind.name, why=why, hint=hint)


def _section(section: ast.Section, family: ast.Family) -> Iterator[Diagnostic]:
    """Check the entries of a second network."""
    scaled = Process.of(family).scaled
    yield from reserved(section.name or "", "a network", section)
    backbone = query.first(section.entries, ast.Backbone)
    if backbone is None:
        why, example = "nothing maps tokens to clocks", f"backbone {'dit' if scaled else 'table'}"
        yield MissingEntry(span=section.span, entry="backbone", why=why, example=example)
    else:
        yield from scales.backbone(backbone) if scaled else _backbone(backbone)
    if query.first(section.entries, ast.Head) is None:
        why, example = "it answers with nothing", "head w : scale"
        yield MissingEntry(span=section.span, entry="head", why=why, example=example)
    for attention in query.those(section.entries, ast.Attention):
        why = "a table looks at one token alone"
        if scaled and attention.kind.id == "full":
            continue
        why = "clocks depend on the whole text" if scaled else why
        yield WrongClocks(span=attention.span, what="attention", why=why, hint="drop the attention")
    for head in query.those(section.entries, ast.Head):
        yield from _head(head)


def _backbone(backbone: ast.Backbone) -> Iterator[Diagnostic]:
    good = [name for name, word in backbone_words().items() if word.alone]
    if backbone.python is None and isinstance(backbone.value, ast.Name):
        known = [*good, *({backbone.value.id} & {*backbone_words()})]
        wrong = list(one_of(backbone.value, known, "a backbone of a second network"))
        yield from wrong
        if wrong or backbone.value.id in good:
            return
    why = "xlmc has clocks that depend on the whole text beside `mask -> gone` only"
    hint = "write `backbone table`, by which a token alone sets its clock, or add that arrow"
    yield _unsupported(backbone, "a second network with this backbone", why, hint)


def _head(head: ast.Head) -> Iterator[Diagnostic]:
    good = [name for name, word in head_words().items() if word.clocks]
    yield from reserved(head.name, "a head of a number", head)
    wrong = list(one_of(head.kind, good, "a kind of head of a network that sets clocks"))
    yield from wrong
    if not wrong:
        yield from head_words()[head.kind.id].check(head, Process(LEARNED[0], learned=True))
    if head.shifted:
        why = "the clock of a token is its own"
        yield WrongClocks(span=head.span, what="shifted", why=why, hint="drop `shifted`")


def _process(section: ast.Section, family: ast.Family) -> Iterator[Diagnostic]:
    """Report a noise whose tokens have no clocks that can be learned."""
    process = Process.of(family)
    if not process.known or (process.learned and not process.blocked):
        return
    what = f"learned clocks under {process.name}"
    why = "the bound of such a noise with clocks that differ from token to token is not derived"
    if process.ordered:
        why = "nothing is corrupted, so that no token has a clock"
    if process.blocked:
        what, why = "learned clocks under `blocks`", "each block has a time of its own"
    hint = f"write `drop network {section.name}`, or a noise with `clean -> mask` alone"
    yield _unsupported(section, what, why, hint)


def _noise(section: ast.Section, family: ast.Family) -> Iterator[Diagnostic]:
    """Check that the survival reads the heads, and is 1 and 0 at its ends whatever they answer."""
    arrows, learned = query.arrows(family), query.learned(family)
    exprs = [expr for arrow in arrows for expr in query.formulas(arrow)]
    spoken = query.spoken(exprs, query.constants(family))
    heads = query.those(section.entries, ast.Head)
    if not {head.name for head in heads} & spoken:
        why = "no formula of the noise reads its heads"
        hint = f"write `survival {arrows[0].survival}(t) = 1 - t**{heads[0].name}`"
        name = f"network {section.name}"
        yield WrongClocks(span=section.span, what=name, why=why, hint=hint)
        return
    for head in heads:
        if head.name not in spoken:
            yield NeverUsed(span=head.span, name=head.name)
    for param in query.those(query.entries(family, "noise"), ast.Param):
        if param.name in spoken:
            why = "a survival reads what is learned, or what a run sets"
            hint = f"write the number in the place of `{param.name}`"
            yield _unsupported(param, "params of a noise with learned clocks", why, hint)
    for arrow in arrows:
        yield from _ends(arrow, learned)
    amount = query.amount(family)
    low = literal(query.extent(amount)[0]) if amount is not None and amount.law.arguments else None
    if amount is not None and low == 0:
        why = "at t = 0 the rates at which tokens return are infinite"
        yield WrongAmount(
            span=amount.span, why=why, hint="write `amount t ~ uniform(1e-4, 1) stratified`"
        )


def _ends(arrow: ast.Arrow, learned: tuple[ast.Param, ...]) -> Iterator[Diagnostic]:
    """Report a survival that leaves some tokens at t = 1, for an answer of the second network."""
    for values in worlds(learned):
        facts = examine(at(arrow, values))
        if facts.end is not None and facts.end > EXACT:
            where = ", ".join(f"{name} = {value:g}" for name, value in values.items())
            hint = "decoding begins with masks alone, whatever clocks have been learned"
            yield WrongEnd(
                span=arrow.value.span,
                schedule=arrow.survival,
                at=f"1, {where}",
                value=f"{facts.end:.3g}",
                wanted="0",
                hint=hint,
            )
            return


def _decoder(section: ast.Section, family: ast.Family) -> Iterator[Diagnostic]:
    """Check that a decoder has times, and reads a clock only where a token has been drawn."""
    grid = slots.grid(section.entries)
    if grid is None:
        why = "tokens have clocks of their own, and the number of masks does not tell the time"
        yield MissingEntry(
            span=section.span, owner="decoder", entry="grid", why=why, example="grid uniform(128)"
        )
    timed = query.condition(family) is not None  # then they are refused anyway
    for blocks in query.those(section.entries, ast.Blocks) if not timed else ():
        why = "a step reveals by the clock of each token, in the time of the whole row"
        what, hint = "blocks of a decoder with learned clocks", "drop the blocks"
        yield _unsupported(blocks, what, why, hint)
    why = "it differs from token to token, and a mask's is known when its token is drawn"
    chances = [*_chances(section)]
    for entry in section.entries:
        for expr in query.expressions(entry):
            if not any(expr is one for one in chances):
                yield from _clockless(expr, family, why, "unmask chance reveal({})")


def _chances(section: ast.Section) -> Iterator[ast.Expr]:
    """Yield the chances of masks to be revealed in a step."""
    for step in query.those(section.entries, ast.Step):
        unmask = query.act(step.actions, "unmask")
        for pace in query.paces(unmask.much) if unmask is not None else ():
            if pace.rule == "chance" and pace.value is not None:
                yield pace.value


def _loss(family: ast.Family) -> Iterator[Diagnostic]:
    """Report a weight that reads a clock."""
    entries = query.entries(family, "loss")
    exprs = [expr for term in query.terms(family) for expr in query.weighed(term)]
    exprs += [one.value for one in query.those(entries, ast.Let)]
    for mean in query.those(entries, ast.Mean):
        if mean.over.id in Process.of(family).corrupted:
            why = "clocks would learn to mask much, as the loss is divided by the number of masks"
            what, hint = "this mean with learned clocks", "write `mean over tokens`"
            yield _unsupported(mean, what, why, hint)
    why = "it differs from token to token, and the divergence counts the hazards of all of them"
    for expr in exprs if not Process.of(family).scaled else ():
        yield from _clockless(expr, family, why, "weight bound")


def _clockless(expr: ast.Expr, family: ast.Family, why: str, form: str) -> Iterator[Diagnostic]:
    """Report a reading of the clock where no token is known."""
    alpha = query.arrows(family)[0].survival
    for call in query.calls(expr):
        if call.function in {alpha, *DERIVED}:
            hint = f"write `{form.format(alpha)}`, or a formula in the time"
            yield Unsupported(span=call.span, what="a clock here", why=why, hint=hint)
            return


def _unsupported(node: ast.Node, what: str, why: str, hint: str) -> Diagnostic:
    return Unsupported(span=node.span, what=what, why=why, hint=hint)
