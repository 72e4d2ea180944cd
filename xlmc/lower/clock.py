"""The clocks of the noise: which of their quantities the package uses, under which names."""

from collections.abc import Iterable
from fractions import Fraction

from attrs import evolve

from xlmc.calculus.code import (
    CLOCK,
    Code,
    Kind,
    Printer,
    Rank,
    called,
    constant,
    named,
    param,
    variable,
)
from xlmc.calculus.formula import scope
from xlmc.calculus.schedule import Calculus, Formula, derive, expected
from xlmc.calculus.survival import examine
from xlmc.lower import ir
from xlmc.lower.params import params
from xlmc.syntax import ast, query
from xlmc.syntax.expression import inline
from xlmc.syntax.marks import plain
from xlmc.theory.instances import at, worlds

SUMMARIES = {
    "survival": "Return the chance that a token is still clean at time t.",
    "slope": "Return the slope of the survival.",
    "corrupted": "Return the chance that a token has been corrupted by time t.",
    "hazard": "Return the rate at which a corrupted token returns, running back from t = 1.",
    "sigma": "Return the total noise by time t.",
    "dsigma": "Return the rate of noise at time t.",
    "reveal": "Return the chance that a token corrupted at t is clean at s < t; 1 at s = 0.",
    "inverse": "Return the time at which the survival is p.",
    "randomized": "Return the chance that a token has become a random one by time t.",
    "drandomized": "Return the slope of the chance that a token has become a random one.",
}
LEFT = {
    "survival": r"\{name}(t)",
    "slope": r"\{name}'(t)",
    "corrupted": r"1 - \{name}(t)",
    "hazard": r"\frac{{-\{name}'(t)}}{{1 - \{name}(t)}}",
    "sigma": r"-\log \{name}(t)",
    "dsigma": r"\frac{{-\{name}'(t)}}{{\{name}(t)}}",
    "reveal": r"\frac{{\{name}(s) - \{name}(t)}}{{1 - \{name}(t)}}",
    "inverse": r"\{name}^{{-1}}(p)",
    "randomized": r"\rho(t)",
    "drandomized": r"\rho'(t)",
}
DEFINED = {
    "randomized": r"\rho(t) = (1 - \{name}(t)) \cdot \mathrm{{share}}(t)",
}
WIDEST = 86  # columns of a formula behind its directive
GREEK = frozenset({"alpha", "beta", "gamma", "kappa", "eta", "theta", "lambda", "mu", "rho"})
ORDER = (*SUMMARIES, "events")
NOTHING = 1e-12  # a survival below it is 0 but for rounding

# What they mean where tokens compete for events.
OF_EVENTS = {
    "events": "Return the number of events that are expected by time t.",
    "hazard": "Return the rate at which a gone token returns, running back from t = 1.",
    "reveal": "Return the chance that an event by t came after s < t; 1 at s = 0.",
    "corrupted": "Return the share of the events until t = 1 that is expected by time t.",
}
LEFT_OF_EVENTS = {
    "events": r"\{name}(t)",
    "hazard": r"\frac{{\{name}'(t)}}{{\{name}(t)}}",
    "reveal": r"1 - \frac{{\{name}(s)}}{{\{name}(t)}}",
    "corrupted": r"\frac{{\{name}(t)}}{{\{name}(1)}}",
}

# What they mean for one of several arrows.
OF_SEVERAL = {
    "survival": "Return the chance that the reverse clock of {arrow} has fired, from 1 back to t.",
    "slope": "Return the slope of the chance that the reverse clock of {arrow} has fired.",
    "corrupted": "Return the chance that the clock of {arrow} has not fired from 1 back to t.",
    "hazard": "Return the rate at which the reverse clock of {arrow} fires at t.",
    "sigma": "Return the total noise of {arrow} by time t.",
    "dsigma": "Return the rate of noise of {arrow} at time t.",
    "reveal": "Return the chance that {arrow} is undone between t and s < t; 1 at s = 0.",
    "inverse": "Return the time by which the reverse clock of {arrow} has fired with chance p.",
}


