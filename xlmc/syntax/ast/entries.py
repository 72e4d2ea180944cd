"""The entries of all sections but decoders."""

from attrs import frozen

from xlmc.syntax.ast.expressions import Call, Expr, Keyword, Name, Node, String

# In several sections


@frozen
class Param(Node):
    """``param top_p : Chance = 1.0``."""

    name: str
    kind: str
    default: Expr


@frozen
class Choice(Node):
    """``param order = confidence | margin``: the alternatives, the first of them the default."""

    name: str
    options: tuple[Name, ...]


@frozen
class Let(Node):
    """``let back = min(eta, 1)``."""

    name: str
    value: Expr


@frozen
class Drop(Node):
    """``drop reuse``: delete an entry of the parent."""

    key: str


# Noise


@frozen
class NoNoise(Node):
    """``none``: nothing is corrupted."""


@frozen
class Draft(Node):
    """``draft ~ random(size)``: the law of the row that noise makes of a text at last."""

    law: Name | Call


@frozen
class Arrow(Node):
    """``clean -> mask  survival alpha(t) = 1 - t``.

    Of ``clean -> mask | random share t * (1 - t)  survival ...``, ``other`` is the second state,
    and ``share`` how many of the tokens that are not clean are in it. ``third`` and ``kept`` are
    those of a third state.

    Of ``clean -> gone  events clock(t) = 9 * t``, ``events`` is their expected number. In a
    complete family ``value`` is then the share of them that is yet to come.
    """

    origin: Name
    target: Name
    survival: str
    argument: str
    value: Expr
    other: Name | None = None
    share: Expr | None = None
    third: Name | None = None
    kept: Expr | None = None
    events: Expr | None = None


@frozen
class Sequence(Node):
    """``order random``: the order in which the tokens of a text are predicted."""

    kind: Name


@frozen
class Amount(Node):
    """``amount t ~ uniform(0, 1) stratified``; ``variable`` is ``t`` or ``count``."""

    variable: Name
    law: Call
    spread: Name | None = None


# Network


@frozen
class Backbone(Node):
    """``backbone dit(condition = t)``, or ``backbone python "pkg.mod:name"``."""

    value: Name | Call
    python: String | None = None


@frozen
class Attention(Node):
    """``attention full``."""

    kind: Name


@frozen
class Carry(Node):
    """``carry memory at mask over 2``: a vector at each mask, carried from call to call."""

    name: str
    at: Name | None = None
    over: Expr | None = None


@frozen
class Head(Node):
    """``head slot : logits at gaps``, ``head gap : distribution(32) at gaps``.

    ``shifted`` heads are read one position to the left of what they speak of.
    """

    name: str
    kind: Name
    size: Expr | None = None
    at: Name | None = None
    shifted: bool = False


# Loss


@frozen
class Nothing(Node):
    """``none gone``: the event that no token is in a state."""

    state: Name


@frozen
class Divergence(Node):
    """``joint_cross_entropy(gone)``, ``binary_cross_entropy(none gone, balance = 0.9)``."""

    kind: str
    target: Name | Nothing
    options: tuple[Keyword, ...] = ()


@frozen
class Term(Node):
    """``token : cross_entropy(x0) on mask  weight bound``."""

    head: Name
    divergence: Divergence
    on: Name | None = None
    weight: Expr | None = None


@frozen
class Mean(Node):
    """``mean over masked per sequence``: the denominator of the sum of the terms."""

    over: Name
    per: Name | None = None


# Collation


@frozen
class Slot(Node):
    """One item of a layout; ``free`` if it is inside brackets."""

    name: str
    free: bool


@frozen
class Layout(Node):
    """``infill : bos [body] eos keeping given``."""

    name: str
    slots: tuple[Slot, ...]
    keeping: Name | None = None


@frozen
class Side(Node):
    """``body right``."""

    part: Name
    side: Name


@frozen
class Pad(Node):
    """``pad body right, prompt left``."""

    sides: tuple[Side, ...]
