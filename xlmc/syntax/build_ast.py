"""Lark's tree becomes ours: one method per rule of the grammar, each named after its rule.

Trees are built from their leaves upward without recursion, so that depth can be limited here, once,
for every later stage that does recur.
"""

from typing import Any

from attrs import evolve, frozen
from lark import Token, Tree

from xlmc.diagnostics.diagnostic import SpecErrors
from xlmc.diagnostics.source import Source, Span
from xlmc.diagnostics.syntax_errors import ReservedName, TooDeep
from xlmc.syntax import ast
from xlmc.syntax.build_expressions import Expressions

DEEPEST = 100  # levels of an expression; an operator or a call is a level
_LEVELS = frozenset({"binary", "negative", "call"})
_How = Token | tuple[ast.Keyword, ...] | None  # `greedy`, the options of `with`, or neither


def build(source: Source, root: Tree[Token]) -> ast.Family:
    """Build the family that a tree describes; ``doc`` is left empty.

    Raises:
        SpecErrors: for expressions that are too deep, numbers out of range and reserved names.
    """
    builder = _Builder(source)
    made: dict[int, Any] = {}
    depth: dict[int, int] = {}
    for tree in root.iter_subtrees():
        below = [depth[id(c)] for c in tree.children if isinstance(c, Tree)]
        depth[id(tree)] = level = max(below, default=0) + (tree.data in _LEVELS)
        span = Span(source, tree.meta.start_pos, tree.meta.end_pos)
        if level > DEEPEST:
            raise SpecErrors([TooDeep(span=span, limit=DEEPEST)])
        children = (made[id(c)] if isinstance(c, Tree) else c for c in tree.children)
        made[id(tree)] = getattr(builder, tree.data)(span, *children)
    if builder.problems:
        raise SpecErrors(builder.problems)
    family = made[id(root)]
    assert isinstance(family, ast.Family)
    return family


@frozen
class _Also:
    """The rules after an ``or``."""

    much: ast.Much


