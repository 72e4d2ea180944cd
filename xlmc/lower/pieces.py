"""The pieces of a decoder's class, and what the makers of its methods share."""

from collections.abc import Iterable, Iterator

from attrs import frozen

from xlmc.calculus.code import CLOCK, Code, built, inside
from xlmc.lower import ir, orders, parts
from xlmc.lower.documents import METHOD, referring

POSITIONS = "canvas.position"
DRAWN = "Draw for each place by u in [0, 1)"


@frozen
class Piece:
    """A method or a param of a decoder, with those that it uses."""

    part: parts.Part | parts.Field
    needs: tuple["Piece", ...] = ()


def closed(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Return pieces and all that they need, each once, needs first."""
    found: dict[Piece, None] = {}
    for one in pieces:
        found |= dict.fromkeys(closed(one.needs))
        found.setdefault(one)
    return (*found,)


def line(name: str, form: str, *codes: Code) -> tuple[str, Code]:
    """Return an assignment."""
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
class Maker:
    """The maker of a decoder's methods; ``hooked``: some decoder of the family has blocks."""

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

    def read(self, places: str) -> str:
        """Return code of the places at which the logits of tokens at some places are read."""
        return f"left_of({places})" if self.decoder.leftward else places

    def plain(self) -> Code:
        """Return code for a draw from logits by u."""
        return drawing(self.decoder.draw, "logits", "u")

    def drawn(self, sampler: ir.Sampler, logits: str, u: str) -> Code:
        """Return code for a draw, by an existing method if that draws in the same way."""
        order = self.decoder.unmask.order if self.decoder.unmask else None
        if sampler.cuts and sampler == self.decoder.draw and not (order and order.tempered):
            return built(f"self.draw({logits}, {u})")
        return drawing(sampler, logits, u)

    def times(self) -> Iterator[parts.Part]:
        """Yield the times of the steps, and the masks that a step may reveal."""
        d = self.decoder
        if d.grid is not None and d.grid.ticks is not None:
            yield _ticks(d.grid.ticks, d.grid.summary, d.correct)
        if d.blocks is not None:
            grows = d.insert is not None
            where = "the first block that has some" if grows else "the blocks whose time has come"
            doc = self.refers(f"Return the masks in {where}", "blocks")
            yield parts.Candidates(d.blocks.masks, doc=doc)

    def led(self, guide: ir.Guide, read: str, moved: str) -> Piece:
        """Return a query with guidance away from rows without some of their tokens."""
        taken = f"{guide.without}(canvas)"
        if guide.without == "prompt":
            taken = f"prompt_alone(canvas, {guide.lead}, {guide.tail})"
        other = built(f"canvas.remove({taken}){moved}")
        doc = self.refers("Query the network for guided logits", "guide")
        return self.piece(parts.Led(self.decoder.head, other, read, guide.scale, doc=doc))

    def stops(self, stops: list[ir.Stop]) -> parts.Stops:
        """Return the conditions that end rows by a head."""
        asked = {one.variable: parts.Asked(one.variable, one.at, _chance(one)) for one in stops}
        codes = [stop.code for stop in stops if stop.code is not None]
        alone = codes[0]
        if len(codes) > 1:
            alone = built(" | ".join(["({})"] * len(codes)), *codes)
        doc = self.refers("Return the rows that end before this step", "stop")
        return parts.Stops((*asked.values(),), alone, doc=doc)


def _ticks(ticks: Code, summary: str, correct: ir.Correct | None) -> parts.Ticks:
    """Return the times of the steps, and of the corrections that follow them."""
    if correct is None:
        return parts.Ticks(ticks, summary)
    form = "chain({}, still({}, {}, canvas.x.device))"
    code = built(form, ticks, correct.moment, correct.times)
    return parts.Ticks(code, f"{summary}, and the time of corrections")


def _chance(stop: ir.Stop) -> Code:
    """Return the chance of a head, as code over its hidden state."""
    answer = f"canvas.network.{stop.name}(hidden)"
    if stop.of == "zero":
        return built(f"{answer}.softmax(-1)[:, 0]")
    if stop.temperature is None:
        return built(f"{answer}.sigmoid()")
    return built(f"tempered_chance({answer}, {{}})", stop.temperature)
