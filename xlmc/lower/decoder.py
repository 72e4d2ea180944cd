"""The decoders."""

from attrs import evolve

from xlmc.calculus.code import Code, built
from xlmc.lower import blocks, drafts, ir
from xlmc.lower.actions import Actions
from xlmc.lower.classes import classes, clocked
from xlmc.lower.clock import Clock
from xlmc.lower.documents import referring
from xlmc.lower.endings import Endings, place
from xlmc.lower.params import params
from xlmc.lower.parts import LIBRARY
from xlmc.lower.reading import functions, leftward
from xlmc.syntax import ast, query
from xlmc.syntax.query import camel
from xlmc.syntax.vocabulary import listing
from xlmc.theory.process import Process
from xlmc.words import slots
from xlmc.words.last import reveals_all
from xlmc.words.slots import rule_words


def decoders(instances: tuple[ast.Family, ...], clock: Clock) -> ir.Decoders:
    """Build `decoder.py`, for the family at all values of the params of its noise."""
    every = [
        [_Maker(section, one, clock).make() for section in query.decoders(one)] for one in instances
    ]
    made = tuple(_everywhere(alike) for alike in zip(*every, strict=True))
    found = classes(made)
    taken = ir.TAKEN if clocked(found) else ""
    schedule = clock.imports(functions(found), taken)
    library = [(module, names) for module, names in _library(made).items()]
    library += [("schedule", schedule)] if schedule else []
    title = "From noise to text: one reverse step of each decoder."
    if made[0].appends:
        title = "From a prompt to text: the next token."
    elif made[0].extends is not None:
        title = "From a prompt to text: one reverse step of each decoder, block by block."
    return ir.Decoders(
        title=title,
        library=tuple(sorted(library)),
        classes=found,
        decoders=made,
    )


def _library(decoders: tuple[ir.Decoder, ...]) -> dict[str, tuple[str, ...]]:
    """Return the names that decoders can take from each module of the library."""
    found = {module: names.split() for module, names in LIBRARY.items()}
    for edit in (edit for one in decoders for edit in one.edits):
        for module, names in edit.word.library.items():
            found[module] = [*found.get(module, ()), *names.split()]
    return {module: tuple(dict.fromkeys(names)) for module, names in found.items()}


def _everywhere(alike: tuple[ir.Decoder, ...]) -> ir.Decoder:
    """Merge one decoder's forms at all values of the noise's params: keep what holds in each."""
    here = next((one for one in alike if one.last is not None), alike[0])  # its params are the most
    unmask, insert, several, editing = here.unmask, here.insert, here.several, here.editing
    if unmask is not None:
        gradual = all(one.unmask is not None and one.unmask.gradual for one in alike)
        unmask = evolve(unmask, gradual=gradual)
    if insert is not None:
        timely = all(one.insert is not None and one.insert.timely for one in alike)
        insert = evolve(insert, timely=timely)
    if several is not None:
        timely = all(one.several is not None and one.several.timely for one in alike)
        several = evolve(several, timely=timely)
    if editing is not None:
        timely = all(one.editing is not None and one.editing.timely for one in alike)
        editing = evolve(editing, timely=timely)
    edits = tuple(map(_everywhere_off, zip(*(one.edits for one in alike), strict=True)))
    return evolve(here, unmask=unmask, insert=insert, several=several, editing=editing, edits=edits)


def _everywhere_off(alike: tuple[ir.Edit, ...]) -> ir.Edit:
    """Return an edit with the param at whose 0 it changes nothing, if that is one for all."""
    off = {one.off for one in alike}
    return evolve(alike[0], off=off.pop() if len(off) == 1 else "")


