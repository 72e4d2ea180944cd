"""A state that is carried from call to call: what can carry it, and the steps of training."""

from collections.abc import Iterator

from xlmc.check.backbones import having, lacking
from xlmc.check.words import one_of, reserved
from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import NameTaken, NoEffect, OutOfRange, WrongCarry
from xlmc.diagnostics.source import Span
from xlmc.syntax import ast, query
from xlmc.syntax.expression import literal
from xlmc.theory.environment import environment, reads
from xlmc.theory.process import Process
from xlmc.words import slots
from xlmc.words.backbones.base import Backbone, Layers
from xlmc.words.slots import order_words

MOST = 16  # calls, each of which keeps what a backward pass needs
PLAIN = (("clean", "mask"),)
STEP = "write `step { unmask above 0.9 by confidence }`, and drop the grid"


def check(family: ast.Family) -> Iterator[Diagnostic]:
    """Check a carried state, and all that must fit it."""
    found = query.first(query.entries(family, "network"), ast.Carry)
    if found is None:
        return
    yield from reserved(found.name, "a carried state", found)
    if found.at is not None:
        yield from one_of(found.at, ("mask",), "a state whose places carry one")
    if wrong := [*_calls(found)]:
        yield from wrong
        return
    process = Process.of(family)
    if not process.known:
        return
    if why := _no_masks(process):
        yield WrongCarry(span=found.span, name=found.name, why=why, hint="drop the `carry`")
        return
    yield from _network(found, family)
    yield from _weights(found, family)
    for section in query.decoders(family):
        yield from _decoder(found, section)
    yield from _between(found, family)


def _calls(carry: ast.Carry) -> Iterator[Diagnostic]:
    """Check the number of calls."""
    if carry.over is None:
        return
    value = literal(carry.over)
    if value is None or value != int(value) or not 1 <= value <= MOST:
        text, meaning = carry.over.span.text, f"an integer from 2 to {MOST}"
        kind, hint = "number of calls", "write `over 2`"
        yield OutOfRange(span=carry.over.span, value=text, kind=kind, meaning=meaning, hint=hint)
    elif value == 1:
        why = "training makes one call, to which nothing is carried"
        what, hint = f"`carry {carry.name}`", "write `over 2`, or drop it"
        yield NoEffect(span=carry.span, what=what, why=why, hint=hint)


def _no_masks(process: Process) -> str:
    """Return why the rows of a process cannot carry a state at masks."""
    if process.ordered:
        return "no token becomes a mask, and masks carry it"
    if process.blocked:
        return "xlmc calls the network once for all blocks in training, and decodes one by one"
    if process.learned:
        return "rows are corrupted twice, by clocks that are learned, and each would carry its own"
    if process.life != PLAIN or process.spoiled:
        return "xlmc knows it under `clean -> mask` alone, where masks hold their places"
    return ""


def _network(carry: ast.Carry, family: ast.Family) -> Iterator[Diagnostic]:
    """Check that the backbone takes the states of the call before."""
    backbone = query.first(query.entries(family, "network"), ast.Backbone)
    found = lacking(family, _carrying)
    if backbone is not None and (condition := query.condition(family)) is not None:
        why = "no time tells how many masks are left when training has written some tokens"
        hint = "drop the condition"
        yield WrongCarry(span=condition.span, name=carry.name, why=why, hint=hint)
    elif found is not None:
        name, hint = found[1], having(_carrying)
        why = f"xlmc's `{name}` takes tokens, and no states of a call before"
        own = "a network of your own is called with the tokens, and with no states of a call before"
        why = why if name else own
        yield WrongCarry(span=found[0].span, name=carry.name, why=why, hint=hint)
    for head in query.heads(family).values():
        if head.shifted:
            why = "a shifted head reads a state to the left of the mask whose token it predicts"
            hint = "drop `shifted`"
            yield WrongCarry(span=head.span, name=carry.name, why=why, hint=hint)


def _carrying(word: Backbone) -> Layers | None:
    return word.carrying


