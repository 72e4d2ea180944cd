"""The blocks of a network, of which training treats each alike: the modules of its lists."""

from torch import nn


def blocks(network: nn.Module) -> list[nn.Module]:
    """Return the modules of the outermost lists of a network, in their order."""
    if isinstance(network, nn.ModuleList):
        return [*network]
    return [block for child in network.children() for block in blocks(child)]
