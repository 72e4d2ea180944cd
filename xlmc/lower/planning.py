"""The methods of decoders in which all places of a row compete for tokens."""

from collections.abc import Iterator

from xlmc.calculus.code import Code, built
from xlmc.lower import ir, parts
from xlmc.lower.pieces import POSITIONS, Piece, line, summary
from xlmc.lower.revealing import RevealMaker


class KeepMaker(RevealMaker):
    """The maker of the methods of decoders in which all places of a row compete for tokens."""

    def keeping(self, keep: ir.Keep) -> Iterator[Piece]:
        """Yield the ticks, a step, and what it needs."""
        d, needs = self.decoder, list[Piece]()
        if d.guide is not None:
            needs.append(self.guided(d.guide))
        if d.draw.cuts:
            needs.append(self.piece(parts.Draw(self.plain(), summary(d.draw))))
        u = f'noise.uniform("token", {POSITIONS})[places]'
        part = parts.Reveal(
            doc=self.refers("Take one reverse step", "step"),
            head=d.head,
            before=(
                line("masked", "canvas.masked"),
                *d.lets,
                line("places", "canvas.free"),
                line("quota", "{}", keep.number),
            ),
            asked=self.read("places"),
            idle=False,
            state=built("canvas"),
            query=self._query(whole=True),
            after=(
                line("fresh", "{}", self.drawn(d.draw, "logits", u)),
                line("token", "torch.where(masked[places], fresh, canvas.x[places])"),
                line("sure", "spread(confidence(logits, token), places)"),
                *_weighed(keep),
                line("kept", "first(sure, places, quota)"),
            ),
            result=built("canvas.mask(places & ~kept).write(kept, token[kept[places]])"),
        )
        yield from map(self.piece, self.times())
        yield from needs
        yield self.piece(part, *needs)
        if d.last is not None:
            yield self.piece(self._finish(d.last), *needs)


def _weighed(keep: ir.Keep) -> Iterator[tuple[str, Code]]:
    """Yield the chances of tokens that are there to the power of their weight, if they have one."""
    if keep.weight is not None:
        yield line("sure", "torch.where(masked, sure, sure ** {})", keep.weight)
