"""The second network, which sets the clocks of tokens."""

from xlmc.lower import ir
from xlmc.syntax import ast, query
from xlmc.theory.process import Process
from xlmc.words.slots import backbone_words

ONES = "torch.ones(x0.shape, device=x0.device)"


def network(family: ast.Family) -> ir.Second | None:
    """Return the network that gives tokens their clocks, or the scales of these; None for none."""
    section = query.clocks(family)
    if section is None:
        return None
    name, heads = section.name or "", tuple(one.name for one in query.learned(family))
    if Process.of(family).scaled:
        return _of_texts(name, heads, section, family)
    some = tuple((head, f"scale(self.to_{head}(token)[..., 0])") for head in heads)
    every = tuple((head, f"scale(self.to_{head}.weight[:, 0])") for head in heads)
    return ir.Second(name, heads, some, every)


def _of_texts(
    name: str, heads: tuple[str, ...], section: ast.Section, family: ast.Family
) -> ir.Second:
    """Return a network that sees the clean text: a head for each scale that an arrow reads."""
    backbone = query.the(section.entries, ast.Backbone)
    layers = backbone_words()[query.called(backbone.value)].full
    form = "scale(answer(self.to_{}, hidden)[:, 0]).view(x0.shape)"
    some = tuple((head, form.format(head)) for head in heads)
    fields = zip(("unmasking", "insertion"), query.arrows(family), strict=True)
    scales = tuple(f"{field}={_scale(arrow, family)}" for field, arrow in fields)
    return ir.Second(name, heads, some, (), layers.network, layers.block, scales)


def _scale(arrow: ast.Arrow, family: ast.Family) -> str:
    """Return the variable of the scales of an arrow; ones where it has none."""
    return next((head.name for head in query.scales(arrow, family)), ONES)
