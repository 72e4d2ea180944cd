"""The places that a step chooses: by a rule, and in an order."""

from collections.abc import Iterable, Iterator
from functools import reduce

from attrs import evolve

from xlmc.calculus.code import Code, Kind, Rank, beside_tokens, built, param, variable
from xlmc.lower import ir, parts
from xlmc.words.actions.edit import Edit
from xlmc.words.orders.base import Order
from xlmc.words.rules.base import Actor
from xlmc.words.slots import order_words

CUTS = {"temperature": "1.0", "top_k": "0", "top_p": "1.0"}  # in their order, cutting nothing
TYPES = {
    "logits": 'Float[Tensor, "places vocab"]',
    "token": 'Int[Tensor, " places"]',
    "column": 'Int[Tensor, " places"]',
    "u": 'Float[Tensor, " places"]',
}
COLUMN = "masked.nonzero()[:, 1]"
MASKS = Actor("masked", "unmask", "quota")
OTHER = "other"  # the variable of the places at which another token was drawn
RANDOM = 'noise.uniform("order", canvas.position)'


def actor(word: Edit) -> Actor:
    """Return the variable of an edit's candidates, and the names of its random streams."""
    return Actor(OTHER if word.revises else word.candidates, word.verb, word.numbers)


def words(order: ir.Order) -> list[Order]:
    """Return the scores that an order chooses from."""
    return [order_words()[name] for name in order.scores]


def codes(order: ir.Order, column: str = "column", *, errors: bool = False) -> dict[str, Code]:
    """Return the code of each score; ``column`` is that of the places of the masks."""
    forms = {one.name: one.coded(errors=errors, drawn=order.sampled) for one in words(order)}
    variables = {"column": column, "logits": "logits", "token": "token"}
    return {name: built(form.format(**variables)) for name, form in forms.items()}


def arguments(order: ir.Order) -> tuple[str, ...]:
    """Return the arguments of the method that scores by a choice."""
    read = {name for one in words(order) for name in one.reads}
    read |= {"token"} if order.sampled else set()
    return tuple(name for name in TYPES if name in read | {"logits"})


def _draws(order: ir.Order) -> bool:
    return any("u" in one.reads for one in words(order))


def methods(unmask: ir.Unmask) -> list[parts.Scores]:
    """Return the methods that score masks, where a param chooses the score."""
    if not unmask.order.param or not unmask.reads_network:
        return []
    return [_method(unmask.order, errors=errors) for errors in ways(unmask.paces)]


def ways(paces: Iterable[ir.Pace]) -> dict[bool, int]:
    """Return how many rules take places by errors, and by scores."""
    found = [pace.rule.errors for pace in paces if pace.rule.ordered]
    return {way: found.count(way) for way in found}


def once(
    paces: tuple[ir.Pace, ...], values: dict[bool, Code]
) -> tuple[list[tuple[str, Code]], dict[bool, Code]]:
    """Return the scores and errors of all places; one that several rules read is a variable."""
    many = [way for way, uses in ways(paces).items() if uses > 1 and not values[way].variable]
    names = {way: "errors" if way else "scores" for way in many}
    lines = [(name, values[way]) for way, name in names.items()]
    return lines, values | {way: built(name) for way, name in names.items()}


def _method(order: ir.Order, *, errors: bool) -> parts.Scores:
    first = "the smallest come" if errors else "the highest come"
    whose = "error" if errors else "score"
    which = "sampled" if order.sampled else "likeliest"
    found = words(order)
    told = [(s.lacks if errors else s.says) + f" ({which})" * s.token for s in found]
    detail = "; ".join(map(": ".join, zip(order.scores, told, strict=True))) + "."
    law = "All are of the distribution that tokens are drawn from." if order.tempered else ""
    return parts.Scores(
        name=f"{whose}s",
        param=order.param,
        arguments=tuple(f"{name}: {TYPES[name]}" for name in arguments(order)),
        cases=(*codes(order, errors=errors).items(),),
        doc=(f"Return the {whose} of each mask, by ``{order.param}``: {first} first.", law, detail),
    )


def places(unmask: ir.Unmask) -> Code:
    """Return the places of rules that do not read the network."""
    order = unmask.order
    score = built(RANDOM)
    if order.scores != ("random",):
        score = built("leftmost(masked)")
    if order.param:
        choice = param(order.param, "Choice").code
        score = built(f'{RANDOM} if {{}} == "random" else leftmost(masked)', choice)
    return chosen(unmask.paces, {False: score}, MASKS)


def chosen(
    paces: tuple[ir.Pace, ...], scores: dict[bool, Code], actor: Actor, *, some: bool = True
) -> Code:
    """Return the places of some rules, by a score and an error (True) of all places.

    ``some``: a threshold takes the best place where no score is above it.
    """
    *others, last = (pace.rule.places(*_of(pace, scores), actor, last=some and pace is paces[-1])
                     for pace in paces)  # fmt: skip
    forms = ["({}) | {}" if pace.joined else "otherwise({}, {})" for pace in paces[:-1]]
    before = reversed([*zip(forms, others, strict=True)])
    return reduce(lambda rest, one: built(one[0], one[1], rest), before, last)


