"""A masked model by hand, as small as the plug allows; the tests of the runtime train it."""

from .family import FAMILY

__all__ = ["FAMILY"]