def _weights(carry: ast.Carry, family: ast.Family) -> Iterator[Diagnostic]:
    """Check that no weight reads the time, which the calls after the first one do not have."""
    entries = query.entries(family, "loss")
    env, timed = environment(entries, "", {}, {}, ()), _timed(family)
    for term in query.terms(family):
        for expr in query.weighed(term):
            read = reads(expr, env)
            called = {one.function for one in query.calls(expr)} - {"min", "max", "visible"}
            hazard = bool(called & {one.survival for one in query.arrows(family)})
            if timed and ({"t", "bound"} & read or hazard):
                why = "when training has written some tokens, no time tells how many masks are left"
                hint = "write `amount count ~ uniform(1, length)`"
                yield WrongCarry(span=expr.span, name=carry.name, why=why, hint=hint)


def _timed(family: ast.Family) -> bool:
    amount = query.amount(family)
    return amount is not None and amount.variable.id == "t"


def _decoder(carry: ast.Carry, section: ast.Section) -> Iterator[Diagnostic]:
    """Check that a decoder makes one call a step."""
    for guide in query.those(section.entries, ast.Guide):
        why = "a guided step makes two calls, and a row carries the states of one"
        yield WrongCarry(span=guide.span, name=carry.name, why=why, hint="drop the guide")
    step = query.first(section.entries, ast.Step)
    for edit, word in slots.edits(step.actions) if step is not None else ():
        order = edit.order
        if word.hides and order is not None and order.of is None and order.score.id != "random":
            why = "xlmc keeps for each place its state, or how sure its token was when it was drawn"
            hint = f"write `{word.name} ... by confidence of current`"
            yield WrongCarry(span=order.span, name=carry.name, why=why, hint=hint)


def _between(carry: ast.Carry, family: ast.Family) -> Iterator[Diagnostic]:
    """Check that the default decoder's step can be taken in training, from the answer alone."""
    if query.carry(family) is None:
        return
    section = query.decoders(family)[0] if query.decoders(family) else None
    step = query.first(section.entries, ast.Step) if section is not None else None
    if section is None or step is None:
        return
    for span, why, hint in _unlike(section, step):
        yield WrongCarry(span=span, name=carry.name, why=why, hint=hint)
    entries = query.entries(family, "loss")
    known = {one.name for one in entries if isinstance(one, ast.Param | ast.Choice)}
    read = query.read_by_step(section)
    for param in query.those(section.entries, ast.Param):
        if param.name in read & known:
            what, holder = "a param that training reads as `loss.*`", "a param of the loss"
            yield NameTaken(span=param.span, name=param.name, what=what, holder=holder)


def _unlike(section: ast.Section, step: ast.Step) -> Iterator[tuple[Span, str, str]]:
    """Yield what a step needs besides the network's answer: its place, the reason, and a remedy."""
    training = "between two calls training takes the default decoder's step"
    for grid in query.those(section.entries, ast.Grid):
        yield grid.span, f"{training}, and has no grid", STEP
    for blocks in query.those(section.entries, ast.Blocks):
        yield blocks.span, f"{training}, and no block of a row is done", "drop the blocks"
    for action in query.those(step.actions, ast.Act):
        if action.verb.id != "unmask":
            name = action.verb.id
            yield action.span, f"{training}, which only writes true tokens", f"drop the {name}"
            continue
        order, rules = action.order, [slots.rule_words()[p.rule] for p in query.paces(action.much)]
        if any(rule.draws or rule.whole for rule in rules):
            yield action.span, f"{training}, which would leave no mask, or draw some", STEP
        elif order is None:
            continue
        elif order.score.id not in order_words() or not order_words()[order.score.id].network:
            why = f"{training}, whose places must follow from the network's answer"
            yield order.span, why, "write `by confidence`"
        elif order.temperature is not None or (order.of is not None and order.of.id != "likeliest"):
            why = f"{training}, which draws nothing: true tokens are written"
            yield order.span, why, f"write `by {order.score.id}`"
