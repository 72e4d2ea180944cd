"""The methods of a decoder, from what it does."""

from collections.abc import Iterable, Iterator

from attrs import frozen

from xlmc.calculus.code import CLOCK, Code, built, inside
from xlmc.lower import insertions, ir, orders, parts, substitutions
from xlmc.lower.documents import METHOD, referring
from xlmc.lower.parts import Lines

POSITIONS = "canvas.position"
DRAWN = "Draw for each place by u in [0, 1)"


@frozen
class Piece:
    """A method or a param of a decoder, with those that it uses."""

    part: parts.Part | parts.Field
    needs: tuple["Piece", ...] = ()


def pieces(decoder: ir.Decoder, *, hooked: bool) -> Iterator[Piece]:
    """Yield all methods of a decoder; ``hooked``: some decoder of the family has blocks."""
    made = _Methods(decoder, hooked)
    if decoder.ends:
        yield made.ending()
    if decoder.appends:
        yield from made.appending()
    elif decoder.substitute is not None:
        yield from made.substituting(decoder.substitute)
    elif decoder.unmask is None:
        yield from made.inserting()
    else:
        yield from made.revealing(decoder.unmask)


def _line(name: str, form: str, *codes: Code) -> tuple[str, Code]:
    return name, built(form, *codes)


def drawing(sampler: ir.Sampler, logits: str, u: str) -> Code:
    """Return code that draws with a sampler from logits by u."""
    if sampler.greedy:
        return built(f"{logits}.argmax(-1)")
    names = [name for name, _ in sampler.cuts]
    if not names:
        return built(f"categorical({logits}, {u})")
    known = (*orders.CUTS,)[: len(names)] == (*names,)
    told = ["{}" if known else f"{name}={{}}" for name in names]
    return built(f"drawn({', '.join([logits, u, *told])})", *(code for _, code in sampler.cuts))


def summary(sampler: ir.Sampler) -> str:
    """Return a sentence on the method that draws."""
    if sampler.greedy:
        return "Take the likeliest token of each place"
    cold = dict(sampler.cuts).get("temperature")
    warm = cold is None or (not cold.param and cold.value != 0)
    return DRAWN if warm else f"{DRAWN}; at temperature 0 take the first of the likeliest"


