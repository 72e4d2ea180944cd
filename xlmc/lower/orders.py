"""The places that a step chooses: by a rule, and in an order."""

from xlmc.calculus.code import Code, built, param
from xlmc.lower import ir, parts

CUTS = {"temperature": "1.0", "top_k": "0", "top_p": "1.0"}  # in their order, cutting nothing
SCORES = {
    "confidence": "likeliest(logits)",
    "margin": "margin(logits)",
    "entropy": "negative_entropy(logits)",
    "random": "u",
    "left": "(-{column})",
}
ERRORS = {
    "confidence": "(1 - likeliest(logits))",
    "margin": "(1 - margin(logits))",
    "entropy": "(-negative_entropy(logits))",
}
SAMPLED = {  # in the place of the likeliest
    False: {"confidence": "confidence(logits, token)"},
    True: {"confidence": "(1 - confidence(logits, token))"},
}
MEANINGS = {
    "confidence": "the chance of its token",
    "margin": "the lead of its likeliest token over the second",
    "entropy": "minus the entropy of its distribution",
    "random": "a random number",
    "left": "how far left it is",
}
LACKS = {
    "confidence": "what the chance of its token lacks to 1",
    "margin": "what the lead of its likeliest token over the second lacks to 1",
    "entropy": "the entropy of its distribution",
}
TYPES = {
    "logits": 'Float[Tensor, "places vocab"]',
    "token": 'Int[Tensor, " places"]',
    "column": 'Int[Tensor, " places"]',
    "u": 'Float[Tensor, " places"]',
}
COLUMN = "masked.nonzero()[:, 1]"
RANDOM = 'noise.uniform("order", canvas.position)'


def codes(order: ir.Order, column: str = "column") -> dict[str, Code]:
    """The code of each score; ``column`` is that of the places of the masks."""
    found = ERRORS if order.errors else SCORES
    found = found | (SAMPLED[order.errors] if order.sampled else {})
    return {score: built(found[score].format(column=column)) for score in order.scores}


def arguments(order: ir.Order) -> tuple[str, ...]:
    """Return the arguments of the method that scores by a choice."""
    needed = {"token": order.sampled, "column": "left" in order.scores, "u": _draws(order)}
    return ("logits", *(name for name, yes in needed.items() if yes))


def _draws(order: ir.Order) -> bool:
    return "random" in order.scores


def method(order: ir.Order) -> parts.Scores:
    """The method that scores masks by a choice."""
    first = "the smallest come" if order.errors else "the highest come"
    whose = "error" if order.errors else "score"
    which = "sampled" if order.sampled else "likeliest"
    words = LACKS if order.errors else MEANINGS
    told = [words[s] + (f" ({which})" if s == "confidence" else "") for s in order.scores]
    detail = "; ".join(map(": ".join, zip(order.scores, told, strict=True))) + "."
    law = "All are of the distribution that tokens are drawn from." if order.tempered else ""
    return parts.Scores(
        name=f"{whose}s",
        param=order.param,
        arguments=tuple(f"{name}: {TYPES[name]}" for name in arguments(order)),
        cases=(*codes(order).items(),),
        doc=(f"Return the {whose} of each mask, by ``{order.param}``: {first} first.", law, detail),
    )


def places(unmask: ir.Unmask) -> Code:
    """The places of a rule that does not read the network."""
    if unmask.rule == "all":
        return built("masked")
    if unmask.rule == "chance" and unmask.code is not None:
        return built('masked & (noise.uniform("unmask", canvas.position) < {})', unmask.code)
    order = unmask.order
    score = built(RANDOM)
    if order.scores != ("random",):
        score = built("leftmost(masked)")
    if order.param:
        choice = param(order.param, "Choice").code
        score = built(f'{RANDOM} if {{}} == "random" else leftmost(masked)', choice)
    return built("first({}, masked, {})", score, _count(unmask))


def _count(unmask: ir.Unmask) -> Code:
    """Return the number of masks of each row that are revealed."""
    if unmask.rule == "quota" and unmask.code is not None:
        return unmask.code
    return built("masked.any(1).long()")


def choice(unmask: ir.Unmask) -> list[tuple[str, Code]]:
    """The places of a rule that reads the network, as lines of code."""
    order, lines = unmask.order, list[tuple[str, Code]]()
    if _draws(order) or order.temperature is not None:
        lines.append(("u", built(f"{RANDOM}[masked]")))
    if order.param and order.reads_network:
        values = {"column": COLUMN}
        told = ", ".join(values.get(name, name) for name in arguments(order))
        value = built(f"self.{method(order).name}({told})")
    else:
        (value,) = codes(order, COLUMN).values()
    if order.temperature is not None:
        lines.append(("scores", built("{} + {} * gumbel(u)", value, order.temperature)))
        value = built("scores")
    return [*lines, ("places", _chosen(unmask, built("spread({}, masked)", value)))]


def _chosen(unmask: ir.Unmask, wide: Code) -> Code:
    """The places by the scores of all masks."""
    if unmask.rule in ("above", "within") and unmask.code is not None:
        function = {"above": "above", "within": "surest"}[unmask.rule]
        return built(f"{function}({{}}, masked, {{}})", wide, unmask.code)
    count = built("quota") if unmask.rule == "quota" else built("masked.any(1).long()")
    return built("first({}, masked, {})", wide, count)
