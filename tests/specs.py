"""Trees of specs drawn at random: all that the grammar can say, whether it makes sense or not."""

from fractions import Fraction

from attrs import evolve
from hypothesis import strategies as st

from xlmc.diagnostics.source import Source, Span
from xlmc.syntax import ast, grammar

NOWHERE = Span(Source("drawn.xlm", ""), 0, 0)
_KEYWORDS = frozenset(grammar.keywords(grammar.parser()))


def at(node, /, **fields):
    return st.builds(node, span=st.just(NOWHERE), **fields)


def many(strategy, least=0):
    return st.lists(strategy, min_size=least, max_size=3).map(tuple)


idents = st.one_of(
    st.sampled_from(["t", "alpha", "mask", "gone", "clean", "token", "slot", "length", "limit"]),
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,7}", fullmatch=True),
).filter(lambda word: word not in _KEYWORDS)
paths = st.lists(idents, min_size=1, max_size=3).map(".".join)
words = at(ast.Name, id=idents)
soft = at(ast.Name, id=st.one_of(idents, st.sampled_from(sorted(grammar.SOFT))))
quoted = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters='"'), max_size=12)
strings = at(ast.String, value=quoted.map(lambda s: s.replace("x", " # ")))
numbers = st.one_of(
    st.sampled_from(["0", "007", "80_000", "1e-4", "0.9999", "2.5e3", "1E+2"]),
    st.integers(0, 10**6).map(str),
).map(lambda text: ast.Number(span=NOWHERE, value=Fraction(text.replace("_", "")), text=text))


def _compound(inner):
    value = inner | strings
    keyword = at(ast.Keyword, name=idents, value=value)
    return st.one_of(
        at(ast.Negative, operand=inner),
        at(ast.Binary, op=st.sampled_from(["+", "-", "*", "/", "**"]), left=inner, right=inner),
        at(
            ast.Call,
            function=idents,
            arguments=many(value),
            keywords=many(keyword),
            primes=st.integers(0, 2),
        ),
    )


expressions = st.recursive(numbers | soft, _compound, max_leaves=8)
values = expressions | strings
calls = at(
    ast.Call,
    function=idents,
    arguments=many(values),
    keywords=many(at(ast.Keyword, name=idents, value=values)),
)

# Entries

params = at(ast.Param, name=idents, kind=idents, default=values)
choices = at(ast.Choice, name=idents, options=many(words, 1))
lets = at(ast.Let, name=idents, value=expressions)
drops = at(ast.Drop, key=paths | st.sampled_from(["reuse", "stop", "pad.body"]))
defined = params | choices | lets | drops
noise = st.one_of(
    at(ast.NoNoise),
    at(ast.Draft, law=words | calls),
    at(
        ast.Arrow,
        origin=words,
        target=words,
        survival=idents,
        argument=idents,
        value=expressions,
    ),
    at(ast.Amount, variable=words, law=calls, spread=st.none() | words),
    drops,
)
network = st.one_of(
    at(ast.Backbone, value=words | calls),
    at(
        ast.Backbone,
        value=st.just(ast.Name(span=NOWHERE, id="python")),
        python=strings,
    ),
    at(ast.Attention, kind=words),
    at(
        ast.Head,
        name=idents,
        kind=soft,
        size=st.none() | expressions,
        at=st.none() | words,
        shifted=st.booleans(),
    ),
    drops,
)
divergences = at(
    ast.Divergence,
    kind=soft.map(lambda word: word.id),
    target=words | at(ast.Nothing, state=words),
    options=many(at(ast.Keyword, name=idents, value=expressions)),
)
loss = st.one_of(
    at(
        ast.Term,
        head=words,
        divergence=divergences,
        on=st.none() | words,
        weight=st.none() | expressions,
    ),
    at(ast.Mean, over=words, per=st.none() | words),
    defined,
)
alone = st.one_of(
    at(ast.Much, rule=st.sampled_from(["one", "all"])),
    at(
        ast.Much,
        rule=st.sampled_from(["chance", "quota", "poisson", "above", "within", "factor"]),
        value=expressions,
    ),
)
much = st.one_of(
    alone,
    st.tuples(alone, alone).map(lambda two: evolve(two[0], otherwise=two[1])),
)
orders = at(ast.Order, score=words, of=st.none() | words, temperature=st.none() | expressions)
short = idents.map(lambda n: ast.Keyword(span=NOWHERE, name=n, value=ast.Name(span=NOWHERE, id=n)))
options = st.one_of(
    st.fixed_dictionaries({"greedy": st.just(True)}),
    st.fixed_dictionaries({"options": many(short | at(ast.Keyword, name=idents, value=values))}),
)
actions = st.one_of(
    at(ast.Act, verb=words, much=much, order=st.none() | orders),
    at(ast.Insert, what=words, much=much),
    st.builds(lambda w, o: ast.Pick(span=NOWHERE, what=w, **o), words, options),
    st.builds(lambda w, o: ast.Draw(span=NOWHERE, head=w, **o), words, options),
)
conditions = st.one_of(
    at(
        ast.Compare,
        op=st.sampled_from(["=", "<", ">", "<=", ">="]),
        left=expressions,
        right=expressions,
    ),
    at(ast.NoState, state=words),
    at(ast.Happens, chance=expressions),
)
decoder = st.one_of(
    at(ast.Start, state=words),
    at(ast.Grid, value=words | calls),
    at(ast.Blocks, size=expressions),
    at(ast.Guide, value=calls),
    at(ast.Overflow, policy=words),
    at(ast.Step, actions=many(actions, 1)),
    at(ast.Finish, actions=many(actions, 1)),
    at(ast.Stop, conditions=many(conditions, 1)),
    at(ast.Reuse, what=words),
    defined,
)
slots = at(ast.Slot, name=idents | st.just("pad"), free=st.booleans())
collate = st.one_of(
    at(ast.Layout, name=idents, slots=many(slots, 1), keeping=st.none() | words),
    at(ast.Pad, sides=many(at(ast.Side, part=words, side=words), 1)),
    drops,
)
settings_ = at(
    ast.Setting,
    path=paths,
    value=st.one_of(numbers, at(ast.Negative, operand=numbers), words, strings),
)

# The whole

_ENTRIES = {
    "noise": noise,
    "network": network,
    "loss": loss,
    "decoder": decoder,
    "collate": collate,
}


@st.composite
def sections(draw):
    kind = draw(st.sampled_from(sorted(_ENTRIES)))
    name = draw(st.none() | idents) if kind == "decoder" else None
    if name is not None and draw(st.booleans()):
        return ast.Section(span=NOWHERE, kind=kind, entries=(), name=name, drop=True)
    return ast.Section(
        span=NOWHERE,
        kind=kind,
        entries=draw(many(_ENTRIES[kind])),
        name=name,
        replace=draw(st.booleans()),
    )


families = at(
    ast.Family,
    name=words,
    title=st.none() | strings,
    parent=st.none() | words,
    papers=many(at(ast.Paper, citation=strings, arxiv=st.none() | strings)),
    sections=many(sections()),
    recipes=many(at(ast.Recipe, tasks=many(words), settings=many(settings_), drops=many(drops))),
)
