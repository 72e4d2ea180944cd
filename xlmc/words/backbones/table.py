"""``table``: answers for each token of the vocabulary, whatever is around it."""

from xlmc.words.backbones.base import Backbone, Layers


class Table(Backbone):
    """The word ``table``."""

    name = "table"
    form = "backbone table"
    meaning = (
        "One row for each token of the vocabulary, without context: for a network with a name, "
        "whose answers decoders know as soon as they have drawn a token."
    )
    example = "backbone table"
    full = Layers("", "", "")
    alone = True
