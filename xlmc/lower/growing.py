"""The methods of decoders that append or insert tokens."""

from collections.abc import Iterator

from xlmc.calculus.code import Code, built
from xlmc.lower import insertions, ir, orders, parts
from xlmc.lower.pieces import Maker, Piece, drawing, line, summary


class GrowthMaker(Maker):
    """The maker of the methods of decoders that append or insert tokens."""

    def appending(self) -> Iterator[Piece]:
        """Yield a step, and the draw of its token."""
        d = self.decoder
        ends = [f'token == canvas.network.vocab["{s.name}"]' for s in d.stops if s.kind == "last"]
        ended = ends[0] if len(ends) == 1 else " | ".join(f"({one})" for one in ends)
        close = f".close({ended})" if ends else ""
        draw = self.piece(parts.Draw(drawing(d.draw, "logits", "u"), summary(d.draw)))
        needs, query = [draw], "decoder/query_last.j2"
        if d.guide is not None:
            needs.append(self.led(d.guide, "last_token", ".align_right()"))
            query = "decoder/query_led.j2"
        result = built(f"canvas.append_one(token){close}")
        doc = self.refers("Append one token to each row", "step")
        yield self.piece(parts.Append(d.head, query, result, doc=doc), *needs)
        yield from needs

    def inserting(self) -> Iterator[Piece]:
        """Yield the choice of a gap and a token, and the end of a row."""
        d = self.decoder
        if d.reuse or d.sure:
            yield Piece(parts.State("Recalling" * d.reuse + "Moving" * d.sure))
        yield from map(self.piece, self.times())
        if d.asked:
            yield self.piece(self.stops(d.asked))
        if d.several is not None:
            yield from self._spread(d.several)
        else:
            yield self.piece(self._pick())
            guide, gaps = d.guide, parts.Gaps(d.head)
            yield self.piece(gaps) if guide is None else self.led(guide, "open_gaps", "")

    def _spread(self, several: ir.Several) -> Iterator[Piece]:
        """Return a step that inserts tokens into several gaps, and its draw."""
        d, before, close = self.decoder, list[tuple[str, Code]](), ""
        if d.asked:
            before.append(line("stops", "self.stops(canvas, noise)"))
            before.append(line(several.actor.candidates, "canvas.open & ~stops[:, None]"))
            close = ".close(stops)"
        before += d.lets
        before += [one for edit in d.edits for one in orders.edited(edit)]
        cut = bool(d.draw.cuts)
        needs = (self.piece(parts.Draw(self.plain(), summary(d.draw))),) if cut else ()

        def draw(logits: str, u: str) -> Code:
            return built(f"self.draw({logits}, {u})") if cut else drawing(d.draw, logits, u)

        lines = insertions.lines(several, d.head, draw)
        what = "Insert a token into each of some gaps"
        if d.edits:
            what = "Insert and delete tokens; all edits follow from the row before the step"
        doc = self.refers(what, "step")
        result = built(f"{self._edited()}{close}")
        yield self.piece(parts.Spread((*before, *lines), result, doc=doc), *needs)

    def _edited(self) -> str:
        """Return code of the canvas after insertions, and deletions from the row before them.

        Where tokens leave, a full row ends only if a stop of the decoder is its length.
        """
        d = self.decoder
        if not d.edits:
            return "canvas.insert_each(places, token)"
        ends = ".close_full()" * any(stop.kind in ("limit", "oracle") for stop in d.stops)
        gone = d.edits[0].word.places + " & ~stops[:, None]" * bool(d.asked)
        if d.sure:
            return f"surely_edited(canvas, {gone}, places, token, confidence(logits, token)){ends}"
        return f"edited(canvas, {gone}, places, token){ends}"

    def _pick(self) -> parts.Pick:
        d, u = self.decoder, 'noise.uniform("token")[:, 0]'
        if d.pick is None and d.draw.greedy:
            doc = self.refers("Take the likeliest pair of a gap and a token", "step")
            return parts.Pick(None, None, "decoder/pick_best.j2", doc=doc)
        if d.pick is None and d.draw.cuts:
            doc = self.refers("Draw a gap and a token from their joint distribution", "step")
            token, partial = drawing(d.draw, "pairs", u), "decoder/pick_jointly.j2"
            return parts.Pick(None, token, partial, doc=doc)
        gap = drawing(d.pick or d.draw, "gaps", 'noise.uniform("gap")[:, 0]')
        told = d.pick.summary if d.pick else "a gap"
        doc = self.refers(f"Draw {told}, then {d.draw.summary} for it", "step")
        token, partial = drawing(d.draw, "logits", u), "decoder/pick_apart.j2"
        return parts.Pick(gap, token, partial, doc=doc)