class Hand:
    """The clock of one arrow, and the functions of it that a package uses.

    SymPy runs only for a package that uses a function. ``suffix`` distinguishes the functions of
    several clocks; ``given`` are the params of the noise, and ``constants`` its lets of these.
    """

    def __init__(
        self,
        arrow: ast.Arrow,
        suffix: str = "",
        given: tuple[ast.Param, ...] = (),
        constants: tuple[ast.Let, ...] = (),
    ) -> None:
        self.arrow = arrow
        self.suffix = suffix
        read = query.spoken(query.formulas(arrow), constants)
        used = tuple(param for param in given if param.name in read)
        made = tuple(one for one in constants if one.name in read)
        self.worlds = (*worlds(used, made),)
        self.clocked = bool(self.worlds[0])
        self.used: set[str] = set()
        self._calculus: Calculus | None = None

    def take(self, quantity: str) -> ir.Used:
        """Return a function of `schedule.py` and its arguments; the package will contain it."""
        return ir.Used(self.use(quantity), f", {CLOCK}" if self.clocked else "")

    def use(self, quantity: str) -> str:
        """Return the name of a function of `schedule.py`, and add it to the package."""
        self.used.add(quantity)
        if quantity == "inverse" and self.calculus.inverse is None:
            self.used.add("survival")
        return self.name(quantity)

    def name(self, quantity: str) -> str:
        """Return the name of the function that computes a quantity."""
        survival = self.arrow.survival
        names = {"survival": survival, "slope": f"d{survival}"}
        return names.get(quantity, f"{quantity}{self.suffix}")

    @property
    def calculus(self) -> Calculus:
        """Everything derived from the survival."""
        if self._calculus is None:
            self._calculus = derive(self.arrow, self.worlds)
        return self._calculus

    @property
    def spec(self) -> str:
        """The reference of docstrings to the arrow."""
        return f"noise.{self.arrow.survival}"

    @property
    def latex(self) -> str:
        """The survival's name in formulas."""
        name = plain(self.arrow.survival)
        return rf"\{name}" if name in GREEK else rf"\mathrm{{{name}}}"

    @property
    def end(self) -> Code:
        """The survival at t = 1; 0 where it is that but for rounding."""
        ends = {examine(at(self.arrow, values)).end or 0.0 for values in self.worlds}
        if len(found := {end if end > NOTHING else 0.0 for end in ends}) == 1:
            return constant(found.pop())
        one = ast.Number(Fraction(1), "1", span=self.arrow.span)
        value = inline(self.arrow.value, {self.arrow.argument: one})
        return Printer.code(value, scope(self.worlds[0]))

    def functions(self) -> tuple[ir.Function, ...]:
        """Return its functions that are used and have a closed form."""
        bisected = self.bisections()
        return tuple(
            self._function(quantity)
            for quantity in ORDER
            if quantity in self.used and not (quantity == "inverse" and bisected)
        )

    def bisections(self) -> tuple[ir.Bisection, ...]:
        """Return its inverse, if that is used and has no closed form."""
        if "inverse" not in self.used or self.calculus.inverse is not None:
            return ()
        survival = self.take("survival")
        return (ir.Bisection(self.name("inverse"), survival, self.spec, self._more),)

    @property
    def _more(self) -> str:
        """Return the clock among the arguments of its functions."""
        return f", {CLOCK}: Clock" if self.clocked else ""

    def _function(self, quantity: str) -> ir.Function:
        formula = self._formula(quantity)
        arguments = {"reveal": ("s", "t"), "inverse": ("p",)}.get(quantity, ("t",))
        return ir.Function(
            self.name(quantity),
            arguments,
            self._summary(quantity),
            (self._shown(quantity, formula),),
            formula.code,
            self.end if quantity == "inverse" else None,
            self.spec,
            self._more,
        )

    def _shown(self, quantity: str, formula: Formula) -> str:
        """Return a formula for readers: of a long one what it is, as the code shows the rest."""
        known = LEFT if self.arrow.events is None else LEFT_OF_EVENTS
        left = known[quantity].format(name=self.latex[1:])
        whole = f"{left} = {formula.latex}"
        if len(plain(whole)) <= WIDEST:
            return whole
        return DEFINED[quantity].format(name=self.latex[1:]) if quantity in DEFINED else left

    def _summary(self, quantity: str) -> str:
        if self.arrow.events is not None:
            return OF_EVENTS[quantity]
        if not self.suffix:
            return SUMMARIES[quantity]
        arrow = f"{self.arrow.origin.id} -> {self.arrow.target.id}"
        return OF_SEVERAL[quantity].format(arrow=f"`{arrow}`")

    def _formula(self, quantity: str) -> Formula:
        if quantity == "events":
            return expected(self.arrow, self.worlds)
        field = {"survival": "alpha", "slope": "dalpha"}.get(quantity, quantity)
        formula = getattr(self.calculus, field)
        assert isinstance(formula, Formula)
        return formula


def _constant(
    let: ast.Let, given: tuple[ast.Param, ...], constants: tuple[ast.Let, ...]
) -> ir.Constant:
    """Return a let of params as a property of the class that holds these."""
    known = [*(one.name for one in given), *(one.name for one in constants)]
    names = {name: param(name, "Scale", owner="self.") for name in known}
    code = Printer.code(let.value, evolve(scope(()), names=names))
    return ir.Constant(let.name, code, f"noise.{let.name}")


