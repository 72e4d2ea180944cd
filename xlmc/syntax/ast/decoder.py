"""The entries of a decoder."""

from attrs import frozen

from xlmc.syntax.ast.expressions import Call, Expr, Keyword, Name, Node


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

    For a row in which it takes none, ``otherwise`` decides; what ``also`` takes is taken as well.
    One of both is None.
    """

    rule: str
    value: Expr | None = None
    otherwise: "Much | None" = None
    also: "Much | None" = None

    @property
    def rest(self) -> "Much | None":
        """Return the rule after this one."""
        return self.otherwise or self.also

    @property
    def link(self) -> str:
        """Return the word before the rule after this one."""
        return "or" if self.also is not None else "else"


@frozen
class Order(Node):
    """``by confidence of sampled temperature 0.1``: the candidates that come first.

    ``weight`` is that of the score of tokens which compete again.
    """

    score: Name
    of: Name | None = None
    temperature: Expr | None = None
    weight: Expr | None = None


@frozen
class Act(Node):
    """``unmask quota 2 by confidence``: a verb, its rule and its order.

    The verbs are words: which there are is known to the checks, not to the grammar.
    """

    verb: Name
    much: Much
    order: Order | None = None


@frozen
class Insert(Node):
    """``insert tokens one``, ``insert masks poisson gap * reveal(beta)``."""

    what: Name
    much: Much
    order: Order | None = None


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


Action = Act | Insert | Pick | Draw


@frozen
class Step(Node):
    """``step { }``: the actions of one reverse step."""

    actions: tuple[Action, ...]


@frozen
class Finish(Node):
    """``finish { }``: the actions when the grid has ended; ``over N``: as often, at most."""

    actions: tuple[Action, ...]
    over: Expr | None = None


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
    """``reuse while unchanged``, or ``reuse prefix while block``: keys and values of a part."""

    what: Name
    part: Name | None = None


@frozen
class Overflow(Node):
    """``overflow skip_row``: the treatment of insertions for which there is no room."""

    policy: Name
