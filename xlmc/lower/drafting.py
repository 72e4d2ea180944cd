"""The methods of decoders that edit drafts."""

from collections.abc import Iterator

from xlmc.calculus.code import Code, built
from xlmc.lower import ir, parts
from xlmc.lower.parts import Lines
from xlmc.lower.pieces import POSITIONS, Maker, Piece, drawing, line, summary


class EditMaker(Maker):
    """The maker of the methods of decoders that edit drafts."""

    def _first(self, draft: Code | None) -> parts.Begin | parts.Brought:
        """Return the method that gives the first state."""
        if draft is None:
            doc = self.refers("Begin with the drafts that the rows bring", "start")
            return parts.Brought(doc=doc)
        doc = self.refers("Draw a draft between the given tokens", "start")
        return parts.Begin(draft, doc=doc)

    def editing(self, editing: ir.Editing) -> Iterator[Piece]:
        """Yield the draft, the times of the steps, a step, and the draw of its tokens."""
        d = self.decoder
        yield self.piece(self._first(editing.draft))
        yield from map(self.piece, self.times())
        samplers = [one for one in (d.draw, editing.draw) if one.cuts]
        shared = samplers[0] if samplers else None
        needs: tuple[Piece, ...] = ()
        if shared is not None:
            code = drawing(shared, "logits", "u")
            needs = (self.piece(parts.Draw(code, summary(shared))),)

        def draw(sampler: ir.Sampler, head: str, places: str, stream: str) -> Code:
            states = self.read(places) if head == editing.right else places
            logits = f"canvas.network.{head}(canvas.hidden({states}))"
            u = f'noise.uniform("{stream}", {POSITIONS})[{places}]'
            if sampler == shared:
                return built(f"self.draw({logits}, {u})")
            return drawing(sampler, logits, u)

        lines: Lines = (
            *d.lets,
            *_rate(editing.missing, "canvas.open"),
            *_rate(editing.surplus, "canvas.free"),
            *_rate(editing.wrong, "canvas.free"),
            line("gaps", f"canvas.open & comes({{}}, {_u('insert')})", editing.missing.code),
            line(
                "gaps", f"{editing.overflow}(gaps.long(), canvas.vacant + {{}}) > 0", editing.room
            ),
            line("gone, altered", _EITHER, editing.surplus.code, editing.wrong.code),
            ("token", draw(d.draw, d.head, "gaps", "token")),
            ("other", draw(editing.draw, editing.right, "altered", "other")),
        )
        doc = self.refers(
            "Take one reverse step; all edits follow from the state before it", "step"
        )
        result = built("edited(canvas.write(altered, other), gone, gaps, token)")
        yield from needs
        doc = (*doc, "Rows may outgrow their room: `finish` takes out what is too much.")
        yield self.piece(parts.Spread(lines, result, doc=doc), *needs)


def _u(stream: str) -> str:
    return f'noise.uniform("{stream}", {POSITIONS})'


_EITHER = f"either({{}}, {{}}, {_u('edit')}, canvas.free)"


def _rate(rate: ir.Rate, places: str) -> Lines:
    """Return the assignment of the number of edits that is expected at each place."""
    answer = f"canvas.network.{rate.head}(canvas.hidden({places}))"
    return (line(rate.head, f"spread({answer}, {places})"),)
