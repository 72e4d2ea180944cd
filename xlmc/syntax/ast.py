"""The syntax tree: frozen classes, each with its span, and no behaviour.

The names of the classes are the names of the grammar's rules.
"""

from fractions import Fraction

from attrs import field, frozen

from xlmc.diagnostics.source import Span


@frozen(kw_only=True)
class Node:
    """Any part of a spec. Spans do not count when trees are compared."""

    span: Span = field(eq=False, repr=False)


# Expressions


@frozen
class Number(Node):
    """An unsigned literal, exact; ``text`` is how it was written."""

    value: Fraction
    text: str = field(eq=False)


@frozen
class String(Node):
    """A quoted text."""

    value: str


@frozen
class Name(Node):
    """A name for a value: ``bound``, ``t``, ``top_p``."""

    id: str


@frozen
class Keyword(Node):
    """``name = value`` among arguments; ``with top_p`` is short for ``with top_p = top_p``."""

    name: str
    value: "Expr"


@frozen
class Call(Node):
    """``alpha(t)``, ``alpha'(t)`` (``primes`` counts the dashes), ``uniform(0, 1)``."""

    function: str
    arguments: tuple["Expr", ...] = ()
    keywords: tuple[Keyword, ...] = ()
    primes: int = 0


@frozen
class Negative(Node):
    """``-x``."""

    operand: "Expr"


@frozen
class Binary(Node):
    """``left op right`` with op one of ``+ - * / **``."""

    op: str
    left: "Expr"
    right: "Expr"


Expr = Number | String | Name | Call | Negative | Binary


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
class Arrow(Node):
    """``clean -> mask  survival alpha(t) = 1 - t``.

    Of ``clean -> mask | random share t * (1 - t)  survival ...``, ``other`` is the second state,
    and ``share`` how many of the tokens that are not clean are in it.

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
    events: Expr | None = None


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
    """``none gone``, the event that no token is in a state."""

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


# Decoder


@frozen
class Start(Node):
    """``start masks``, or ``start masks(size)``: their number is drawn from a head."""

    state: Name
    head: Name | None = None
    greedy: bool = False


@frozen
class Grid(Node):
    """``grid uniform(steps)`` or ``grid events``."""

    value: Name | Call


@frozen
class Blocks(Node):
    """``blocks 32``: so many tokens at a time are filled, from left to right."""

    size: Expr


@frozen
class Guide(Node):
    """``guide cfg(scale = 2, without = prompt)``: the network answers with and without a prompt."""

    value: Call


@frozen
class Much(Node):
    """The number of candidates to take: ``one``, ``all``, or a rule with its number.

    For a row in which it takes none, ``otherwise`` decides.
    """

    rule: str
    value: Expr | None = None
    otherwise: "Much | None" = None


@frozen
class Order(Node):
    """``by confidence of sampled temperature 0.1``: the candidates that come first."""

    score: Name
    of: Name | None = None
    temperature: Expr | None = None


@frozen
class Unmask(Node):
    """``unmask quota masked / steps_left by order of likeliest``."""

    much: Much
    order: Order | None = None


@frozen
class Remask(Node):
    """``remask chance eta``: tokens that were drawn become masks again."""

    much: Much
    order: Order | None = None


@frozen
class Substitute(Node):
    """``substitute all``: tokens are drawn anew."""

    much: Much
    order: Order | None = None


@frozen
class Insert(Node):
    """``insert tokens one``, ``insert masks poisson gap * reveal(beta)``."""

    what: Name
    much: Much
    order: Order | None = None


@frozen
class Append(Node):
    """``append one``: a token behind the last one."""

    much: Much


@frozen
class Pick(Node):
    """``pick gap with top_k = 2``: choose the place before the token."""

    what: Name
    greedy: bool = False
    options: tuple[Keyword, ...] = ()


@frozen
class Draw(Node):
    """``draw token with temperature, top_p``, ``draw token greedy``, or ``from posterior``."""

    head: Name
    law: Name | None = None
    greedy: bool = False
    options: tuple[Keyword, ...] = ()


Action = Unmask | Remask | Substitute | Insert | Append | Pick | Draw


@frozen
class Step(Node):
    """``step { }``: the actions of one reverse step."""

    actions: tuple[Action, ...]


@frozen
class Finish(Node):
    """``finish { }``: the actions on what is left when the grid has ended."""

    actions: tuple[Action, ...]


@frozen
class Compare(Node):
    """``done > stop_above``, ``length = oracle``; op is one of ``= < > <= >=``."""

    op: str
    left: Expr
    right: Expr


@frozen
class NoState(Node):
    """``no mask``: no token of the row is in the state."""

    state: Name


@frozen
class Happens(Node):
    """``chance done``: happens with that chance."""

    chance: Expr


Condition = Compare | NoState | Happens


@frozen
class Stop(Node):
    """``stop when done > stop_above or length = limit``: any of the conditions ends a row."""

    conditions: tuple[Condition, ...]


@frozen
class Reuse(Node):
    """``reuse while unchanged``."""

    what: Name


@frozen
class Overflow(Node):
    """``overflow skip_row``: the treatment of insertions for which there is no room."""

    policy: Name


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


# The whole


@frozen
class Setting(Node):
    """``learning_rate 1e-4``, ``decoder.top_k 1``: a path of a run's configuration and a value."""

    path: str
    value: Expr


@frozen
class Recipe(Node):
    """``recipe owt, lm1b { batch 64 }``: published settings for tasks; parents' ones to drop.

    One without tasks holds what all recipes have in common.
    """

    tasks: tuple[Name, ...]
    settings: tuple[Setting, ...]
    drops: tuple[Drop, ...] = ()

    @property
    def title(self) -> str:
        """Its tasks as they are written."""
        return ", ".join(task.id for task in self.tasks)

    @property
    def header(self) -> str:
        """The words before its brace."""
        return f"recipe {self.title}" if self.tasks else "recipe"


@frozen
class Section(Node):
    """A block of entries: kind is ``noise``, ``network``, ``loss``, ``decoder`` or ``collate``.

    ``name`` is that of a named decoder; ``replace`` drops what the parent had, and ``drop`` the
    decoder itself: ``drop decoder sampled``.
    """

    kind: str
    entries: tuple[Node, ...]
    name: str | None = None
    replace: bool = False
    drop: bool = False


@frozen
class Paper(Node):
    """``paper "Sahoo et al. 2024" arxiv "2406.07524"``."""

    citation: String
    arxiv: String | None = None


@frozen
class Family(Node):
    """A whole spec; ``doc`` is the comment directly above it."""

    name: Name
    title: String | None
    parent: Name | None
    papers: tuple[Paper, ...]
    sections: tuple[Section, ...]
    recipes: tuple[Recipe, ...]
    doc: str = field(default="", eq=False)
