"""The order in which tokens are predicted: that it can be drawn, and what must follow it."""

from collections.abc import Iterator

from xlmc.check.backbones import having, lacking
from xlmc.check.words import one_of
from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import WrongOrder
from xlmc.syntax import ast, query
from xlmc.theory.process import Process
from xlmc.words.backbones.base import Backbone, Layers


def check(family: ast.Family) -> Iterator[Diagnostic]:
    """Check an order of the noise, and all that must follow it."""
    entries, process = query.entries(family, "noise"), Process.of(family)
    order = query.first(entries, ast.Sequence)
    if order is None:
        return
    yield from one_of(order.kind, ("random", "left"), "an order of tokens")
    arrow = query.first(entries, ast.Arrow)
    if arrow is not None:
        why = "tokens are corrupted, and the decoder says in which order they come back"
        yield WrongOrder(span=order.span, why=why, hint="drop the order, or write `none` before it")
    if process.permuted:
        yield from _network(family)
        yield from _decoders(family)


def _network(family: ast.Family) -> Iterator[Diagnostic]:
    """Check that the network can be given the place that it is to fill."""
    found = lacking(family, _permuted)
    if found is not None:
        backbone, name = found
        why = f"`{name}` predicts the next token of a row, and takes no place that it is to fill"
        own = "a network of your own is called with the tokens alone, "
        own += "and not with the place to fill"
        yield WrongOrder(span=backbone.span, why=why if name else own, hint=having(_permuted))
    for attention in query.those(query.entries(family, "network"), ast.Attention):
        if attention.kind.id == "full":
            why = "under full attention the network sees the tokens that come later in the order"
            yield WrongOrder(span=attention.span, why=why, hint="write `attention causal`")
    for head in query.heads(family).values():
        if head.shifted:
            why = "each token is predicted at its own place"
            yield WrongOrder(span=head.span, why=why, hint="drop `shifted`")


def _permuted(word: Backbone) -> Layers | None:
    return word.permuted


def _decoders(family: ast.Family) -> Iterator[Diagnostic]:
    """Check that decoders need no time, and no second answer."""
    for section in query.decoders(family):
        for guide in query.those(section.entries, ast.Guide):
            why = "an answer without the prompt needs a row that is read in another order"
            yield WrongOrder(span=guide.span, why=why, hint="drop the guide")
