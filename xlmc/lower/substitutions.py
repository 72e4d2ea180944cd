"""The methods of decoders that resample all tokens."""

from collections.abc import Iterator

from xlmc.calculus.code import Code, built
from xlmc.lower import ir, parts
from xlmc.lower.editing import revised
from xlmc.lower.pieces import POSITIONS, Maker, Piece, line, summary


class SubstituteMaker(Maker):
    """The maker of the methods of decoders that resample all tokens."""

    def substituting(self, substitute: ir.Substitute) -> Iterator[Piece]:
        """Yield the times of the steps, a step, and the methods that it calls."""
        yield from map(self.piece, self.times())
        d, needs = self.decoder, list[Piece]()
        if d.guide is not None:
            needs.append(self.led(d.guide, "free_places", ""))
        if d.draw.cuts and not substitute.function:
            needs.append(self.piece(parts.Draw(self.plain(), summary(d.draw))))
        query = "led" if d.guide is not None else "all"
        u = f'noise.uniform("token", {POSITIONS})[canvas.free]'
        token = _token(d, substitute, u) or self.drawn(d.draw, "logits", u)
        part = parts.Reveal(
            doc=self.refers("Draw all tokens anew", "step"),
            head=d.head,
            before=(),
            asked="canvas.free",
            idle=False,
            state=built("canvas"),
            query=f"decoder/query_{query}.j2",
            after=(("token", token),),
            result=built("canvas.write(canvas.free, token)"),
        )
        yield from needs
        yield self.piece(part, *needs)
        if d.correct is not None:
            yield self.piece(self._corrected(d.correct, query), *needs)

    def _corrected(self, correct: ir.Correct, query: str) -> parts.Reveal:
        """Return the replacement of tokens after the last step."""
        return parts.Reveal(
            method="correct",
            doc=self.refers("Replace tokens by others that are drawn for t = 0", "finish"),
            head=self.decoder.head,
            before=(),
            asked="canvas.free",
            idle=False,
            state=built("canvas"),
            query=f"decoder/query_{query}.j2",
            after=(
                line("written", "canvas.free"),
                *revised(self, correct.edit, correct.draw, "logits"),
            ),
            result=built(correct.edit.made("canvas")),
        )


def _token(decoder: ir.Decoder, substitute: ir.Substitute, u: str) -> Code | None:
    """Return the draw of the tokens at s, given those at t; None where they are those of t = 0."""
    sampler = decoder.draw
    if not substitute.function:
        return None
    named = (*substitute.amounts, ("vocab", built("canvas.network.vocab")), *sampler.cuts)
    told = [
        "logits",
        "canvas.x[canvas.free]",
        *([] if sampler.greedy else [u]),
        *(f"{name}={{}}" for name, _ in named),
    ]
    return built(f"{substitute.function}({', '.join(told)})", *(code for _, code in named))