def _of(pace: ir.Pace, scores: dict[bool, Code]) -> tuple[Code, Code | None]:
    return scores.get(pace.rule.errors, built("None")), pace.code


def choice(unmask: ir.Unmask) -> list[tuple[str, Code]]:
    """Return the places of rules that read the network, as lines of code."""
    order = unmask.order
    lines = [*looks(unmask.paces, "masked", drawn=order.sampled)]
    if _draws(order) or order.temperature is not None:
        lines.append(("u", built(f"{RANDOM}[masked]")))
    values: dict[bool, Code] = {}
    for errors in ways(unmask.paces):
        value = _value(order, errors=errors)
        if order.temperature is not None:
            more, warm = _warm(order.temperature)
            lines += [*more, ("scores", heated(value, warm, "u"))]
            value = built("scores")
        fixed = order.scores[0] if not (errors or order.param or order.temperature) else ""
        values[errors] = same(fixed, unmask.paces) or built("spread({}, masked)", value)
    more, scores = once(unmask.paces, values)
    lines += more
    paces = unmask.paces
    if unmask.ahead is not None:
        paces = (evolve(paces[0], code=built("quota")),)
    return [*lines, ("places", chosen(paces, scores, MASKS))]


def looks(
    paces: Iterable[ir.Pace], places: str, *, drawn: bool, known: str = ""
) -> Iterator[tuple[str, Code]]:
    """Yield the scores and the rates that amounts read, at all places; not what is ``known``."""
    for name in dict.fromkeys(n for pace in paces for n in pace.looks if n != known):
        word = order_words().get(name)
        if word is None:  # a head of rates
            rates = f"canvas.network.{name}(canvas.hidden({places}))"
            yield name, built(f"spread({rates}, {places})")
            continue
        form = word.amount(drawn=drawn).format(logits="logits", token="token")
        yield word.variable, built(f"spread({form}, {places})")


def same(score: str, paces: Iterable[ir.Pace]) -> Code | None:
    """Return the variable of a score that an amount reads unchanged; None if none does."""
    read = any(score in pace.looks for pace in paces) and order_words()[score].plain
    if not read:
        return None
    return variable(order_words()[score].variable, Rank.TOKEN, Kind.DOUBLE).code


def edited(edit: ir.Edit) -> list[tuple[str, Code]]:
    """Return the places that an edit changes, as lines of code."""
    lines, present = list[tuple[str, Code]](), {"logits": "now", "token": "canvas.x[written]"}
    for name in dict.fromkeys(name for pace in edit.paces for name in pace.looks):
        form = order_words()[name].amount(drawn=True).format(**present)
        lines.append((order_words()[name].variable, built(f"spread({form}, written)")))
    u = f'noise.uniform("{edit.word.verb}", canvas.position)'
    score = built("-sureness(canvas)" if edit.sure else u)
    if edit.now:
        form = order_words()[edit.now].coded(errors=False, drawn=True).format(**present)
        wide = built(f"spread({form}, written)")
        read = same(edit.now, edit.paces)
        lines += [] if read else [("scores", wide)]
        score = built("-{}", read or built("scores"))
    if edit.temperature is not None:
        score = heated(score, beside_tokens(edit.temperature), u)
    return [*lines, (edit.word.places, chosen(edit.paces, {False: score}, actor(edit.word)))]


def heated(score: Code, heat: Code, u: str) -> Code:
    """Add Gumbel draws times a temperature to a score."""
    draws = f"gumbel({u})"
    return built("{} + {}", score, built(draws if heat.value == 1 else f"{{}} * {draws}", heat))


def replaced(edit: ir.Edit, logits: str) -> Code:
    """Return the places of an edit at which the token that was drawn replaces another one."""
    form = order_words()[edit.now].coded(errors=False, drawn=edit.sampled)
    value = built(form.format(logits=logits, token="fresh"))
    if edit.temperature is not None:
        u = f'noise.uniform("{edit.word.verb}_order", canvas.position)[written]'
        value = heated(value, beside_tokens(edit.temperature), u)
    scores = {False: built("spread({}, written)", value)}
    return chosen(edit.paces, scores, actor(edit.word), some=False)


def _value(order: ir.Order, *, errors: bool) -> Code:
    """Return the score or the error of each mask."""
    if order.param:
        values = {"column": COLUMN}
        told = ", ".join(values.get(name, name) for name in arguments(order))
        return built(f"self.{_method(order, errors=errors).name}({told})")
    (value,) = codes(order, COLUMN, errors=errors).values()
    return value


def _warm(temperature: Code) -> tuple[list[tuple[str, Code]], Code]:
    """Return a temperature for each mask, and what comes before it."""
    if temperature.rank == Rank.SCALAR:
        return [], temperature
    return [("heat", temperature)], built("heat[masked.nonzero()[:, 0]]")
