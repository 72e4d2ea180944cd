"""The base of the starts of decoders."""

from xlmc.words.base import Word


class Start(Word):
    """A row before the first step of a decoder; the noise decides which one it is."""

    slot = "a start of a decoder"
