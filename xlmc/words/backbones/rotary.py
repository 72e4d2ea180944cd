"""``rotary``: a transformer with rotary positions, for any attention."""

from xlmc.words.backbones.base import Backbone, Layers


class Rotary(Backbone):
    """The word ``rotary``."""

    name = "rotary"
    form = "backbone rotary"
    meaning = "A transformer with rotary positions, with full, causal or blockwise attention."
    example = "backbone rotary"
    full = Layers("Transformer", "Block", "backbone")
    partial = Layers("PartialTransformer", "PartialBlock", "partial")
    causal = Layers("CausalTransformer", "CausalBlock", "causal")
    blockwise = Layers("BlockwiseTransformer", "Streams", "blockwise")
    carrying = Layers("CarryingTransformer", "Block", "carrying", "backbone")
    permuted = Layers("PermutedTransformer", "Streams", "permuted", "blockwise")
    caching = Layers("CachingTransformer", "CachingBlock", "causal")
