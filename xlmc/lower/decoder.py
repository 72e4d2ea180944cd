"""The decoders."""

from functools import partial
from itertools import count

from attrs import evolve, frozen

from xlmc.calculus.code import (
    Called,
    Code,
    Kind,
    Leaf,
    Names,
    Printer,
    Rank,
    built,
    called,
    inside,
    number,
    param,
    poisson,
    variable,
)
from xlmc.calculus.functions import PRODUCT
from xlmc.lower import ir
from xlmc.lower.canvas import gradual, switch, timely
from xlmc.lower.classes import classes
from xlmc.lower.clock import Clock
from xlmc.lower.documents import referring
from xlmc.lower.insertions import several
from xlmc.lower.orders import CUTS, MASKS, TOKENS
from xlmc.lower.params import mentioned, params
from xlmc.lower.parts import LIBRARY
from xlmc.syntax import ast, query
from xlmc.syntax.expression import inline
from xlmc.syntax.query import camel
from xlmc.theory.process import Process
from xlmc.words import slots
from xlmc.words.decoding import environment
from xlmc.words.guides.base import around_prompt
from xlmc.words.last import reveals_all
from xlmc.words.numbers import plain
from xlmc.words.rules.base import Actor, Rule
from xlmc.words.slots import answers, order_words, rule_words, stop_of, subject_words
from xlmc.words.stops.base import Stop, temperature


def decoders(instances: tuple[ast.Family, ...], clock: Clock) -> ir.Decoders:
    """Build `decoder.py`, for the family at all values of the params of its noise."""
    every = [
        [_Maker(section, one, clock).make() for section in query.decoders(one)] for one in instances
    ]
    made = tuple(_everywhere(alike) for alike in zip(*every, strict=True))
    found = classes(made)
    schedule = clock.imports(functions(found))
    library = [(module, tuple(names.split())) for module, names in LIBRARY.items()]
    library += [("schedule", schedule)] if schedule else []
    prompted = made[0].appends
    return ir.Decoders(
        title="From a prompt to text: the next token."
        if prompted
        else "From noise to text: one reverse step of each decoder.",
        library=tuple(sorted(library)),
        classes=found,
        decoders=made,
    )


def _everywhere(alike: tuple[ir.Decoder, ...]) -> ir.Decoder:
    """Merge the decoders of all instances: the facts that hold for every one."""
    here = next((one for one in alike if one.last is not None), alike[0])  # its params are the most
    unmask, insert, several, remask = here.unmask, here.insert, here.several, here.remask
    if unmask is not None:
        gradual = all(one.unmask is not None and one.unmask.gradual for one in alike)
        unmask = evolve(unmask, gradual=gradual)
    if insert is not None:
        timely = all(one.insert is not None and one.insert.timely for one in alike)
        insert = evolve(insert, timely=timely)
    if several is not None:
        timely = all(one.several is not None and one.several.timely for one in alike)
        several = evolve(several, timely=timely)
    if remask is not None:
        off = {one.remask.off for one in alike if one.remask is not None}
        remask = evolve(remask, off=off.pop() if len(off) == 1 else "")
    return evolve(here, unmask=unmask, insert=insert, several=several, remask=remask)


def reading(family: ast.Family, clock: Clock) -> ir.Reading:
    """Build `reading.py`."""
    told = query.condition(family)
    what = "the hidden states of all columns"
    call = built("network.trunk(x, attend)")
    if told is not None and isinstance(told.value, ast.Name):
        t = variable("t", Rank.ROW, Kind.DOUBLE).code
        value = t if clock.tells(told.value.id) == "t" else called(clock.use("sigma"), t)
        call = built("network.trunk(x, attend, {}.expand(len(x)))", value)
        what += ", given the time"
    if query.shifted(family):
        call = built("shifted({}, attend)", call)
        what = "for each column the hidden state to its left"
    return ir.Reading(call, what, functions(call))


def functions(codes: object) -> tuple[str, ...]:
    """Return the functions of the schedule that some code calls."""
    return tuple(sorted({name for code in inside(codes) for name in code.reads.functions}))


def _counted(name: str, mask: str) -> Leaf:
    """Return the number of the places of each row that are marked."""
    wide = f"{mask}.sum(1, keepdim=True)"
    return variable(name, Rank.ROW, Kind.LONG, f"{mask}.sum(1)", wide)


