"""The decoders."""

from attrs import evolve, frozen

from xlmc.calculus.code import (
    Code,
    Kind,
    Leaf,
    Names,
    Printer,
    Rank,
    beside_tokens,
    built,
    called,
    inside,
    number,
    param,
    per_row,
    poisson,
    variable,
)
from xlmc.lower import ir
from xlmc.lower.canvas import (
    LINE,
    clock_of,
    clocks,
    gradual,
    guide_functions,
    guide_name,
    idle,
    named,
    paragraphs,
    samplers,
    switch,
    timely,
)
from xlmc.lower.clock import Clock
from xlmc.lower.params import mentioned, params
from xlmc.syntax import ast, query
from xlmc.syntax.query import NETWORK_SCORES, camel
from xlmc.theory.decoding import environment
from xlmc.theory.last import reveals_all
from xlmc.theory.process import Process

CODES = {
    "confidence": "likeliest(logits)",
    "margin": "margin(logits)",
    "entropy": "negative_entropy(logits)",
    "random": "u",
    "left": "-position",
}
ERRORS = {
    "confidence": "1 - likeliest(logits)",
    "margin": "1 - margin(logits)",
    "entropy": "-negative_entropy(logits)",
}
SAMPLED = {  # in the place of the likeliest
    "score": {"confidence": "confidence(logits, token)"},
    "error": {"confidence": "1 - confidence(logits, token)"},
}
ALONE = {"left": "-masked.nonzero()[:, 1]"}  # where no function is handed the positions
SOME = Code("written.any(1).long()", Rank.ROW, Kind.LONG)
CUTS = {"temperature": "1.0", "top_k": "0", "top_p": "1.0"}  # in their order, cutting nothing
RULES = {
    "chance": "Reveal each mask with a chance of its own",
    "quota": "Reveal a number of masks of each row",
    "poisson": "Reveal a Poisson number of masks of each row",
    "above": "Reveal the masks whose score is above a threshold, and at least the best one",
    "within": "Reveal the surest masks of each row whose errors add up to little",
    "one": "Reveal one mask of each row",
    "all": "Reveal every mask",
}
SCORES = {
    "confidence": "the chance of its token",
    "margin": "the lead of its likeliest token over the second",
    "entropy": "minus the entropy of its distribution",
    "random": "a random number",
    "left": "how far left it stands",
}
LACKS = {
    "confidence": "what the chance of its token lacks to 1",
    "margin": "what the lead of its likeliest token over the second lacks to 1",
    "entropy": "the entropy of its distribution",
}


def decoders(family: ast.Family, clock: Clock) -> ir.Decoders:
    """`decoder.py`."""
    made = tuple(_Maker(section, family, clock).make() for section in query.decoders(family))
    made, orders = named(made)
    chain = query.chain(family)
    plain = {c for d in made for one in samplers(d, apart=True) for c, _ in one.cuts}
    return ir.Decoders(
        chain=chain,
        shifted=query.shifted(family),
        decoders=made,
        choices=any(param.options for d in made for param in d.params),
        shapes=("Bool", "Float", "Int"),
        clocks=clocks(made),
        draws=_draws(made),
        drawn=bool(plain),
        truncated=any(d.unmask is not None and d.unmask.order.token for d in made),
        orders=orders,
        guides=guide_functions(made),
        schedule=()
        if chain == "none"
        else tuple(sorted({name for d in made for name in _schedule(d)})),
    )


def _draws(made: tuple[ir.Decoder, ...]) -> tuple[ir.Cut, ...]:
    """What draws are told; what some of them leave unsaid cuts nothing."""
    told = [{name for name, _ in one.cuts} for d in made for one in samplers(d) if one.cuts]
    found = [name for name in CUTS if any(name in names for names in told)]
    alike = all(len(names) == len(found) for names in told)
    return tuple(
        ir.Cut(name, "int" if name == "top_k" else "float", "" if alike else CUTS[name])
        for name in found
    )


