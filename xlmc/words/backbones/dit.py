"""``dit``: a transformer whose blocks can be conditioned on the time."""

from xlmc.words.backbones.base import Backbone, Layers


class Dit(Backbone):
    """The word ``dit``."""

    name = "dit"
    form = "backbone dit[(condition = t | sigma)]"
    meaning = (
        "A transformer with gated blocks, with full or blockwise attention; under full attention "
        "it can be given the time of the noise."
    )
    example = "backbone dit(condition = t)"
    full = Layers("Transformer", "GatedBlock", "backbone")
    partial = Layers("PartialTransformer", "PartialGatedBlock", "partial")
    blockwise = Layers("BlockwiseTransformer", "GatedStreams", "blockwise")
    carrying = Layers("CarryingTransformer", "GatedBlock", "carrying", "backbone")
    permuted = Layers("PermutedTransformer", "GatedStreams", "permuted", "blockwise")
    conditioned = Layers("ConditionedTransformer", "", "backbone")
