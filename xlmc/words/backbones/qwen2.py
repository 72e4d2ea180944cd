"""``qwen2``: the network of Qwen2, for which there are published weights."""

from xlmc.words.backbones.base import Backbone, Layers


class Qwen2(Backbone):
    """The word ``qwen2``."""

    name = "qwen2"
    form = 'backbone qwen2[(pretrained = "OWNER/NAME")]'
    meaning = (
        "The network of Qwen2 with full or causal attention; it can begin from published weights."
    )
    example = 'backbone qwen2(pretrained = "Dream-org/Dream-v0-Base-7B")'
    full = Layers("Qwen2", "", "qwen2")
    causal = Layers("CausalQwen2", "", "qwen2")
    published = True
