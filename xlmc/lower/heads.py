"""The heads of a network: their sizes, and what their methods answer."""

from xlmc.lower import ir
from xlmc.lower.documents import METHOD, referring
from xlmc.syntax import ast, query
from xlmc.theory.process import Process
from xlmc.words import numbers
from xlmc.words.slots import head_words

AXES = {  # of the hidden states that a head of a kind reads, and of its answer
    "logits": ("places", "places vocab"),
    "ratios": ("places", "places vocab"),
    "count": ("places", " places"),
    "rate": ("places", " places"),
    "distribution": ("places", "places counts"),
    "chance": ("batch", " batch"),
}


def head(one: ast.Head, family: ast.Family) -> ir.Head:
    """Return a head as its layer and its method are written."""
    kind, at = one.kind.id, one.at.id if one.at is not None else ""
    asked, answer = AXES[kind]
    word = head_words()[kind]
    return ir.Head(
        name=one.name,
        kind=kind,
        width="vocab.size" if not word.number else str(query.size(one) + 1) if word.sized else "1",
        asked=asked,
        answer=answer,
        of_masks=word.ratios and not Process.of(family).replaces,
        doc=_doc(one, at, family),
    )


def _doc(one: ast.Head, at: str, family: ast.Family) -> tuple[str, ...]:
    """Return the docstring of the method of a head."""
    spec = f"network.{one.name}"
    place = "to the right of each place" if one.shifted else "at each place"
    match one.kind.id:
        case "logits":
            return _of_logits(one, at, place, family)
        case "ratios":
            unit = "the one that is there"
            if not Process.of(family).replaces:
                unit = "a mask, in units of alpha / (1 - alpha), in which the true ones are the "
                unit += "distribution of the clean token"
            what = f"Of the chance of each token to that of {unit} (spec: {spec})."
            return f"Return the logarithms of ratios {place}.", what
        case "count":
            where = "to the right of each place" if at == "gaps" else f"from a row, read at `{at}`"
            return f"Return the mean number of tokens that are missing {where}.", f"spec: {spec}"
        case "rate":
            which = "of the mask at each place to become clean"
            which = "at which masks come to the right of each place" if at == "gaps" else which
            what = f"In hazards of a clock at a scale of 1 (spec: {spec})."
            return f"Return the rate {which}.", what
        case "distribution":
            return _of_numbers(query.size(one), at), f"spec: {spec}"
        case _:
            what = f"Return log-odds that nothing is missing, read at `{at}`"
            return referring(what, spec, columns=METHOD)


def _of_logits(one: ast.Head, at: str, place: str, family: ast.Family) -> tuple[str, ...]:
    spec, joint = f"network.{one.name}", numbers.joint(one.name, family)
    if at == "gaps" or joint:
        what = "Return logits of the token to insert to the right of each place"
        law = "Those of a place make one distribution: softmax over tokens."
        every = "Over all gaps of a row they make one distribution: softmax over (gap, token)."
        return f"{what} (spec: {spec}).", every if joint else law
    what = "clean token " + place
    what = "token that follows each place" if Process.of(family).ordered else what
    return (f"Return logits of the {what} (spec: {spec}).",)


def _of_numbers(size: int, at: str) -> str:
    numbers = f"0, 1, ..., {size} or more"
    if at == "gaps":
        return f"Return logits of the number missing to the right of each place: {numbers}."
    return f"Return logits of the number that a row misses: {numbers}; read at `{at}`."
