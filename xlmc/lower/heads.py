"""The heads of a network: their sizes, and what their methods answer."""

from xlmc.lower import ir
from xlmc.lower.documents import METHOD, referring
from xlmc.syntax import ast, query
from xlmc.theory.process import Process
from xlmc.words import numbers
from xlmc.words.slots import head_words


def head(one: ast.Head, family: ast.Family) -> ir.Head:
    """Return a head as its layer and its method are written."""
    word, process = head_words()[one.kind.id], Process.of(family)
    return ir.Head(
        name=one.name,
        kind=word.name,
        width="vocab.size" if not word.number else str(query.size(one) + 1) if word.sized else "1",
        asked=word.asked,
        answer=word.answer,
        of_masks=word.ratios and not process.replaces,
        doc=_doc(one, family),
    )


def _doc(one: ast.Head, family: ast.Family) -> tuple[str, ...]:
    """Return the docstring of the method of a head."""
    word, joint = head_words()[one.kind.id], numbers.joint(one.name, family)
    learns = numbers.learns(one.name, family)
    what, more = word.returns(one, Process.of(family), joint=joint, learns=learns)
    if word.sized:
        what += f": 0, 1, ..., {query.size(one)} or more"
    columns = METHOD + len('"""') if more else METHOD  # of a line behind which no quotes stand
    first, *spec = referring(f"Return {what}", f"network.{one.name}", columns=columns)
    return (first, *([more] if more else []), *spec)