@frozen
class _Methods:
    decoder: ir.Decoder
    hooked: bool

    def piece(self, part: parts.Part, *needs: Piece) -> Piece:
        """Return a method, with the params that its code reads."""
        used = {name for code in inside(part) for name in code.reads.params}
        used |= {part.param} if isinstance(part, parts.Scores) else set()
        fields = (Piece(one) for one in self.fields() if one.name in used)
        return Piece(part, (*fields, *needs))

    def fields(self) -> Iterator[parts.Field]:
        """Yield the params of the decoder."""
        d = self.decoder
        counts = [d.steps_param, d.blocks.size.param if d.blocks is not None else ""]
        for one in d.params:
            default = f"at_least_one({one.default})" if one.name in counts else one.default
            yield parts.Field(one.name, one.python, f" = {default}")
        if self.decoder.clocked:
            yield parts.Field(CLOCK, "Clock", "")

    def refers(self, what: str, entry: str) -> tuple[str, ...]:
        """Return the docstring of a method for an entry of the spec."""
        return referring(what, f"{self.decoder.spec}.{entry}", columns=METHOD)

    def ending(self) -> Piece:
        """Return the edit of rows whose text has ended."""
        doc = self.refers("End the rows whose text holds a string that the run names", "stop")
        field = parts.Field("ended", "Ended | None", " = None")
        return Piece(parts.Ends(self.decoder.ends, doc=doc), (Piece(field),))

    # Decoders that append, and that insert tokens

    def appending(self) -> Iterator[Piece]:
        """Yield a step, and the draw of its token."""
        d = self.decoder
        ends = [f'token == canvas.network.vocab["{s.name}"]' for s in d.stops if s.kind == "last"]
        ended = ends[0] if len(ends) == 1 else " | ".join(f"({one})" for one in ends)
        close = f".close({ended})" if ends else ""
        draw = self.piece(parts.Draw(drawing(d.draw, "logits", "u"), summary(d.draw)))
        needs, query = [draw], "decoder/query_last.j2"
        if d.guide is not None:
            needs.append(self._led(d.guide, "last_token", ".align_right()"))
            query = "decoder/query_led.j2"
        result = built(f"canvas.append_one(token){close}")
        doc = self.refers("Append one token to each row", "step")
        yield self.piece(parts.Append(d.head, query, result, doc=doc), *needs)
        yield from needs

    def substituting(self, substitute: ir.Substitute) -> Iterator[Piece]:
        """Yield the ticks, a step, and what it needs."""
        yield from map(self.piece, self._clock())
        d, needs = self.decoder, list[Piece]()
        if d.guide is not None:
            needs.append(self._led(d.guide, "free_places", ""))
        if d.draw.cuts and substitute.lost is None:
            needs.append(self.piece(parts.Draw(self._plain(), summary(d.draw))))
        query = "led" if d.guide is not None else "all"
        u = f'noise.uniform("token", {POSITIONS})[canvas.free]'
        token = substitutions.token(d, substitute, u) or self._drawn(d.draw, "logits", u)
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

    def inserting(self) -> Iterator[Piece]:
        """Yield the choice of a gap and a token, and the end of a row."""
        yield from map(self.piece, self._clock())
        d = self.decoder
        if d.asked:
            yield self.piece(self._stops(d.asked))
        if d.several is not None:
            yield from self._spread(d.several)
        else:
            yield self.piece(self._pick())
            guide, gaps = d.guide, parts.Gaps(d.head)
            yield self.piece(gaps) if guide is None else self._led(guide, "open_gaps", "")

    def _spread(self, several: ir.Several) -> Iterator[Piece]:
        """Return a step that inserts tokens into several gaps, and its draw."""
        d, before, close = self.decoder, list[tuple[str, Code]](), ""
        if d.asked:
            before.append(_line("stops", "self.stops(canvas, noise)"))
            before.append(_line("open_", "canvas.open & ~stops[:, None]"))
            close = ".close(stops)"
        cut = bool(d.draw.cuts)
        needs = (self.piece(parts.Draw(self._plain(), summary(d.draw))),) if cut else ()

        def draw(logits: str, u: str) -> Code:
            return built(f"self.draw({logits}, {u})") if cut else drawing(d.draw, logits, u)

        lines = insertions.lines(several, d.head, "open_" if d.asked else "canvas.open", draw)
        doc = self.refers("Insert a token into each of some gaps", "step")
        result = built(f"canvas.insert_each(places, token){close}")
        yield self.piece(parts.Spread((*before, *d.lets, *lines), result, doc=doc), *needs)

    def _led(self, guide: ir.Guide, read: str, moved: str) -> Piece:
        """Return a query with guidance away from rows without some of their tokens."""
        taken = f"{guide.without}(canvas)"
        if guide.without == "prompt":
            taken = f"prompt_alone(canvas, {guide.lead}, {guide.tail})"
        other = built(f"canvas.remove({taken}){moved}")
        doc = self.refers("Query the network for guided logits", "guide")
        return self.piece(parts.Led(self.decoder.head, other, read, guide.scale, doc=doc))

    def _stops(self, stops: list[ir.Stop]) -> parts.Stops:
        asked = {one.variable: parts.Asked(one.variable, one.at, _chance(one)) for one in stops}
        codes = [stop.code for stop in stops if stop.code is not None]
        alone = codes[0]
        if len(codes) > 1:
            alone = built(" | ".join(["({})"] * len(codes)), *codes)
        doc = self.refers("Return the rows that end before this step", "stop")
        return parts.Stops((*asked.values(),), alone, doc=doc)

    def _pick(self) -> parts.Pick:
        d, u = self.decoder, 'noise.uniform("token")[:, 0]'
        if d.pick is None and d.draw.greedy:
            doc = self.refers("Take the likeliest pair of a gap and a token", "step")
            return parts.Pick(None, None, "decoder/pick_best.j2", doc=doc)
        if d.pick is None and d.draw.cuts:
            doc = self.refers("Draw a gap and a token from their joint law", "step")
            token, partial = drawing(d.draw, "pairs", u), "decoder/pick_jointly.j2"
            return parts.Pick(None, token, partial, doc=doc)
        gap = drawing(d.pick or d.draw, "gaps", 'noise.uniform("gap")[:, 0]')
        told = d.pick.summary if d.pick else "a gap"
        doc = self.refers(f"Draw {told}, then {d.draw.summary} for it", "step")
        token, partial = drawing(d.draw, "logits", u), "decoder/pick_apart.j2"
        return parts.Pick(gap, token, partial, doc=doc)

    # Decoders that reveal masks

    def revealing(self, unmask: ir.Unmask) -> Iterator[Piece]:
        """Yield the ticks, the masks that they may reveal, a step, and its parts."""
        d = self.decoder
        needs: list[Piece] = []
        if d.guide is not None:
            doc = self.refers("Query the network for guided logits at some places", "guide")
            guide = parts.Guided(d.head, d.guide.without, d.guide.scale, doc=doc)
            needs.append(self.piece(guide))
        if d.draw.cuts and not unmask.order.tempered:
            needs.append(self.piece(parts.Draw(self._plain(), summary(d.draw))))
        scores = [self.piece(one) for one in orders.methods(unmask)]
        if d.size is not None:
            yield self.piece(self._length(d.size))
        if d.reuse and d.insert is not None:
            guided = "Guided" if d.guide is not None else ""
            moving = "Moving" if self._rates() else ""
            yield Piece(parts.State(f"{guided}Recalling{moving}"))
        if d.asked:
            needs.append(self.piece(self._stops(d.asked)))
        yield from map(self.piece, self._clock())
        yield from (*needs, *scores)
        yield self.piece(self.reveal(unmask), *needs, *scores)
        if d.last is not None:
            yield self.piece(self._finish(d.last), *needs)

    def _length(self, size: ir.Size) -> parts.Length:
        u = 'noise.uniform("length")[:, 0]'
        code = built("law.argmax(-1)" if size.greedy else f"categorical(law, {u})")
        what = "Take the likeliest length" if size.greedy else "Draw the length"
        doc = self.refers(f"{what} of each row by `{size.head}`", "start")
        return parts.Length(size.head, size.at, code, doc=doc)

    def _clock(self) -> Iterator[parts.Part]:
        d = self.decoder
        if d.grid is not None and d.grid.ticks is not None:
            yield parts.Ticks(d.grid.ticks, d.grid.summary)
        if d.blocks is not None:
            grows = d.insert is not None
            where = "the first block that has some" if grows else "the blocks whose time has come"
            doc = self.refers(f"Return the masks in {where}", "blocks")
            yield parts.Candidates(d.blocks.masks, doc=doc)

    def _plain(self) -> Code:
        return drawing(self.decoder.draw, "logits", "u")

    def _drawn(self, sampler: ir.Sampler, logits: str, u: str) -> Code:
        """Return code for a draw, by an existing method if that draws in the same way."""
        order = self.decoder.unmask.order if self.decoder.unmask else None
        if sampler.cuts and sampler == self.decoder.draw and not (order and order.tempered):
            return built(f"self.draw({logits}, {u})")
        return drawing(sampler, logits, u)

    def _query(self, *, whole: bool) -> str:
        name = "all" if whole else "some"
        if self.decoder.guide is not None:
            name = "guided_all" if whole else "guided"
        return f"decoder/query_{name}.j2"

    def reveal(self, unmask: ir.Unmask) -> parts.Reveal:
        """Build a step."""
        d, scored = self.decoder, unmask.reads_network
        state = "canvas" if d.remask is None else "canvas.mask(again)"
        cut = scored and unmask.ahead is not None and d.reuse
        before = [*self._before(unmask, cut=cut)]
        apart = d.reuse and not scored
        never = not unmask.always and (cut or apart)  # a row may have nothing to reveal
        whole = d.insert is not None or not (
            never or d.remask is not None or (d.blocks is not None and d.timed)
        )
        present = d.remask is not None and d.remask.looks
        asked = "masked" if scored else "places"
        guided = d.guide is not None and d.insert is None  # masks of some rows are read alone
        if guided or not whole:
            some = "looked" if present else "places" if apart else "masked"
            before.append(_line("rows", f"{some}.any(1)"))
        after, result = self._after(unmask, state)
        return parts.Reveal(
            doc=self._doc(),
            head=d.head,
            before=(*before,),
            asked="looked" if present else asked,
            idle=not whole,
            state=built("canvas" if present else state),
            query=self._query(whole=whole and not guided),
            after=(*self._looked(asked), *after),
            result=result,
        )

    def _before(self, unmask: ir.Unmask, *, cut: bool) -> Iterator[tuple[str, Code]]:
        """Yield the lines of a step before it reads the network."""
        d, scored = self.decoder, unmask.reads_network
        yield _line("masked", "self.candidates(canvas, tick)" if self.hooked else "canvas.masked")
        if d.inverse and d.grid is None:
            yield _line("tick", "tick.at(mean_time(canvas, masked, {}))", d.inverse)
        yield from d.lets
        if d.remask is not None:
            yield self._written()
            yield from [] if d.remask.looks else orders.again(d.remask)
        if scored and unmask.ahead is not None:
            yield "quota", unmask.ahead
        if cut:
            yield _line("masked", "masked & (quota > 0)[:, None]")
        if not scored:
            yield "places", orders.places(unmask)
        if d.remask is not None and d.remask.looks:
            yield _line("looked", f"{'masked' if scored else 'places'} | written")

    def _written(self) -> tuple[str, Code]:
        """Return the tokens that can become masks again."""
        blocks = self.decoder.blocks
        written = blocks.written if blocks is not None else built("canvas.free & ~masked")
        return "written", written

    def _looked(self, asked: str) -> Lines:
        """Return the tokens that become masks again by an answer that has just been read."""
        remask = self.decoder.remask
        if remask is None or not remask.looks:
            return ()
        now = _line("now", "logits[written[looked]]")
        logits = _line("logits", f"logits[{asked}[looked]]")
        return (now, *orders.again(remask), logits)

    def _after(self, unmask: ir.Unmask, state: str) -> tuple[list[tuple[str, Code]], Code]:
        """Return what follows from the answer of the network, and the canvas after it."""
        d, order = self.decoder, unmask.order
        lines: list[tuple[str, Code]] = []
        sure, token = "confidence(logits, token)", "token"
        u = f'noise.uniform("token", {POSITIONS})'
        scored = unmask.reads_network
        if scored and (order.sampled or order.tempered):
            lines += self._drawn_first(order, u)
            lines += orders.choice(unmask)
            sure, token = f"{sure}[places[masked]]", "token[places[masked]]"
        else:
            logits = "logits"
            if scored:
                lines += orders.choice(unmask)
                logits = "logits[places[masked]]"
                if self._rates():
                    lines.append(_line("logits", logits))
                    logits = "logits"
            lines.append(("token", self._drawn(d.draw, logits, f"{u}[places]")))
        if d.insert is not None:
            return [*lines, *self._inserted(d.insert, state, token, sure)], self._grown(d.insert)
        result = f"{state}.write(places, {token})"
        return lines, built(f"rated({result}, places, {sure})" if self._rates() else result)

    def _rates(self) -> bool:
        return self.decoder.remask is not None and self.decoder.remask.sure

    def _drawn_first(self, order: ir.Order, u: str) -> Iterator[tuple[str, Code]]:
        """Yield code that draws the tokens of all masks before they are scored."""
        sampler = self.decoder.draw
        if not order.tempered:
            yield "token", self._drawn(sampler, "logits", f"{u}[masked]")
            return
        cuts = ", ".join(f"{name}={{}}" for name, _ in sampler.cuts)
        known = (*orders.CUTS,)[: len(sampler.cuts)] == tuple(name for name, _ in sampler.cuts)
        cuts = ", ".join(["{}"] * len(sampler.cuts)) if known else cuts
        yield "logits", built(f"truncated(logits, {cuts})", *(code for _, code in sampler.cuts))
        cold = dict(sampler.cuts).get("temperature")
        if cold is not None and cold.value == 0:
            yield _line("token", "logits.argmax(-1)")
            return
        yield _line("u", f"{u}[masked]")
        drawn = "categorical(logits, u)"
        if cold is not None and cold.param:
            yield _line("token", f"{drawn} if {{}} else logits.argmax(-1)", cold)
        else:
            yield _line("token", drawn)

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
            _line(insert.head, f"spread({answer}, canvas.open)"),
            _line("number", form, insert.code),
            _line("canvas", written, *((few,) if few is not None else ())),
        )

    def _grown(self, insert: ir.Insert) -> Code:
        fitting = f"{insert.overflow}(canvas.open * number, canvas.vacant)"
        return built(f'canvas.insert({fitting}, canvas.network.vocab["mask"])')

    def _doc(self) -> tuple[str, ...]:
        d = self.decoder
        what = "Take one reverse step"
        if d.insert is not None or d.remask is not None:
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
            after.append(_line("u", u, moment))
        token = self._drawn(last, "logits", "u")
        query = self._query(whole=False)
        doc = self.refers("Reveal the masks that are left when the ticks have ended", "finish")
        return parts.Finish(d.head, query, (*after,), token, doc=doc)


def _chance(stop: ir.Stop) -> Code:
    """Return the chance of a head, as code over its hidden state."""
    answer = f"canvas.network.{stop.name}(hidden)"
    if stop.of == "zero":
        return built(f"{answer}.softmax(-1)[:, 0]")
    if stop.temperature is None:
        return built(f"{answer}.sigmoid()")
    return built(f"tempered_chance({answer}, {{}})", stop.temperature)


def closed(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Return pieces and all that they need, each once, needs first."""
    found: dict[Piece, None] = {}
    for one in pieces:
        found |= dict.fromkeys(closed(one.needs))
        found.setdefault(one)
    return (*found,)