class _Builder(Expressions):
    """A method gets the span of its rule and its children: tokens, nodes, None if absent."""

    def _declared(self, token: Token) -> str:
        """Return a name that the spec defines; refuse `chance`, which would be ambiguous."""
        if token == "chance":
            self.problems.append(ReservedName(span=self._place(token), name=str(token)))
        return str(token)

    def _place(self, token: Token) -> Span:
        assert token.start_pos is not None
        return Span(self.source, token.start_pos, token.start_pos + len(token))

    # The whole

    def start(self, _: Span, family: ast.Family) -> ast.Family:
        return family

    def family(
        self,
        span: Span,
        name: ast.Name,
        title: ast.String | None,
        parent: ast.Name | None,
        *items: ast.Paper | ast.Section | ast.Recipe,
    ) -> ast.Family:
        return ast.Family(
            span=span,
            name=name,
            title=title,
            parent=parent,
            papers=tuple(i for i in items if isinstance(i, ast.Paper)),
            sections=tuple(i for i in items if isinstance(i, ast.Section)),
            recipes=tuple(i for i in items if isinstance(i, ast.Recipe)),
        )

    def paper(self, span: Span, citation: ast.String, arxiv: ast.String | None) -> ast.Paper:
        return ast.Paper(span=span, citation=citation, arxiv=arxiv)

    def noise(self, span: Span, replace: Token | None, *entries: ast.Node) -> ast.Section:
        return ast.Section(span=span, kind="noise", entries=entries, replace=bool(replace))

    def network(
        self, span: Span, replace: Token | None, name: Token | None, *entries: ast.Node
    ) -> ast.Section:
        return self._named("network", span, replace, name, entries)

    def loss(self, span: Span, replace: Token | None, *entries: ast.Node) -> ast.Section:
        return ast.Section(span=span, kind="loss", entries=entries, replace=bool(replace))

    def decoder(
        self, span: Span, replace: Token | None, name: Token | None, *entries: ast.Node
    ) -> ast.Section:
        return self._named("decoder", span, replace, name, entries)

    def _named(
        self,
        kind: str,
        span: Span,
        replace: Token | None,
        name: Token | None,
        entries: tuple[ast.Node, ...],
    ) -> ast.Section:
        """Return a section of which a family may have several, by their names."""
        return ast.Section(
            span=span,
            kind=kind,
            entries=entries,
            name=self._declared(name) if name else None,
            replace=bool(replace),
        )

    def drop_decoder(self, span: Span, name: Token) -> ast.Section:
        return ast.Section(span=span, kind="decoder", entries=(), name=str(name), drop=True)

    def drop_network(self, span: Span, name: Token) -> ast.Section:
        return ast.Section(span=span, kind="network", entries=(), name=str(name), drop=True)

    def collate(self, span: Span, replace: Token | None, *entries: ast.Node) -> ast.Section:
        return ast.Section(span=span, kind="collate", entries=entries, replace=bool(replace))

    def recipe(self, span: Span, *parts: ast.Name | ast.Setting | ast.Drop) -> ast.Recipe:
        return ast.Recipe(
            span=span,
            tasks=tuple(p for p in parts if isinstance(p, ast.Name)),
            settings=tuple(p for p in parts if isinstance(p, ast.Setting)),
            drops=tuple(p for p in parts if isinstance(p, ast.Drop)),
        )

    def setting(self, span: Span, path: Token, value: ast.Expr) -> ast.Setting:
        return ast.Setting(span=span, path=str(path), value=value)

    # In several sections

    def param(self, span: Span, name: Token, kind: Token, default: ast.Expr) -> ast.Param:
        return ast.Param(span=span, name=self._declared(name), kind=str(kind), default=default)

    def choice(self, span: Span, name: Token, *options: ast.Name) -> ast.Choice:
        return ast.Choice(span=span, name=self._declared(name), options=options)

    def let(self, span: Span, name: Token, value: ast.Expr) -> ast.Let:
        return ast.Let(span=span, name=self._declared(name), value=value)

    def drop(self, span: Span, key: Token) -> ast.Drop:
        return ast.Drop(span=span, key=str(key))

    # Noise

    def no_noise(self, span: Span) -> ast.NoNoise:
        return ast.NoNoise(span=span)

    def draft(self, span: Span, law: ast.Name | ast.Call) -> ast.Draft:
        return ast.Draft(span=span, law=law)

    def arrow(
        self,
        span: Span,
        origin: ast.Name,
        target: ast.Name,
        other: ast.Name | None,
        share: ast.Expr | None,
        third: ast.Name | None,
        kept: ast.Expr | None,
        survival: Token,
        argument: Token,
        value: ast.Expr,
    ) -> ast.Arrow:
        return ast.Arrow(
            span=span,
            origin=origin,
            target=target,
            survival=self._declared(survival),
            argument=self._declared(argument),
            value=value,
            other=other,
            share=share,
            third=third,
            kept=kept,
        )

    def struck(
        self,
        span: Span,
        origin: ast.Name,
        target: ast.Name,
        survival: Token,
        argument: Token,
        value: ast.Expr,
    ) -> ast.Arrow:
        arrow = self.arrow(span, origin, target, None, None, None, None, survival, argument, value)
        return evolve(arrow, events=value)

    def sequence(self, span: Span, kind: ast.Name) -> ast.Sequence:
        return ast.Sequence(span=span, kind=kind)

    def amount(
        self, span: Span, variable: ast.Name, law: ast.Call, spread: ast.Name | None
    ) -> ast.Amount:
        return ast.Amount(span=span, variable=variable, law=law, spread=spread)

    # Network

    def backbone(self, span: Span, value: ast.Name | ast.Call | ast.String) -> ast.Backbone:
        if isinstance(value, ast.String):
            word = Span(self.source, value.span.start, value.span.start + len("python"))
            return ast.Backbone(span=span, value=ast.Name(span=word, id="python"), python=value)
        return ast.Backbone(span=span, value=value)

    def python(self, span: Span, value: ast.String) -> ast.String:
        return evolve(value, span=span)

    def attention(self, span: Span, kind: ast.Name) -> ast.Attention:
        return ast.Attention(span=span, kind=kind)

    def carry(
        self, span: Span, name: Token, at: ast.Name | None, over: ast.Expr | None
    ) -> ast.Carry:
        return ast.Carry(span=span, name=self._declared(name), at=at, over=over)

    def head(
        self,
        span: Span,
        name: Token,
        kind: ast.Name,
        size: ast.Expr | None,
        at: ast.Name | None,
        shifted: Token | None,
    ) -> ast.Head:
        name_ = self._declared(name)
        return ast.Head(
            span=span, name=name_, kind=kind, size=size, at=at, shifted=shifted is not None
        )

    # Loss

    def term(
        self,
        span: Span,
        head: ast.Name,
        divergence: ast.Divergence,
        on: ast.Name | None,
        weight: ast.Expr | None,
    ) -> ast.Term:
        return ast.Term(span=span, head=head, divergence=divergence, on=on, weight=weight)

    def divergence(
        self, span: Span, kind: Token, target: ast.Name | ast.Nothing, *options: ast.Keyword
    ) -> ast.Divergence:
        return ast.Divergence(span=span, kind=str(kind), target=target, options=options)

    def nothing(self, span: Span, state: ast.Name) -> ast.Nothing:
        return ast.Nothing(span=span, state=state)

    def mean(self, span: Span, over: ast.Name, per: ast.Name | None) -> ast.Mean:
        return ast.Mean(span=span, over=over, per=per)

    # Decoder

    def start_from(
        self,
        span: Span,
        state: ast.Name,
        head: ast.Name | None = None,
        greedy: Token | None = None,
    ) -> ast.Start:
        return ast.Start(span=span, state=state, head=head, greedy=bool(greedy))

    def grid(self, span: Span, value: ast.Name | ast.Call) -> ast.Grid:
        return ast.Grid(span=span, value=value)

    def blocks(self, span: Span, size: ast.Expr) -> ast.Blocks:
        return ast.Blocks(span=span, size=size)

    def guide(self, span: Span, value: ast.Call) -> ast.Guide:
        return ast.Guide(span=span, value=value)

    def overflow(self, span: Span, policy: ast.Name) -> ast.Overflow:
        return ast.Overflow(span=span, policy=policy)

    def step(self, span: Span, *actions: ast.Action) -> ast.Step:
        return ast.Step(span=span, actions=actions)

    def finish(self, span: Span, over: ast.Expr | None, *actions: ast.Action) -> ast.Finish:
        return ast.Finish(span=span, actions=actions, over=over)

    def act(self, span: Span, verb: ast.Name, much: ast.Much, order: ast.Order | None) -> ast.Act:
        return ast.Act(span=span, verb=verb, much=much, order=order)

    def insert(
        self, span: Span, what: ast.Name, much: ast.Much, order: ast.Order | None
    ) -> ast.Insert:
        return ast.Insert(span=span, what=what, much=much, order=order)

    def pick(self, span: Span, what: ast.Name, how: _How) -> ast.Pick:
        greedy, options = _manner(how)
        return ast.Pick(span=span, what=what, greedy=greedy, options=options)

    def draw(self, span: Span, head: ast.Name, law: ast.Name | None, how: _How) -> ast.Draw:
        greedy, options = _manner(how)
        return ast.Draw(span=span, head=head, law=law, greedy=greedy, options=options)

    def options(self, _: Span, *options: ast.Keyword) -> tuple[ast.Keyword, ...]:
        return options

    def short(self, span: Span, name: Token) -> ast.Keyword:
        value = ast.Name(span=span, id=str(name))
        return ast.Keyword(span=span, name=str(name), value=value)

    def much(self, _: Span, pace: ast.Much, rest: ast.Much | _Also | None) -> ast.Much:
        if isinstance(rest, _Also):
            return evolve(pace, also=rest.much)
        return evolve(pace, otherwise=rest)

    def also(self, _: Span, much: ast.Much) -> _Also:
        return _Also(much)

    def pace(self, span: Span, rule: Token, value: ast.Expr | None = None) -> ast.Much:
        return ast.Much(span=span, rule=str(rule), value=value)

    def order(
        self,
        span: Span,
        score: ast.Name,
        of: ast.Name | None,
        temperature: ast.Expr | None,
        weight: ast.Expr | None,
    ) -> ast.Order:
        return ast.Order(span=span, score=score, of=of, temperature=temperature, weight=weight)

    def stop(self, span: Span, *conditions: ast.Condition) -> ast.Stop:
        return ast.Stop(span=span, conditions=conditions)

    def compare(self, span: Span, left: ast.Expr, op: Token, right: ast.Expr) -> ast.Compare:
        return ast.Compare(span=span, op=str(op), left=left, right=right)

    def equal(self, span: Span, left: ast.Expr, right: ast.Expr) -> ast.Compare:
        return ast.Compare(span=span, op="=", left=left, right=right)

    def no_state(self, span: Span, state: ast.Name) -> ast.NoState:
        return ast.NoState(span=span, state=state)

    def happens(self, span: Span, _: Token, chance: ast.Expr) -> ast.Happens:
        return ast.Happens(span=span, chance=chance)

    def reuse(self, span: Span, part: ast.Name | None, what: ast.Name) -> ast.Reuse:
        return ast.Reuse(span=span, what=what, part=part)

    # Collation

    def layout(
        self, span: Span, name: Token, *rest: ast.Slot | tuple[ast.Slot, ...] | ast.Name | None
    ) -> ast.Layout:
        slots: list[ast.Slot] = []
        for part in rest[:-1]:
            slots += (
                part if isinstance(part, tuple) else [part] if isinstance(part, ast.Slot) else []
            )
        keeping = rest[-1] if isinstance(rest[-1], ast.Name) else None
        return ast.Layout(span=span, name=self._declared(name), slots=tuple(slots), keeping=keeping)

    def free(self, _: Span, *slots: ast.Slot) -> tuple[ast.Slot, ...]:
        return tuple(evolve(slot, free=True) for slot in slots)

    def slot(self, span: Span, name: Token) -> ast.Slot:
        return ast.Slot(span=span, name=str(name), free=False)

    def pad(self, span: Span, *sides: ast.Side) -> ast.Pad:
        return ast.Pad(span=span, sides=sides)

    def side(self, span: Span, part: ast.Name, side: ast.Name) -> ast.Side:
        return ast.Side(span=span, part=part, side=side)


def _manner(how: _How) -> tuple[bool, tuple[ast.Keyword, ...]]:
    """Return whether a choice is greedy, and its options."""
    return (True, ()) if isinstance(how, Token) else (False, how or ())