class _Maker(Actions):
    def make(self) -> ir.Decoder:
        """Build the class of one decoder."""
        step = query.the(self.section.entries, ast.Step)
        draw = drafts.insertion(step, self.family)
        pick = query.first(step.actions, ast.Pick)
        edited = drafts.law(self.family) is not None
        anew = query.anew(step.actions) is not None and not edited
        unmask = query.act(step.actions, "unmask") if not anew else None
        name = self.section.name or "default"
        title = "" if self.section.name is None else camel(self.section.name)
        insert = query.first(step.actions, ast.Insert)
        edits = slots.edits(step.actions)
        keep = query.act(step.actions, "keep")
        actions = [a for a in (unmask, keep, *(edit for edit, _ in edits), insert) if a is not None]
        values = [value for a in actions for value in query.amounts(a)]
        heat = [a.order.temperature for a in actions if a.order is not None]
        values += [value for value in heat if value is not None]
        grid = slots.grid(self.section.entries)
        told = query.condition(self.family) is not None and not (grid and grid.timed)
        spec = "decoder" if self.section.name is None else f"decoder {name}"
        ends = Endings(self.section, self.family, self.clock)
        stops = ends.stops()
        what, way = self._summary(stops)
        extends = blocks.size(self.family, "self.")
        onward, reuse = extends is not None, query.first(self.section.entries, ast.Reuse)
        return ir.Decoder(
            name=name,
            klass=f"{title}Decoder",
            spec=spec,
            doc=referring(what, spec, way),
            params=params(self.section.entries, self._used()),
            head=draw.head.id,
            draw=self.sampler(draw),
            pick=self.sampler(pick) if pick is not None else None,
            unmask=self.unmask(unmask),
            insert=self.insert(insert) if self.both else None,
            several=self.several(step) if not edited else None,
            edits=tuple(self.edit(action, word) for action, word in edits),
            substitute=self.substitute(step) if anew else None,
            keep=self.keep(keep),
            guide=self.guide(),
            blocks=self.blocks(),
            lets=self.lets(values),
            last=self._last(),
            grid=self._grid(told=told),
            few=ends.few(),
            ends=ends.edit(),
            reuse=reuse is not None and reuse.part is None,
            holds=reuse.part.id if reuse is not None and reuse.part is not None else "",
            keeps=onward and reuse is not None and reuse.what.id == "prefix",
            appends=query.act(step.actions, "append") is not None,
            stops=stops,
            inverse=self.clock.handed("inverse", "self.") if told else None,
            clocked=bool(self.clock.params),
            size=self._size(),
            carries=query.carry(self.family) is not None,
            editing=self.editing(step) if edited else None,
            orders=Process.of(self.family).permuted,
            extends=extends,
            correct=self.correct(),
            leftward=leftward(self.family),
        )

    def _size(self) -> ir.Size | None:
        """Return the draw of the length; None where that is given."""
        start = query.first(self.section.entries, ast.Start)
        if start is None or start.head is None:
            return None
        return ir.Size(start.head.id, place(start.head.id, self.family), start.greedy)

    def _grid(self, *, told: bool) -> ir.Grid | None:
        """Return the times of the steps; ``told``: the network reads times they lack."""
        word, size = slots.grid(self.section.entries), self.block_size() if self.shared else None
        if word is None:
            return None
        clocks = ("corrupted", "inverse") if told else ()
        steps = self._steps()
        code = word.ticks(steps, size, tuple(self.clock.handed(one, "self.") for one in clocks))
        onward = blocks.size(self.family) is not None
        each = " in each block" if size is not None or onward else ""
        if word.timed and onward and code is not None:
            code = built("cycle({})", code)
        return ir.Grid(word.timed, steps, code, f"{word.summary}{each}")

    def _steps(self) -> Code | None:
        grid = query.first(self.section.entries, ast.Grid)
        if grid is None or not isinstance(grid.value, ast.Call):
            return None
        return self.option("steps", grid.value.arguments[0])

    def _used(self) -> set[str]:
        """Return the names that the decoder's entries mention, also through its lets."""
        exprs = [
            expr
            for entry in self.section.entries
            if not isinstance(entry, ast.Let)
            for expr in query.expressions(entry)
        ]
        if self._last() is None:
            finish = query.leftover(self.section.entries)
            exprs = [e for e in exprs if finish is None or e not in list(query.expressions(finish))]
            step = query.the(self.section.entries, ast.Step)
            exprs += query.expressions(step)
        return query.spoken(exprs, query.those(self.section.entries, ast.Let))

    def _last(self) -> ir.Sampler | None:
        """Return the sampler of leftovers; None if a step leaves none."""
        finish = query.leftover(self.section.entries)
        step = query.the(self.section.entries, ast.Step)
        unmask = query.act(step.actions, "unmask") or query.act(step.actions, "keep")
        grid = slots.grid(self.section.entries)
        if finish is None or unmask is None or grid is None or not grid.timed:
            return None
        if not self.both and reveals_all(self.section, self.family, query.arrows(self.family)[0]):
            return None
        return self.sampler(query.the(finish.actions, ast.Draw))

    def _summary(self, stops: tuple[ir.Stop, ...]) -> tuple[str, str]:
        """Return phrases for the decoder's step, and for the order or the end of its steps."""
        step = query.the(self.section.entries, ast.Step)
        unmask = query.act(step.actions, "unmask")
        if query.act(step.actions, "append") is not None:
            return "Append one token at a time", ", until a row ends"
        word = slots.grid(self.section.entries)
        if drafts.law(self.family) is not None:
            return "Insert, delete and substitute tokens", word.way if word is not None else ""
        if query.anew(step.actions) is not None:
            last = ", and correct the text at its end"
            way = last if query.correction(self.section.entries) is not None else ""
            return "Draw all tokens anew", f"{word.way if word is not None else ''}{way}"
        if query.act(step.actions, "keep") is not None:
            return "Keep the surest tokens, and mask the others", word.way if word else ""
        if self.several(step) is not None:
            way = word.way if word is not None else ", until a row stops"
            does = [edit.does for _, edit in slots.edits(step.actions)]
            return ", and ".join(["Insert tokens into several gaps of each row", *does]), way
        if unmask is None and word is not None:
            return "Insert one token at a time", word.way
        if unmask is None:
            told = any(stop.kind == "oracle" for stop in stops)
            end = "is as long as its own answer" if told else "stops"
            return "Insert one token at a time", f", until a row {end}"
        others = [edit.does for _, edit in slots.edits(step.actions)]
        if self.both:
            order = ", from left to right" if self.blocked else ""
            way = f", on a uniform grid{order}"
            return f"{', '.join([_summary(unmask.much), *others])}, and insert others", way
        grid = slots.grid(self.section.entries)
        way = grid.way if grid is not None else ""
        drawn = query.first(step.actions, ast.Draw)
        if drawn is not None and drawn.law is not None:
            return "Draw which masks stay, and what the others are", way
        inward = self.blocked or blocks.size(self.family) is not None
        what, way = _summary(unmask.much), way + ", block by block" * inward
        if others and unmask.much.rest is not None:
            return what, f", also {listing(others, 'and')}{way}"
        return listing([what, *others], "and"), way


def _summary(much: ast.Much) -> str:
    """Return a sentence on the rules by which masks are revealed."""
    paces = [*query.paces(much)]
    takes = [rule_words()[pace.rule].takes for pace in paces]
    links = [", or " if pace.also is not None else "; else " for pace in paces]
    text = "".join(map("".join, zip(takes, [*links[:-1], ""], strict=True)))
    return f"Reveal {text}{rule_words()[paces[-1].rule].alone}"
