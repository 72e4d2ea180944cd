"""The methods of decoders that reveal masks."""

from collections.abc import Iterator

from xlmc.calculus.code import Code, built
from xlmc.lower import ir, orders, parts
from xlmc.lower.editing import applied, candidates, edited, looked
from xlmc.lower.parts import Lines
from xlmc.lower.pieces import POSITIONS, Maker, Piece, line, summary


class RevealMaker(Maker):
    """The maker of the methods of decoders that reveal masks."""

    def revealing(self, unmask: ir.Unmask) -> Iterator[Piece]:
        """Yield the times of the steps, the masks that one may reveal, a step, and its parts."""
        d = self.decoder
        needs: list[Piece] = []
        if d.guide is not None:
            needs.append(self.guided(d.guide))
        if d.draw.cuts and not unmask.order.tempered:
            needs.append(self.piece(parts.Draw(self.plain(), summary(d.draw))))
        scores = [self.piece(one) for one in orders.methods(unmask)]
        if d.size is not None:
            yield self.piece(self._length(d.size))
        if d.reuse and d.insert is not None:
            guided = "Guided" if d.guide is not None else ""
            moving = "Moving" if self._rates() else ""
            yield Piece(parts.State(f"{guided}Recalling{moving}"))
        if d.holds:
            yield Piece(parts.State("Holding"))
        if d.keeps:
            yield Piece(parts.State("ResumingSettling" if d.settles else "Resuming"))
        if d.asked:
            needs.append(self.piece(self.stops(d.asked)))
        yield from map(self.piece, self.times())
        yield from (*needs, *scores)
        yield self.piece(self.reveal(unmask), *needs, *scores)
        if d.last is not None:
            yield self.piece(self._finish(d.last), *needs)

    def guided(self, guide: ir.Guide) -> Piece:
        """Return the query of the network at some places with guidance."""
        doc = self.refers("Query the network for guided logits at some places", "guide")
        head = self.decoder.head
        return self.piece(parts.Guided(head, guide.without, guide.scale, doc=doc))

    def _length(self, size: ir.Size) -> parts.Length:
        u = 'noise.uniform("length")[:, 0]'
        code = built("law.argmax(-1)" if size.greedy else f"categorical(law, {u})")
        what = "Take the likeliest length" if size.greedy else "Draw the length"
        doc = self.refers(f"{what} of each row by `{size.head}`", "start")
        return parts.Length(size.head, size.at, code, doc=doc)

    def _query(self, *, whole: bool) -> str:
        name = "all" if whole else "some"
        if self.decoder.guide is not None:
            name = "guided_all" if whole else "guided"
        return f"decoder/query_{name}.j2"

    def reveal(self, unmask: ir.Unmask) -> parts.Reveal:
        """Build a step."""
        d, scored = self.decoder, unmask.reads_network
        cut = scored and unmask.ahead is not None and d.reuse
        before = [*self._before(unmask, cut=cut)]
        apart = d.reuse and not scored
        never = not unmask.always and (cut or apart)  # a row may have nothing to reveal
        whole = d.insert is not None or not (
            never or bool(d.edits) or (d.timed and bool(d.blocks or d.extends))
        )
        present = any(edit.read for edit in d.edits)
        asked = "masked" if scored else "places"
        guided = d.guide is not None and d.insert is None  # masks of some rows are read alone
        if guided or not whole:
            some = "looked" if present else "places" if apart else "masked"
            before.append(line("rows", f"{some}.any(1)"))
        after, result = self._after(unmask, applied(d.edits))
        if present:
            after = [line("logits", f"logits[{asked}[looked]]"), *after]
        return parts.Reveal(
            doc=self._doc(),
            head=d.head,
            before=(*before,),
            asked=self.read("looked" if present else asked),
            idle=not whole,
            state=built(applied(edit for edit in d.edits if not edit.read)),
            query=self._query(whole=whole and not guided),
            after=(*after,),
            result=result,
            looked=looked(self),
            edits=edited(self),
        )

    def _before(self, unmask: ir.Unmask, *, cut: bool) -> Iterator[tuple[str, Code]]:
        """Yield the lines of a step before it reads the network."""
        d, scored = self.decoder, unmask.reads_network
        if d.extends is not None and d.grid is not None and d.grid.steps is not None:
            form = "extended(canvas, {}) if tick.left == {} else canvas"
            yield line("canvas", form, d.extends, d.grid.steps)
        elif d.extends is not None:
            yield line("canvas", "extended(canvas, {})", d.extends)
        yield line("masked", "self.candidates(canvas, tick)" if self.hooked else "canvas.masked")
        if d.holds and d.blocks is not None:
            onward = d.holds == "prefix"
            yield line("canvas", f"at_block(canvas, masked, {{}}, onward={onward})", d.blocks.size)
        if d.inverse and d.grid is None:
            yield line("tick", "tick.at(mean_time(canvas, masked, {}))", d.inverse)
        yield from d.lets
        yield from candidates(d)
        for edit in d.edits:
            yield from [] if edit.looks else orders.edited(edit)
        if scored and unmask.ahead is not None:
            yield "quota", unmask.ahead
        if cut:
            yield line("masked", "masked & (quota > 0)[:, None]")
        if not scored:
            yield "places", orders.places(unmask)
        read = dict.fromkeys(edit.read for edit in d.edits if edit.read)
        if read:
            yield line("looked", " | ".join(["masked" if scored else "places", *read]))

    def _after(self, unmask: ir.Unmask, state: str) -> tuple[list[tuple[str, Code]], Code]:
        """Return what follows from the answer of the network, and the canvas after it."""
        d, order = self.decoder, unmask.order
        lines: list[tuple[str, Code]] = []
        sure, token = "confidence(logits, token)", "token"
        u = f'noise.uniform("token", {POSITIONS})'
        scored = unmask.reads_network
        if scored and (order.sampled or order.tempered or unmask.clocked):
            lines += self._drawn_first(order, u)
            lines += [line("clock", "canvas.network.clocks(token)")] * unmask.clocked
            lines += orders.choice(unmask)
            sure, token = f"{sure}[places[masked]]", "token[places[masked]]"
        else:
            logits = "logits"
            if scored:
                lines += orders.choice(unmask)
                logits = "logits[places[masked]]"
                if self._rates():
                    lines.append(line("logits", logits))
                    logits = "logits"
            if unmask.rate is not None:
                lines += self._returned(unmask.rate, f"{u}[places]")
            else:
                lines.append(("token", self.drawn(d.draw, logits, f"{u}[places]")))
        if d.insert is not None:
            return [*lines, *self._inserted(d.insert, state, token, sure)], self._grown(d.insert)
        result = f"{state}.write(places, {token})"
        if d.settles:
            result = f"settled({result}, canvas, tick)"
        return lines, built(f"rated({result}, places, {sure})" if self._rates() else result)

    def _returned(self, rate: Code, u: str) -> Iterator[tuple[str, Code]]:
        """Yield the draw of what masks are at s, by ratios; steps may differ from row to row."""
        each = "[places.nonzero()[:, 0]]" if rate.rank else ".expand(len(logits))"
        yield line("rate", "{}", rate)
        mask = 'canvas.network.vocab["mask"]'
        told = f"logits, {u}, rate{each}, tick.s{each}, {mask}"
        yield line("token", f"returned({told})")

    def _rates(self) -> bool:
        return self.decoder.sure

    def _drawn_first(self, order: ir.Order, u: str) -> Iterator[tuple[str, Code]]:
        """Yield code that draws the tokens of all masks before they are scored."""
        sampler = self.decoder.draw
        if not order.tempered:
            yield "token", self.drawn(sampler, "logits", f"{u}[masked]")
            return
        cuts = ", ".join(f"{name}={{}}" for name, _ in sampler.cuts)
        known = (*orders.CUTS,)[: len(sampler.cuts)] == tuple(name for name, _ in sampler.cuts)
        cuts = ", ".join(["{}"] * len(sampler.cuts)) if known else cuts
        yield "logits", built(f"truncated(logits, {cuts})", *(code for _, code in sampler.cuts))
        cold = dict(sampler.cuts).get("temperature")
        if cold is not None and cold.value == 0:
            yield line("token", "logits.argmax(-1)")
            return
        yield line("u", f"{u}[masked]")
        drawn = "categorical(logits, u)"
        if cold is not None and cold.param:
            yield line("token", f"{drawn} if {{}} else logits.argmax(-1)", cold)
        else:
            yield line("token", drawn)

    def _inserted(self, insert: ir.Insert, state: str, token: str, sure: str) -> Lines:
        """Return code for the numbers of masks to insert, and for the canvas after the reveals."""
        answer = f"canvas.network.{insert.head}(canvas.hidden(canvas.open))"
        answer = f"expected({answer})" if insert.kind == "distribution" else answer
        form = "{}" if insert.rule == "poisson" else "({}).long()"
        written = f"{state}.write(places, {token})"
        few = self.decoder.few
        ends = [f"{insert.head}.sum(1) < {{}}"] * (few is not None)
        ends += ["self.stops(canvas, noise)"] * bool(self.decoder.asked)
        if ends:
            written += f".close({ends[0] if len(ends) == 1 else f'({ends[0]}) | {ends[1]}'})"
        if self._rates():
            written = f"rated({written}, places, {sure})"
        return (
            line(insert.head, f"spread({answer}, canvas.open)"),
            line("number", form, insert.code),
            line("canvas", written, *((few,) if few is not None else ())),
        )

    def _grown(self, insert: ir.Insert) -> Code:
        fitting = f"{insert.overflow}(canvas.open * number, canvas.vacant)"
        return built(f'canvas.insert({fitting}, canvas.network.vocab["mask"])')

    def _doc(self) -> tuple[str, ...]:
        d = self.decoder
        what = "Take one reverse step"
        if d.insert is not None or d.edits:
            what += "; all edits follow from the state before it"
        doc = self.refers(what, "step")
        if d.few is not None:
            few = f"Rows missing fewer than ``{d.few}`` tokens get no more (spec: {d.spec}.stop)."
            doc = (*doc, few)
        return doc

    def _finish(self, last: ir.Sampler) -> parts.Finish:
        d = self.decoder
        moment = built("-1")
        steps = d.grid.steps if d.grid is not None else None
        if d.insert is None and d.blocks is None and steps is not None:
            moment = steps
        after: list[tuple[str, Code]] = []
        if not last.greedy:
            u = f'noise.at({{}}).uniform("token", {POSITIONS})[masked]'
            after.append(line("u", u, moment))
        token = self.drawn(last, "logits", "u")
        query = self._query(whole=False)
        doc = self.refers("Reveal the masks that are left after the last step", "finish")
        return parts.Finish(d.head, query, (*after,), token, self.read("masked"), doc=doc)
