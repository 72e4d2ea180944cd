"""The actions of a decoder's step."""

from attrs import evolve

from xlmc.calculus.code import (
    CLOCK,
    Code,
    Kind,
    Printer,
    Rank,
    built,
    called,
    constant,
    number,
    param,
    poisson,
    variable,
)
from xlmc.lower import drafts, insertions, ir
from xlmc.lower.amounts import Amounts
from xlmc.lower.canvas import gradual, switch, timely
from xlmc.lower.endings import Endings
from xlmc.lower.orders import CUTS, MASKS, actor
from xlmc.lower.params import mentioned
from xlmc.syntax import ast, query
from xlmc.syntax.expression import inline
from xlmc.theory.process import Process
from xlmc.words import numbers, slots
from xlmc.words.actions.edit import Edit
from xlmc.words.decoding import environment
from xlmc.words.guides.base import around_prompt
from xlmc.words.numbers import plain
from xlmc.words.slots import head_words, order_words, rule_words, subject_words


class Actions(Amounts):
    """The actions of a step, and what they draw, choose and may change."""

    @property
    def both(self) -> bool:
        """True if masks are inserted and revealed."""
        return Process.of(self.family).clocks > 1

    def unmask(self, action: ast.Act | None) -> ir.Unmask | None:
        """Return the masks that are revealed."""
        if action is None:
            return None
        env, off = environment(self.section, self.family), self._off()
        step = query.the(self.section.entries, ast.Step)
        draw = query.the(step.actions, ast.Draw)
        paces, own = self.paces(action.much, MASKS), self._own(action)
        return ir.Unmask(
            paces,
            self._order(action.order),
            draw.law is not None or own or gradual(action.much, env, off),
            self._rate(draw.law.id) if draw.law is not None else None,
            any(CLOCK in pace.code.reads.variables for pace in paces if pace.code is not None),
            own or not (self.clock.learned or numbers.of_masks(self.family)),
        )

    def _off(self) -> set[str]:
        """Return the params at whose 0 some edit of the step changes nothing."""
        env = environment(self.section, self.family)
        step = query.the(self.section.entries, ast.Step)
        return {switch(edit.much, env) for edit, _ in slots.edits(step.actions)} - {""}

    def _own(self, action: ast.Act) -> bool:
        """Return whether each mask is revealed by the clock of its token, as in the exact chain."""
        much, env = action.much, environment(self.section, self.family)
        if much.value is None or much.rest is not None:
            return False
        for head in numbers.of_masks(self.family):
            alpha = query.arrows(self.family)[0].survival
            return rule_words()[much.rule].of_place and timely(much.value, head, env, alpha)
        reveals = isinstance(much.value, ast.Call) and much.value.function == "reveal"
        return bool(self.clock.learned) and reveals

    def edit(self, action: ast.Act, word: Edit) -> ir.Edit:
        """Return the places that an edit changes."""
        order = action.order
        network = order is not None and order_words()[order.score.id].network
        present = order is not None and (order.of is not None or word.revises)
        of = order.of if order is not None else None
        return ir.Edit(
            word=word,
            paces=self.paces(action.much, actor(word)),
            now=order.score.id if order is not None and present else "",
            temperature=self.temperature(order.temperature if order is not None else None),
            sure=network and not present,
            off=switch(action.much, environment(self.section, self.family)),
            sampled=of is not None and subject_words()[of.id].drawn,
        )

    def keep(self, action: ast.Act | None) -> ir.Keep | None:
        """Return the number of places that have a token after a step."""
        if action is None or action.much.value is None:
            return None
        rule = rule_words()[action.much.rule]
        order = action.order
        weight = self.temperature(order.weight if order is not None else None)
        return ir.Keep(rule.amount(self.code(action.much.value), MASKS), weight)

    def substitute(self, step: ast.Step) -> ir.Substitute | None:
        """Return the tokens that are drawn anew."""
        if query.anew(step.actions) is None:
            return None
        draw, masks = query.the(step.actions, ast.Draw), Process.of(self.family).masks
        if draw.law is None:
            return ir.Substitute("", (), masks)
        if not head_words()[query.heads(self.family)[draw.head.id].kind.id].ratios:
            name = "likeliest_revision" if draw.greedy else "revised"
            levels = (("now", self._level("t")), ("then", self._level("s")))
            return ir.Substitute(name, levels, masks)
        if draw.law.id == "euler":
            return ir.Substitute("stepped", (("rate", self._leap("dsigma")),), masks)
        kept = built("{} / {}", self._of_clock("survival", "t"), self._of_clock("survival", "s"))
        return ir.Substitute("changed", (("kept", kept),), masks)

    def correct(self) -> ir.Correct | None:
        """Return what follows the last step; None where nothing does."""
        finish = query.correction(self.section.entries)
        if finish is None or finish.over is None:
            return None
        ((action, word),) = slots.edits(finish.actions)
        amount = query.the(query.entries(self.family, "noise"), ast.Amount)
        timed, (least, _) = amount.variable.id == "t", query.extent(amount)
        return ir.Correct(
            times=self.option("corrections", finish.over),
            moment=number(least, whole=False) if timed else constant(0),
            edit=self.edit(action, word),
            draw=self.sampler(query.the(finish.actions, ast.Draw)),
        )

    def _of_clock(self, quantity: str, *times: str) -> Code:
        """Return a quantity of the clock at the times t and s of the step."""
        hand = self.clock.hands[self.clock.arrow.survival]
        told = (self.scope.names[time].code for time in times)
        return called(hand.use(quantity), *told, *self.clock.given(hand, "self."))

    def _leap(self, quantity: str) -> Code:
        """Return a rate of the clock at t times the length of a step."""
        return built("{} * (tick.t - tick.s)", self._of_clock(quantity, "t"))

    def _rate(self, law: str) -> Code:
        """Return the chance that a mask becomes a token of ratio 1."""
        return self._leap("hazard") if law == "euler" else self._of_clock("reveal", "s", "t")

    def _level(self, time: str) -> Code:
        """Return the level of noise at the time t or s of the step."""
        clock = [param(CLOCK, "Scale", "self.").code] if self.clock.params else []
        return built(f"level_at(tick.{time}{', {}' * len(clock)})", *clock)

    def insert(self, action: ast.Insert | None) -> ir.Insert | None:
        """Return the numbers of masks that go into the gaps."""
        if action is None:
            return None
        assert action.much.value is not None
        value = inline(action.much.value, self.late)
        (head,) = mentioned([value]) & set(query.heads(self.family))
        scope = self.scope
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

    def several(self, step: ast.Step) -> ir.Several | None:
        """Return the gaps that get a token; None where one is drawn together with its token."""
        insert, head = (
            query.first(step.actions, ast.Insert),
            drafts.insertion(step, self.family).head,
        )
        if insert is None or self.both or plain(insert, head.id, self.family):
            return None
        asks = Endings(self.section, self.family, self.clock).asks
        candidates = "open_" if asks else "canvas.open"
        order, off = self._order(insert.order), self._off()
        return insertions.several(insert, head.id, order, self, candidates, off)

    def editing(self, step: ast.Step) -> ir.Editing:
        """Return the edits that make the text of a draft."""
        draw = self.sampler(drafts.substitution(step, self.family))
        return drafts.editing(step, self, draw)

    def guide(self) -> ir.Guide | None:
        """Return the second look that answers are moved away from."""
        guide = query.first(self.section.entries, ast.Guide)
        if guide is None:
            return None
        options = {keyword.name: keyword.value for keyword in guide.value.keywords}
        without = options["without"]
        assert isinstance(without, ast.Name)
        lead, tail = around_prompt(self.family)
        return ir.Guide(without.id, self.option("scale", options["scale"]), lead, tail)

    def blocks(self) -> ir.Blocks | None:
        """Return the places that a step may change, where they are those of a block."""
        size, shared = self.block_size(), self.shared
        if size is None:
            return None
        word = slots.window_words()["blocks"]
        masks, written = word.masks(size, shared=shared), word.written(size, shared=shared)
        return ir.Blocks(size, masks, written)

    def block_size(self) -> Code | None:
        """Return the number of places of a block; None where there are no blocks."""
        blocks = query.first(self.section.entries, ast.Blocks)
        return self.option("size", blocks.size) if blocks is not None else None

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
            tempered=of is not None and of.law and bool(self.sampler(draw).cuts),
            temperature=self.temperature(order.temperature),
        )

    def sampler(self, action: ast.Draw | ast.Pick) -> ir.Sampler:
        """Return a draw of tokens or gaps with its options."""
        values = {option.name: option.value for option in action.options}
        what = "gap" if isinstance(action, ast.Pick) else "token"
        return ir.Sampler(
            cuts=tuple((n, self.option(n, values[n])) for n in CUTS if n in values),
            greedy=action.greedy,
            summary=f"the likeliest {what}" if action.greedy else f"a {what}",
        )
