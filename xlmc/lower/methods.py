"""The methods of a decoder, from what it does."""

from collections.abc import Iterator

from xlmc.lower import ir, parts
from xlmc.lower.drafting import EditMaker
from xlmc.lower.growing import GrowthMaker
from xlmc.lower.pieces import Maker, Piece
from xlmc.lower.planning import KeepMaker
from xlmc.lower.revealing import RevealMaker
from xlmc.lower.substitutions import SubstituteMaker


def pieces(decoder: ir.Decoder, *, hooked: bool) -> Iterator[Piece]:
    """Yield all methods of a decoder; ``hooked``: some decoder of the family has blocks."""
    if decoder.carries:
        yield Piece(parts.State("Remembering"))
    if decoder.orders:
        yield Piece(parts.State("Ordering"))
    if decoder.ends:
        yield _ending(Maker(decoder, hooked))
    if decoder.appends:
        yield from GrowthMaker(decoder, hooked).appending()
    elif decoder.editing is not None:
        yield from EditMaker(decoder, hooked).editing(decoder.editing)
    elif decoder.substitute is not None:
        yield from SubstituteMaker(decoder, hooked).substituting(decoder.substitute)
    elif decoder.keep is not None:
        yield from KeepMaker(decoder, hooked).keeping(decoder.keep)
    elif decoder.unmask is None:
        yield from GrowthMaker(decoder, hooked).inserting()
    else:
        yield from RevealMaker(decoder, hooked).revealing(decoder.unmask)


def _ending(maker: Maker) -> Piece:
    """Return the edit of rows whose text has ended."""
    doc = maker.refers("End the rows whose text holds a string that the run names", "stop")
    field = parts.Field("ended", "Ended | None", " = None")
    return Piece(parts.Ends(maker.decoder.ends, doc=doc), (Piece(field),))
