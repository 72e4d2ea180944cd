"""The share of random tokens among those that are not clean: that some noise leads to it."""

from collections.abc import Iterator
from itertools import pairwise

from attrs import frozen

from xlmc.calculus.evaluate import FLOAT, Scope, value_of
from xlmc.calculus.survival import POINTS
from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.semantic_errors import NoValue, WrongShare
from xlmc.syntax import ast
from xlmc.syntax.expression import MathError, literal

SLIP = 1e-9


@frozen
class _Law:
    """The chances at a time that a token is clean, a mask, and a random one."""

    t: float
    clean: float
    mask: float
    random: float


def check(arrow: ast.Arrow) -> Iterator[Diagnostic]:
    """Check the shares of an arrow whose survival is sound.

    From s to t a token is struck with the chance 1 - a, a = alpha(t) / alpha(s), be it clean, a
    mask or random, and becomes a mask or a random token. Of neither there may be fewer at t than a
    times those at s. Where that holds between neighbours it holds between all times.
    """
    if arrow.share is None:
        return
    if arrow.kept is not None:
        yield from _fixed(arrow.share, arrow.kept)
        return
    span, laws = arrow.share.span, list[_Law]()
    for t in (*POINTS[1:], 1.0):
        try:
            share = float(value_of(arrow.share, Scope({arrow.argument: t}), FLOAT))
        except MathError as error:
            where, reason = f"at t = {t:g}", error.reason
            yield NoValue(span=error.node.span, reason=reason, where=where, hint="")
            return
        if not -SLIP <= share <= 1 + SLIP:
            yield WrongShare(span=span, why=f"it is {share:g} at t = {t:g}", hint=WITHIN)
            return
        clean = float(value_of(arrow.value, Scope({arrow.argument: t}), FLOAT))
        laws.append(_Law(t, clean, (1 - clean) * (1 - share), (1 - clean) * share))
    if laws[-1].random > SLIP:
        yield WrongShare(span=span, why=f"it is {laws[-1].random:g} at t = 1", hint=ENDS)
        return
    yield from (WrongShare(span=span, why=why, hint=KERNEL) for why in _vanishing(laws))


def _fixed(random: ast.Expr, kept: ast.Expr) -> Iterator[Diagnostic]:
    """Check the shares of random tokens and of those that stay, which leave some for masks."""
    for expr, what in ((random, "random"), (kept, "clean")):
        share = literal(expr)
        if share is None or not 0 <= share <= 1:
            why = f"it is {share:g}" if share is not None else "it is not one constant number"
            yield WrongShare(span=expr.span, what=what, why=why, hint=NUMBER)
            return
    total = (literal(random) or 0.0) + (literal(kept) or 0.0)
    if total > 1 - SLIP:
        why = f"together they are {total:g}"
        yield WrongShare(span=kept.span, what="random and clean", why=why, hint=SOME)


NUMBER = "with `clean share`, each share is a constant from 0 to 1"
SOME = "some tokens become masks: let the shares be less than 1 together"
WITHIN = "a share is a number from 0 to 1 at every t between 0 and 1"
ENDS = "decoding starts from masks alone: multiply the share by `1 - t`"
KERNEL = "let the share change more slowly, or more tokens survive"


def _vanishing(laws: list[_Law]) -> Iterator[str]:
    """Yield the first times between which masks or random tokens vanish too fast for the noise."""
    for before, after in pairwise(laws):
        stays = after.clean / before.clean if before.clean > 0 else 0.0
        for what, early, late in (
            ("masks", before.mask, after.mask),
            ("random tokens", before.random, after.random),
        ):
            if late < stays * early - SLIP:
                times = f"between t = {before.t:.3g} and {after.t:.3g}"
                yield f"{times} {what} vanish faster than tokens are corrupted"
                return
