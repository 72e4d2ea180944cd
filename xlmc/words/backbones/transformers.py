"""``transformers``: an architecture of the library transformers, named by its weights."""

from xlmc.words.backbones.base import Backbone, Layers


class Transformers(Backbone):
    """The word ``transformers``."""

    name = "transformers"
    form = 'backbone transformers("OWNER/NAME")'
    meaning = (
        "The network of a published model (GPT-2, Llama, Qwen2, Qwen3, BERT, ModernBERT, ESM-2), "
        "under full, causal or blockwise attention; it can begin from its weights. The name is "
        "that of a repository of the Hub, or of a folder."
    )
    example = 'backbone transformers("Qwen/Qwen3-0.6B")'
    full = Layers("Adapted", "", "adapted")
    causal = Layers("CausalAdapted", "", "adapted")
    blockwise = Layers("BlockwiseAdapted", "", "adapted")
    blockwise_caching = Layers("CachingBlockwiseAdapted", "", "adapted")
    caching = Layers("CachingAdapted", "", "adapted")
    published = True
    adapted = True