def _reads(codes: object) -> tuple[str, ...]:
    """What a step must be told."""
    used = {name for code in inside(codes) for name in code.reads.variables}
    return tuple(name for name in ("t", "s", "steps_left") if name in used)


def _counted(name: str, mask: str) -> Leaf:
    """The number of the places of each row that are marked."""
    wide = f"{mask}.sum(1, keepdim=True)"
    return variable(name, Rank.ROW, Kind.LONG, f"{mask}.sum(1)", wide)


def _schedule(decoder: ir.Decoder) -> set[str]:
    """The functions of the schedule that a decoder calls."""
    used = {name for code in inside(decoder) for name in code.reads.functions}
    return used | {decoder.inverse, decoder.corrupted} - {""}


@frozen
class _Maker:
    section: ast.Section
    family: ast.Family
    clock: Clock

    def make(self) -> ir.Decoder:
        """The class of one decoder."""
        step = query.the(self.section.entries, ast.Step)
        draw = query.the(step.actions, ast.Draw)
        pick = query.first(step.actions, ast.Pick)
        unmask = query.first(step.actions, ast.Unmask)
        name = self.section.name or "default"
        title = "" if self.section.name is None else camel(self.section.name)
        told = query.condition(self.family)
        condition = told.value.id if told is not None and isinstance(told.value, ast.Name) else ""
        insert = query.first(step.actions, ast.Insert) if self.both else None
        remask = query.first(step.actions, ast.Remask)
        actions: tuple[ast.Unmask | ast.Remask | ast.Insert | None, ...] = (unmask, remask, insert)
        values = [a.much.value for a in actions if a is not None and a.much.value is not None]
        timed = condition and self.grid != "uniform"  # the tokens tell the time, or the events do
        condition_code = self._condition(condition)
        spec = "decoder" if self.section.name is None else f"decoder {name}"
        steps, blocks, lets = self._steps(), self._blocks(), self._lets(values)
        amounts = self._unmask(unmask), self._insert(insert), self._remask(remask)
        reads = _reads((amounts, lets, condition_code))
        carries = self._carries(remask, timed=bool(timed))
        early = self.grid != "uniform" or self._stops_early()
        made = ir.Decoder(
            name=name,
            klass=f"{title}Decoder",
            spec=spec,
            doc=paragraphs(*self._summary(), spec),
            step_doc=self._step_doc(carries, spec),
            params=params(self.section.entries, self._used()),
            head=draw.head.id,
            draw=self._sampler(draw),
            pick=self._sampler(pick) if pick is not None else None,
            unmask=amounts[0],
            insert=amounts[1],
            remask=amounts[2],
            guide=self._guide(draw.head.id),
            blocks=blocks,
            block_param=blocks.param if blocks is not None else "",
            lets=lets,
            last=self._last(unmask),
            grid=self.grid,
            steps=steps,
            steps_param=steps.param if steps is not None else "",
            reads=reads,
            clock=clock_of(self.grid, reads, steps, blocks),
            early=early,
            few=self._few(),
            idle=False,
            carries=carries,
            ends=self._ends(),
            reuse=query.first(self.section.entries, ast.Reuse) is not None,
            stops=(stops := self._stops()),
            oracle=any(stop.kind == "oracle" for stop in stops),
            condition=condition,
            condition_code=condition_code,
            inverse=self.clock.use("inverse") if timed else "",
            corrupted=self.clock.use("corrupted") if timed and self.grid == "events" else "",
        )
        return evolve(made, idle=made.unmask is not None and idle(made))

    def _condition(self, name: str) -> Code | None:
        """What the network is told, over t."""
        t = self._scope.names["t"].code
        if name == "sigma":
            return called(self.clock.use("sigma"), t)
        return t if name else None

    def _carries(self, remask: ast.Remask | None, *, timed: bool) -> str:
        """What goes from step to step beside the tokens."""
        if remask is not None and remask.order is not None and remask.order.score.id != "random":
            return "sure"
        return "t" if timed and self.grid == "events" else ""

    def _step_doc(self, carries: str, spec: str) -> tuple[str, ...]:
        """What a step of a decoder of masks gives."""
        guided = query.first(self.section.entries, ast.Guide) is not None
        found = ["the new state", "the calls for each row" if guided else "the rows asked"]
        found += {"sure": ["how sure each token was"], "t": ["the time"], "": []}[carries]
        line = f"One reverse step: {', '.join(found)} (spec: {spec}.step)."
        return (
            (line,)
            if len(line) <= LINE - 4
            else (line.partition(" (spec")[0] + ".", f"spec: {spec}.step")
        )

    @property
    def both(self) -> bool:
        """Whether masks are inserted and revealed."""
        return Process.of(self.family).clocks > 1

    @property
    def grid(self) -> str:
        """The kind of grid; "" where the decoder walks none."""
        grid = query.first(self.section.entries, ast.Grid)
        if grid is None:
            return ""
        return grid.value.function if isinstance(grid.value, ast.Call) else grid.value.id

    def _used(self) -> set[str]:
        """The names that the decoder's entries mention, lets of its own included."""
        exprs = [
            expr
            for entry in self.section.entries
            if not isinstance(entry, ast.Let)
            for expr in query.expressions(entry)
        ]
        if self._last(None) is None:
            finish = query.first(self.section.entries, ast.Finish)
            exprs = [e for e in exprs if finish is None or e not in list(query.expressions(finish))]
            step = query.the(self.section.entries, ast.Step)
            exprs += query.expressions(step)
        return query.spoken(exprs, query.those(self.section.entries, ast.Let))

    @property
    def _scope(self) -> Names:
        """What stands behind the names of amounts: in blocks every row has times of its own."""
        rank = Rank.ROW if self._blocked else Rank.SCALAR
        found = {
            "t": variable("t", rank, Kind.DOUBLE),
            "s": variable("s", rank, Kind.DOUBLE),
            "steps_left": variable("steps_left", rank, Kind.LONG if self._blocked else Kind.INT),
            "masked": _counted("masked", "masked"),
            "length": _counted("length", "batch.free"),
        }
        found |= {
            one.name: param(one.name, one.kind)
            for one in query.those(self.section.entries, ast.Param)
        }
        for one in query.those(self.section.entries, ast.Let):
            made = Printer.code(one.value, Names(found, self.clock.call))
            found[one.name] = variable(one.name, made.rank, made.kind)
        return Names(found, self.clock.call)

    def _code(self, expr: ast.Expr) -> Code:
        return Printer.code(expr, self._scope)

    # Unmasking

    def _unmask(self, action: ast.Unmask | None) -> ir.Unmask | None:
        if action is None:
            return None
        rule, value = action.much.rule, action.much.value
        code = None if value is None else self._amount(rule, value)
        kind = "quota" if rule == "poisson" else rule
        remask = query.first(query.the(self.section.entries, ast.Step).actions, ast.Remask)
        back = remask.much.value if remask is not None else None
        env = environment(self.section, self.family)
        off = switch(back, env) if back is not None else ""
        return ir.Unmask(kind, code, self._order(action.order, rule), gradual(action, env, off))

    def _remask(self, action: ast.Remask | None) -> ir.Remask | None:
        if action is None:
            return None
        rule, value = action.much.rule, action.much.value
        return ir.Remask(
            rule="quota" if rule == "one" else rule,
            code=SOME if value is None else self._amount(rule, value),
            off=switch(value, environment(self.section, self.family)) if value is not None else "",
        )

    def _guide(self, head: str) -> ir.Guide | None:
        guide = query.first(self.section.entries, ast.Guide)
        if guide is None:
            return None
        options = {keyword.name: keyword.value for keyword in guide.value.keywords}
        without = options["without"]
        assert isinstance(without, ast.Name)
        scale = self._option("scale", options["scale"])
        calls = f"(2 if {scale} else 1)" if scale.param else "2"
        name = guide_name(self.family, head, without.id)
        return ir.Guide(name, head, without.id, scale, calls)

    @property
    def _blocked(self) -> bool:
        return query.first(self.section.entries, ast.Blocks) is not None

    def _blocks(self) -> Code | None:
        blocks = query.first(self.section.entries, ast.Blocks)
        return self._option("size", blocks.size) if blocks is not None else None

    def _lets(self, values: list[ast.Expr]) -> tuple[tuple[str, Code], ...]:
        """Those lets that the amounts need, in their order."""
        lets = query.those(self.section.entries, ast.Let)
        needed = mentioned(values)
        for one in reversed(lets):
            if one.name in needed:
                needed |= mentioned([one.value])
        return tuple((one.name, self._code(one.value)) for one in lets if one.name in needed)

    def _amount(self, rule: str, value: ast.Expr) -> Code:
        code = self._code(value)
        if rule == "quota":
            return per_row(code)
        if rule == "poisson":
            return poisson(code, 'noise.uniform("quota")[:, 0]')
        return beside_tokens(code)

    def _insert(self, action: ast.Insert | None) -> ir.Insert | None:
        if action is None:
            return None
        value = action.much.value
        assert value is not None
        (head,) = mentioned([value]) & set(query.heads(self.family))
        scope = self._scope
        number = {head: variable(head, Rank.TOKEN, Kind.SINGLE)}
        code = Printer.code(value, evolve(scope, names={**scope.names, **number}))
        u = 'noise.uniform("insert", batch.position)'
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

    def _order(self, order: ast.Order | None, rule: str) -> ir.Order:
        if order is None:
            return ir.Order("", (), (), "", False, "", False, None, False, "", "")
        choices = query.those(self.section.entries, ast.Choice)
        choice = next((c for c in choices if c.name == order.score.id), None)
        scores = tuple(option.id for option in choice.options) if choice else (order.score.id,)
        of = "" if order.of is None else order.of.id
        sampled, token = of in ("sampled", "tempered"), self._token() if of == "tempered" else ""
        whose, codes, words = (
            ("error", ERRORS, LACKS) if rule == "within" else ("score", CODES, SCORES)
        )
        temperature = self._code(order.temperature) if order.temperature is not None else None
        network = bool(set(NETWORK_SCORES) & set(scores)) or temperature is not None
        which = "sampled" if sampled else "likeliest"
        told = [words[s] + (f" ({which})" if s == "confidence" else "") for s in scores]
        if sampled:
            codes = codes | SAMPLED[whose]
        name = whose if choice and network else ""
        if not name:
            codes = codes | ALONE
        return ir.Order(
            name=name,
            scores=scores,
            codes=tuple(codes[score] for score in scores),
            param=choice.name if choice else "",
            sampled=sampled,
            token=token,
            draws="random" in scores,
            temperature=temperature,
            reads_network=network,
            summary=f"The {whose} of each mask, by `order`"
            + (", in the distribution that its token is drawn from." if token else "."),
            detail="; ".join(map(": ".join, zip(scores, told, strict=True))) + ".",
        )

    def _token(self) -> str:
        """A draw from the distribution that is scored, which is not tempered at temperature 0."""
        step = query.the(self.section.entries, ast.Step)
        cuts = dict(self._sampler(query.the(step.actions, ast.Draw)).cuts)
        cold = cuts.get("temperature")
        drawn = "categorical(logits, u)"
        if cold is not None and cold.param:
            return f"{drawn} if {cold} else logits.argmax(-1)"
        return ("logits.argmax(-1)" if cold and cold.value == 0 else drawn) if cuts else ""

    def _steps(self) -> Code | None:
        grid = query.first(self.section.entries, ast.Grid)
        if grid is None or not isinstance(grid.value, ast.Call):
            return None
        return self._option("steps", grid.value.arguments[0])

    def _stops_early(self) -> bool:
        stop = query.first(self.section.entries, ast.Stop)
        return (
            stop is not None
            and self.grid == "uniform"
            and any(isinstance(one, ast.NoState) for one in stop.conditions)
        )

    def _few(self) -> Code | None:
        """Below how many missing tokens a row of two clocks is done."""
        stop = query.first(self.section.entries, ast.Stop) if self.both else None
        below = query.those(stop.conditions, ast.Compare) if stop is not None else ()
        return self._option("stop", below[0].right) if below else None

    def _ends(self) -> bool:
        stop = query.first(self.section.entries, ast.Stop)
        conditions = query.those(stop.conditions, ast.Compare) if stop is not None else ()
        return any(one.left == ast.Name("text", span=one.span) for one in conditions)

    # The end

    def _last(self, _: ast.Unmask | None) -> ir.Sampler | None:
        """How leftovers are drawn; None where a step leaves none."""
        finish = query.first(self.section.entries, ast.Finish)
        step = query.the(self.section.entries, ast.Step)
        unmask = query.first(step.actions, ast.Unmask)
        if finish is None or unmask is None or self.grid != "uniform":
            return None
        if not self.both and reveals_all(self.section, self.family, self.clock.arrow):
            return None
        return self._sampler(query.the(finish.actions, ast.Draw))

    # Insertion

    def _stops(self) -> tuple[ir.Stop, ...]:
        stop = query.first(self.section.entries, ast.Stop)
        if stop is None or Process.of(self.family).masks:
            return ()
        return tuple(self._stop(one) for one in stop.conditions)

    def _stop(self, one: ast.Condition) -> ir.Stop:
        match one:
            case ast.Compare(left=ast.Name(id="last"), right=ast.Name(id=special)):
                return ir.Stop("last", special)
            case ast.Compare(op=">", left=chance, right=right):
                return self._asks("threshold", chance, "{} > {}", self._code(right))
            case ast.Happens(chance=chance):
                u = f'noise.uniform("{query.asked(chance)}")[:, 0]'
                return self._asks("chance", chance, f"{u} < {{}}")
            case ast.Compare(right=ast.Name(id="oracle")):
                return ir.Stop("oracle")
        return ir.Stop("limit")

    def _asks(self, kind: str, chance: ast.Expr, form: str, *parts: Code) -> ir.Stop:
        """A condition on the chance of a head, tempered or not, or on its chance of zero."""
        head = query.asked(chance)
        found = variable(head, Rank.ROW, Kind.SINGLE).code
        code = built(form, found, *parts, kind=Kind.BOOL)
        if not isinstance(chance, ast.Call):
            return ir.Stop(kind, head, self._place(head), "chance", code)
        if chance.function == "zero":
            return ir.Stop(kind, head, self._place(head), "zero", code)
        temperature = self._option("temperature", chance.arguments[1])
        return ir.Stop(kind, head, self._place(head), "chance", code, temperature)

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
        """What the decoder does at a step, and along which way."""
        step = query.the(self.section.entries, ast.Step)
        unmask = query.first(step.actions, ast.Unmask)
        if query.first(step.actions, ast.Append) is not None:
            return "Append one token at a time", ", until a row ends"
        if unmask is None:
            told = any(stop.kind == "oracle" for stop in self._stops())
            end = "is as long as its own answer" if told else "stops"
            return "Insert one token at a time", f", until a row {end}"
        if self.both:
            return f"{RULES[unmask.much.rule]}, and insert others", ", on a uniform grid"
        grid = {"uniform": " on a uniform grid of times", "events": " at the events of the chain"}
        back = " and take some tokens back" if query.first(step.actions, ast.Remask) else ""
        blocks = ", block by block" if self._blocked else ""
        return RULES[unmask.much.rule] + back, grid.get(self.grid, "") + blocks