def looked(rule: Rule, actor: Actor) -> dict[str, Leaf]:
    """Return the scores of the network's answer that an amount may read.

    Of each place, or as a mean over the candidates of a row.
    """
    among = actor.candidates
    if rule.of_place:
        return {
            word.name: variable(word.name, Rank.TOKEN, Kind.DOUBLE, word.variable)
            for word in answers().values()
        }
    return {
        word.name: variable(word.name, Rank.ROW, Kind.DOUBLE, f"mean({word.variable}, {among})")
        for word in answers().values()
    }


def _summary(much: ast.Much) -> str:
    """Return a sentence on the rules by which masks are revealed."""
    rules = [rule_words()[pace.rule] for pace in query.paces(much)]
    takes = [rule.takes for rule in rules]
    return f"Reveal {'; of a row without any '.join(takes)}{rules[-1].alone}"


@frozen
class _Maker:
    section: ast.Section
    family: ast.Family
    clock: Clock

    def make(self) -> ir.Decoder:
        """Build the class of one decoder."""
        step = query.the(self.section.entries, ast.Step)
        draw = query.the(step.actions, ast.Draw)
        pick = query.first(step.actions, ast.Pick)
        unmask = query.first(step.actions, ast.Unmask)
        name = self.section.name or "default"
        title = "" if self.section.name is None else camel(self.section.name)
        insert = query.first(step.actions, ast.Insert)
        remask = query.first(step.actions, ast.Remask)
        actions: tuple[ast.Unmask | ast.Remask | ast.Insert | None, ...] = (unmask, remask, insert)
        values = [value for a in actions if a is not None for value in query.amounts(a)]
        warm = unmask.order.temperature if unmask is not None and unmask.order is not None else None
        values += [warm] if warm is not None else []
        grid = slots.grid(self.section.entries)
        told = query.condition(self.family) is not None and not (grid and grid.timed)
        spec = "decoder" if self.section.name is None else f"decoder {name}"
        what, way = self._summary()
        return ir.Decoder(
            name=name,
            klass=f"{title}Decoder",
            spec=spec,
            doc=referring(what, spec, way),
            params=params(self.section.entries, self._used()),
            head=draw.head.id,
            draw=self._sampler(draw),
            pick=self._sampler(pick) if pick is not None else None,
            unmask=self._unmask(unmask),
            insert=self._insert(insert) if self.both else None,
            several=self._several(step),
            remask=self._remask(remask),
            substitute=self._substitute(step),
            guide=self._guide(),
            blocks=self._blocks(),
            lets=self._lets(values),
            last=self._last(),
            grid=self._grid(told=told),
            few=self._few(),
            ends=self._edit() if any(word.kind == "text" for _, word in self._ends) else "",
            reuse=query.first(self.section.entries, ast.Reuse) is not None,
            appends=query.first(step.actions, ast.Append) is not None,
            stops=self._stops(),
            inverse=self.clock.handed("inverse", "self.") if told else None,
            clocked=bool(self.clock.params),
            size=self._size(),
        )

    def _size(self) -> ir.Size | None:
        """Return the draw of the length; None where that is given."""
        start = query.first(self.section.entries, ast.Start)
        if start is None or start.head is None:
            return None
        return ir.Size(start.head.id, self._place(start.head.id), start.greedy)

    @property
    def both(self) -> bool:
        """True if masks are inserted and revealed."""
        return Process.of(self.family).clocks > 1

    def _grid(self, *, told: bool) -> ir.Grid | None:
        """Return the times of the steps; ``told``: the network reads times they lack."""
        word, size = slots.grid(self.section.entries), self._block_size() if self._shared else None
        if word is None:
            return None
        clocks = ("corrupted", "inverse") if told else ()
        steps = self._steps()
        code = word.ticks(steps, size, tuple(self.clock.handed(one, "self.") for one in clocks))
        each = " in each block" if size is not None else ""
        return ir.Grid(word.timed, steps, code, f"{word.summary}{each}")

    def _used(self) -> set[str]:
        """Return the names that the decoder's entries mention, also through its lets."""
        exprs = [
            expr
            for entry in self.section.entries
            if not isinstance(entry, ast.Let)
            for expr in query.expressions(entry)
        ]
        if self._last() is None:
            finish = query.first(self.section.entries, ast.Finish)
            exprs = [e for e in exprs if finish is None or e not in list(query.expressions(finish))]
            step = query.the(self.section.entries, ast.Step)
            exprs += query.expressions(step)
        return query.spoken(exprs, query.those(self.section.entries, ast.Let))

    @property
    def _scope(self) -> Names:
        """The meanings of the names in amounts: with blocks every row has times of its own."""
        rank = Rank.ROW if self._shared else Rank.SCALAR
        left = "steps_left(tick)" if self._shared else "tick.left"
        found = {
            "t": variable("t", rank, Kind.DOUBLE, "tick.t"),
            "s": variable("s", rank, Kind.DOUBLE, "tick.s"),
            "steps_left": variable(
                "steps_left", rank, Kind.LONG if self._shared else Kind.INT, left
            ),
            "masked": _counted("masked", "masked"),
            "length": _counted("length", "canvas.free"),
            "limit": variable("limit", Rank.ROW, Kind.LONG, "canvas.room"),
        }
        found |= {
            one.name: param(one.name, one.kind)
            for one in query.those(self.section.entries, ast.Param)
        }
        late = self._late
        for one in query.those(self.section.entries, ast.Let):
            if one.name in late:
                continue
            made = Printer.code(one.value, Names(found, self._call))
            found[one.name] = variable(one.name, made.rank, made.kind)
        return Names(found, self._call)

    @property
    def _call(self) -> Called:
        return partial(self.clock.call, owner="self.")

    def _code(self, expr: ast.Expr) -> Code:
        return Printer.code(expr, self._scope)

    # Unmasking

    def _unmask(self, action: ast.Unmask | None) -> ir.Unmask | None:
        if action is None:
            return None
        remask = query.first(query.the(self.section.entries, ast.Step).actions, ast.Remask)
        env = environment(self.section, self.family)
        off = switch(remask.much, env) if remask is not None else ""
        return ir.Unmask(
            self._paces(action.much, MASKS),
            self._order(action.order),
            gradual(action.much, env, off),
        )

    def _paces(self, much: ast.Much, actor: Actor) -> tuple[ir.Pace, ...]:
        """Return the rules of an action with the codes of their amounts."""
        return tuple(self._pace(pace, actor) for pace in query.paces(much))

    def _pace(self, pace: ast.Much, actor: Actor) -> ir.Pace:
        rule = rule_words()[pace.rule]
        if pace.value is None:
            return ir.Pace(rule, None)
        scope = self._scope
        read = looked(rule, actor)
        names = {**scope.names, **read}
        code = Printer.code(inline(pace.value, self._late), evolve(scope, names=names))
        looks = tuple(name for name in read if name in code.reads.variables)
        return ir.Pace(rule, rule.amount(code, actor), looks)

    @property
    def _late(self) -> dict[str, ast.Expr]:
        """Return the formulas of the lets that read the network's answer, computed after it."""
        found: dict[str, ast.Expr] = {}
        for one in query.those(self.section.entries, ast.Let):
            read = {name.id for name in query.names(one.value)}
            if read & {*found, *answers()}:
                found[one.name] = inline(one.value, found)
        return found

    def _remask(self, action: ast.Remask | None) -> ir.Remask | None:
        if action is None:
            return None
        order = action.order
        network = order is not None and order_words()[order.score.id].network
        present = order is not None and order.of is not None
        return ir.Remask(
            paces=self._paces(action.much, TOKENS),
            now=order.score.id if order is not None and present else "",
            temperature=self._temperature(order.temperature if order is not None else None),
            sure=network and not present,
            off=switch(action.much, environment(self.section, self.family)),
        )

    def _substitute(self, step: ast.Step) -> ir.Substitute | None:
        if query.first(step.actions, ast.Substitute) is None:
            return None
        chain = query.the(step.actions, ast.Draw).law is not None
        return ir.Substitute(self.clock.handed("corrupted", "self.") if chain else None)

    def _guide(self) -> ir.Guide | None:
        guide = query.first(self.section.entries, ast.Guide)
        if guide is None:
            return None
        options = {keyword.name: keyword.value for keyword in guide.value.keywords}
        without = options["without"]
        assert isinstance(without, ast.Name)
        lead, tail = around_prompt(self.family)
        return ir.Guide(without.id, self._option("scale", options["scale"]), lead, tail)

    @property
    def _blocked(self) -> bool:
        return query.first(self.section.entries, ast.Blocks) is not None

    @property
    def _shared(self) -> bool:
        """The steps of the grid are shared over the blocks, whose number is known."""
        grid = slots.grid(self.section.entries)
        timed = self._blocked and grid is not None and grid.timed
        return timed and Process.of(self.family).fixed_length

    def _block_size(self) -> Code | None:
        blocks = query.first(self.section.entries, ast.Blocks)
        return self._option("size", blocks.size) if blocks is not None else None

    def _blocks(self) -> ir.Blocks | None:
        size, shared = self._block_size(), self._shared
        if size is None:
            return None
        word = slots.window_words()["blocks"]
        masks, written = word.masks(size, shared=shared), word.written(size, shared=shared)
        return ir.Blocks(size, masks, written)

    def _lets(self, values: list[ast.Expr]) -> tuple[tuple[str, Code], ...]:
        """Return the lets that the amounts need, in order."""
        lets = query.those(self.section.entries, ast.Let)
        needed = mentioned(values)
        for one in reversed(lets):
            if one.name in needed:
                needed |= mentioned([one.value])
        needed -= {*self._late}
        return tuple((one.name, self._code(one.value)) for one in lets if one.name in needed)

    def _insert(self, action: ast.Insert | None) -> ir.Insert | None:
        if action is None:
            return None
        value = action.much.value
        assert value is not None
        (head,) = mentioned([value]) & set(query.heads(self.family))
        scope = self._scope
        number = {head: variable(head, Rank.TOKEN, Kind.SINGLE)}
        code = Printer.code(value, evolve(scope, names={**scope.names, **number}))
        u = 'noise.uniform("insert", canvas.position)'
        rule = action.much.rule
        policy = query.the(self.section.entries, ast.Overflow).policy.id
        env = environment(self.section, self.family)
        return ir.Insert(
            rule=rule,
            code=poisson(code, u)
            if rule == "poisson"
            else built(f"{u} < {{}}", code, kind=Kind.BOOL),
            head=head,
            kind=query.heads(self.family)[head].kind.id,
            overflow=policy,
            timely=timely(value, head, env, query.arrows(self.family)[-1].survival),
        )

    def _several(self, step: ast.Step) -> ir.Several | None:
        insert, head = query.first(step.actions, ast.Insert), query.the(step.actions, ast.Draw).head
        if insert is None or self.both or plain(insert, head.id, self.family):
            return None
        order = self._order(insert.order)
        return several(insert, head.id, order, self.section, self.family, self._scope)

    def _order(self, order: ast.Order | None) -> ir.Order:
        if order is None:
            return ir.Order((), "", sampled=False, tempered=False, temperature=None)
        choice = query.choice(order.score.id, self.section)
        of = subject_words()[order.of.id] if order.of is not None else None
        draw = query.the(query.the(self.section.entries, ast.Step).actions, ast.Draw)
        return ir.Order(
            tuple(score.id for score in query.scores(order, self.section)),
            choice.name if choice else "",
            sampled=of is not None and of.drawn,
            tempered=of is not None and of.law and bool(self._sampler(draw).cuts),
            temperature=self._temperature(order.temperature),
        )

    def _temperature(self, value: ast.Expr | None) -> Code | None:
        """Return the temperature of an order as a factor."""
        return Printer.code(value, self._scope, PRODUCT) if value is not None else None

    def _steps(self) -> Code | None:
        grid = query.first(self.section.entries, ast.Grid)
        if grid is None or not isinstance(grid.value, ast.Call):
            return None
        return self._option("steps", grid.value.arguments[0])

    def _few(self) -> Code | None:
        """Return the number of missing tokens below which a row gets no more; None for none."""
        numbers = [n for one, word in self._ends if word.kind == "few" for n in word.numbers(one)]
        return self._option("stop", numbers[0].value) if numbers else None

    @property
    def _ends(self) -> list[tuple[ast.Condition, Stop]]:
        """The conditions that end a row, with their words."""
        stop = query.first(self.section.entries, ast.Stop)
        pairs = [(one, stop_of(one, self.family)) for one in (stop.conditions if stop else ())]
        return [(one, word) for one, word in pairs if word is not None]

    def _edit(self) -> str:
        """Return the edit that ends a text: no later step may change what is kept of it."""
        process = Process.of(self.family)
        if process.drops:
            return "cut_off"
        return "go_no_further" if process.ordered else "fill_up"

    # The end

    def _last(self) -> ir.Sampler | None:
        """Return the sampler of leftovers; None if a step leaves none."""
        finish = query.first(self.section.entries, ast.Finish)
        step = query.the(self.section.entries, ast.Step)
        unmask = query.first(step.actions, ast.Unmask)
        grid = slots.grid(self.section.entries)
        if finish is None or unmask is None or grid is None or not grid.timed:
            return None
        if not self.both and reveals_all(self.section, self.family, query.arrows(self.family)[0]):
            return None
        return self._sampler(query.the(finish.actions, ast.Draw))

    # Insertion

    def _stops(self) -> tuple[ir.Stop, ...]:
        if Process.of(self.family).fixed_length:
            return ()
        return tuple(self._stop(one, word) for one, word in self._ends)

    @property
    def _chances(self) -> dict[ast.Expr, str]:
        """The names of the chances that end rows: the first of each head has the head's name."""
        found, taken = dict[ast.Expr, str](), {*query.heads(self.family)}
        for chance in (word.chance(one) for one, word in self._ends):
            if chance is None or chance in found:
                continue
            name = head = query.asked(chance)
            if name in found.values():
                name = next(f"{head}_{n}" for n in count(2) if f"{head}_{n}" not in taken)
            found[chance] = name
            taken.add(name)
        return found

    def _stop(self, one: ast.Condition, word: Stop) -> ir.Stop:
        """Lower a condition that ends a row by a head's chance, tempered or not, or of zero."""
        chance = word.chance(one)
        if chance is None:
            return ir.Stop(word.kind, word.token(one))
        head, name = query.asked(chance), self._chances[chance]
        found = variable(name, Rank.ROW, Kind.SINGLE).code
        numbers = [self._code(number.value) for number in word.numbers(one)]
        code = built(word.code.format(head=name), found, *numbers, kind=Kind.BOOL)
        zero = isinstance(chance, ast.Call) and chance.function == "zero"
        cold = [self._option("temperature", number.value) for number in temperature(chance)]
        return ir.Stop(
            word.kind,
            head,
            variable=name,
            at=self._place(head),
            of="zero" if zero else "chance",
            code=code,
            temperature=cold[0] if cold else None,
        )

    def _place(self, head: str) -> str:
        place = query.heads(self.family)[head].at
        assert place is not None
        return place.id

    # Words

    def _sampler(self, action: ast.Draw | ast.Pick) -> ir.Sampler:
        values = {option.name: option.value for option in action.options}
        what = "gap" if isinstance(action, ast.Pick) else "token"
        return ir.Sampler(
            cuts=tuple((n, self._option(n, values[n])) for n in CUTS if n in values),
            greedy=action.greedy,
            summary=f"the likeliest {what}" if action.greedy else f"a {what}",
        )

    def _option(self, name: str, value: ast.Expr) -> Code:
        if isinstance(value, ast.Number):
            return number(value, whole=name in ("top_k", "size", "steps"))
        return self._code(value)

    def _summary(self) -> tuple[str, str]:
        """Return phrases for the decoder's step, and for the order or the end of its steps."""
        step = query.the(self.section.entries, ast.Step)
        unmask = query.first(step.actions, ast.Unmask)
        if query.first(step.actions, ast.Append) is not None:
            return "Append one token at a time", ", until a row ends"
        word = slots.grid(self.section.entries)
        if query.first(step.actions, ast.Substitute) is not None:
            return "Draw all tokens anew", word.way if word is not None else ""
        if self._several(step) is not None:
            way = word.way if word is not None else ", until a row stops"
            return "Insert tokens into several gaps of each row", way
        if unmask is None and word is not None:
            return "Insert one token at a time", word.way
        if unmask is None:
            told = any(stop.kind == "oracle" for stop in self._stops())
            end = "is as long as its own answer" if told else "stops"
            return "Insert one token at a time", f", until a row {end}"
        if self.both:
            back = ", take some tokens back" if query.first(step.actions, ast.Remask) else ""
            blocks = ", from left to right" if self._blocked else ""
            way = f", on a uniform grid{blocks}"
            return f"{_summary(unmask.much)}{back}, and insert others", way
        grid = slots.grid(self.section.entries)
        way = grid.way if grid is not None else ""
        back = " and take some tokens back" if query.first(step.actions, ast.Remask) else ""
        blocks = ", block by block" if self._blocked else ""
        return _summary(unmask.much) + back, way + blocks
