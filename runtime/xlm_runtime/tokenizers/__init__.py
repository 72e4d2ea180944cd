"""Tokenizers: one class over the fast tokenizers of Hugging Face.

Published ones, local files, ones trained here, letters and plain words. No text is ever encoded as
a special token, not even one that spells it.
"""

from xlm_runtime.tokenizers.made import bpe, letters, words
from xlm_runtime.tokenizers.published import of, pretrained
from xlm_runtime.tokenizers.tokenizer import Tokenizer, Turn, before, load

__all__ = ["Tokenizer", "Turn", "before", "bpe", "letters", "load", "of", "pretrained", "words"]
