"""A compiler from short specs of language-model families to readable PyTorch packages."""

__version__ = "0.1.0"
