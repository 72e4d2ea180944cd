"""Tokenizers: one class over the fast tokenizers of Hugging Face.

Published ones, local files, ones trained here, letters and plain words. Special tokens never come
out of a text, whatever the text says.
"""

from xlm_runtime.tokenizers.made import bpe, letters, words
from xlm_runtime.tokenizers.published import of, pretrained
from xlm_runtime.tokenizers.tokenizer import Tokenizer, before, load

__all__ = ["Tokenizer", "before", "bpe", "letters", "load", "of", "pretrained", "words"]