class Clock:
    """The clocks of a chain, one for each of its arrows, and the params of the noise.

    ``size``: the one among these that is the size of a block. ``constants``: the lets of these.
    ``learned``: those that a second network answers for each token. ``scaled``: each token has
    scales of its own, and these are the clocks at scales of 1.
    """

    def __init__(
        self,
        arrows: tuple[ast.Arrow, ...],
        given: tuple[ast.Param, ...] = (),
        size: ast.Param | None = None,
        constants: tuple[ast.Let, ...] = (),
        learned: tuple[str, ...] = (),
        *,
        scaled: bool = False,
    ) -> None:
        several = len(arrows) > 1
        self.learned = learned
        self.scaled = scaled
        self.hands = {
            arrow.survival: Hand(arrow, f"_{arrow.survival}" if several else "", given, constants)
            for arrow in arrows
        }
        read = {name for hand in self.hands.values() for name in hand.worlds[0]}
        self.constants = tuple(
            _constant(one, given, constants) for one in constants if one.name in read
        )
        self.params = tuple(
            evolve(one, length=size is not None and one.name == size.name and one.name not in read)
            for one in params(given, {param.name for param in given} - {*learned})
        )

    @property
    def arrow(self) -> ast.Arrow:
        """The arrow that ends a token's clean life."""
        return next(iter(self.hands.values())).arrow

    @property
    def spec(self) -> str:
        """The reference of docstrings to the arrows."""
        return ", ".join(hand.spec for hand in self.hands.values())

    def to(self, state: str) -> Hand:
        """Return the clock of the arrow that leads to a state."""
        return next(hand for hand in self.hands.values() if hand.arrow.target.id == state)

    def use(self, quantity: str) -> str:
        """Return the name of a function of the first arrow's clock, the only one of most chains."""
        return self.hands[self.arrow.survival].use(quantity)

    def tells(self, condition: str) -> str:
        """Return the condition of the network: the time in the place of a sigma with params."""
        return "t" if self.hands[self.arrow.survival].clocked else condition

    @property
    def clocked(self) -> tuple[str, ...]:
        """Return the functions of `schedule.py` that take the clock."""
        hands = [hand for hand in self.hands.values() if hand.clocked]
        return tuple(hand.name(quantity) for hand in hands for quantity in ORDER)

    def imports(self, functions: Iterable[str], taken: str = "") -> tuple[str, ...]:
        """Return the imports of a module that uses some functions of `schedule.py`.

        ``taken``: the clock among the arguments of its own functions; "" where these take none.
        """
        known = {*functions}
        return (*(["Clock"] if taken or self.moves(known) else []), *sorted(known))

    def moves(self, functions: Iterable[str]) -> bool:
        """Return whether some of the functions of `schedule.py` take the clock."""
        return not self.learned and not {*self.clocked}.isdisjoint(functions)

    def reads(self, expr: ast.Expr) -> bool:
        """Return whether an expression reads a clock."""
        return any(call.function in (*self.hands, *SUMMARIES) for call in query.calls(expr))

    def call(self, call: ast.Call, printer: Printer, owner: str = "") -> Code | None:
        """Return a call of a clock: of its survival, or of a function derived from it.

        Params of the noise are those of ``clock``, of an owner (``self.``).
        """
        if call.function in self.hands:
            hand = self.hands[call.function]
            name = hand.use("slope" if call.primes else "survival")
            arguments = [printer.show(argument) for argument in call.arguments]
            return called(name, *arguments, *self.given(hand, owner))
        if call.function not in SUMMARIES:
            return None
        (schedule,) = call.arguments
        assert isinstance(schedule, ast.Name)
        hand = self.hands[schedule.id]
        name = hand.use(call.function)
        times = ("s", "t") if call.function == "reveal" else ("t",)
        found = [printer.scope.names[time].at(printer.rank) for time in times]
        return called(name, *found, *self.given(hand, owner))

    def given(self, hand: Hand, owner: str = "") -> tuple[Code, ...]:
        """Return the clock as an argument of the functions of a hand."""
        if self.learned:
            return (variable(CLOCK, Rank.TOKEN, Kind.DOUBLE).code,)
        return (param(CLOCK, "Scale", owner).code,) if hand.clocked else ()

    def handed(self, quantity: str, owner: str) -> Code:
        """Return a function of the first arrow's clock that takes nothing but a time."""
        hand = self.hands[self.arrow.survival]
        return named(hand.use(quantity), *self.given(hand, owner))

    def view(self) -> ir.Schedule | None:
        """Return `schedule.py`, or None if the package uses no function of the clocks."""
        hands = self.hands.values()
        functions = tuple(function for hand in hands for function in hand.functions())
        bisections = tuple(one for hand in hands for one in hand.bisections())
        if not functions and not bisections and not self.params and not self.learned:
            return None
        codes = [code for f in functions for code in (f.code, f.low) if code is not None]
        codes += [one.code for one in self.constants]
        math = any("math" in code.reads.modules for code in codes)
        schedule = ir.Schedule(functions, bisections, math, self.params, self.constants)
        schedule = evolve(schedule, scaled=self.scaled)
        if not self.learned:
            return schedule
        return evolve(schedule, learned=self.learned, shape="*#shape")
