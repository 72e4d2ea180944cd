"""The base of the backbones."""

from typing import ClassVar

from attrs import frozen

from xlmc.words.base import Word


@frozen
class Layers:
    """The classes of a network in the library: its own, that of its blocks, and their module.

    ``home`` is the module of the blocks, where that is another.
    """

    network: str
    block: str
    module: str
    home: str = ""


class Backbone(Word):
    """A backbone by what it can see and be given.

    ``full`` sees both sides, ``causal`` the tokens before, ``caching`` keeps what it made of
    these, ``blockwise`` sees a block and those before, in two streams, ``conditioned`` is given a
    time, ``carrying`` the states of the call before, ``permuted`` the rank of each place in an
    order, and ``partial`` sees both sides and can compute a part of a row; None for what it lacks.
    ``published``: there are weights for it on the Hub. ``adapted``: it is an architecture of
    transformers, which its call names. ``alone``: it answers for each token alone, without those
    around it.
    """

    slot = "a backbone"
    full: ClassVar[Layers]
    causal: ClassVar[Layers | None] = None
    caching: ClassVar[Layers | None] = None
    blockwise: ClassVar[Layers | None] = None
    blockwise_caching: ClassVar[Layers | None] = None  # None: ``blockwise`` keeps them itself
    conditioned: ClassVar[Layers | None] = None
    carrying: ClassVar[Layers | None] = None
    permuted: ClassVar[Layers | None] = None
    partial: ClassVar[Layers | None] = None
    published: ClassVar[bool] = False
    adapted: ClassVar[bool] = False
    alone: ClassVar[bool] = False
