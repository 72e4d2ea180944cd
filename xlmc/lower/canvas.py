"""What decoders of masks share, and what can be switched off."""

from math import floor

from attrs import evolve

from xlmc.calculus.code import Code
from xlmc.lower import ir
from xlmc.syntax import ast, query
from xlmc.theory.environment import Environment, reads
from xlmc.theory.last import always
from xlmc.theory.probe import grid, values

STEPS = range(1, 9)
LINE = 88  # columns of a docstring


MANY = 1e6  # steps
RARE = 0.01  # a chance that falls like 1 / steps is far below it by then
LEFT = 0.1  # of the masks, before the last of SOME steps
SOME = 500
TIMES = {("t", "s"): "times", ("t",): "starts", ("s",): "ends"}


def gradual(action: ast.Unmask, env: Environment, off: str) -> bool:
    """Whether with many steps no two masks are revealed in one, the last step's among them.

    ``off`` is the param at whose 0 nothing is taken back.
    """
    rule, value = action.much.rule, action.much.value
    if rule not in ("chance", "quota", "poisson") or value is None:
        return rule == "one"
    return always(lambda one: _gradual(rule, value, _off(one, off)), [value], env)


def _off(env: Environment, name: str) -> Environment:
    """The params with one of them at 0, where there is one."""
    return evolve(env, defaults={**env.defaults, name: 0.0}) if name else env


def _gradual(rule: str, value: ast.Expr, env: Environment) -> bool:
    middle = {"t": 0.5, "s": 0.5 - 1 / MANY, "steps_left": MANY / 2}
    most = 2 if rule == "quota" else RARE
    points = [{**middle, "masked": masked, "length": 2 * masked} for masked in (3.0, 300.0)]
    few = all(isinstance(n, float) and n < most for _, n in values(value, env, points))
    return few and _left(rule, value, env) < LEFT


def _left(rule: str, value: ast.Expr, env: Environment) -> float:
    """The share of the masks of a long row that the last step of a grid finds, on the average."""
    length = SOME / 2.0
    masked = length
    for k in range(SOME, 1, -1):
        point = {"t": k / SOME, "s": (k - 1) / SOME, "steps_left": float(k)}
        ((_, found),) = values(value, env, [{**point, "masked": masked, "length": length}])
        if not isinstance(found, float):
            return 1.0
        gone = {"chance": masked * found, "quota": floor(found + 1e-9)}.get(rule, found)
        masked = max(0.0, masked - gone)
    return masked / length


def timely(value: ast.Expr, head: str, env: Environment, clock: str) -> bool:
    """Whether with many steps masks come back as the clock of insertion tells.

    In each step that is as many as are missing, times the chance that the clock has fired.
    """
    missing = ast.Name(head, span=value.span)
    fired = ast.Call("reveal", (ast.Name(clock, span=value.span),), span=value.span)
    told = ast.Binary("*", missing, fired, span=value.span)
    return always(lambda one: _alike(value, told, head, one), [value], env)


def _alike(value: ast.Expr, told: ast.Expr, head: str, env: Environment) -> bool:
    """Whether two numbers of masks to insert are the same but for what many steps make small."""
    points = [
        {head: n, "t": t, "s": t - 1 / MANY, "steps_left": t * MANY, "masked": 3.0, "length": 6.0}
        for n in (0.2, 3.0, 40.0)
        for t in (0.25, 0.5, 0.75)
    ]
    found = [[n for _, n in values(expr, env, points)] for expr in (value, told)]
    return all(
        isinstance(one, float) and isinstance(due, float) and abs(one - due) < RARE * due
        for one, due in zip(*found, strict=True)
    )


def paragraphs(what: str, way: str, spec: str) -> tuple[str, ...]:
    """The docstring of a decoder, whose first paragraph is one line."""
    if len(line := f"{what}{way} (spec: {spec}).") <= LINE:
        return (line,)
    if len(line := f"{what}{way}.") <= LINE:
        return line, f"spec: {spec}"
    rest = way.strip(", ")
    return f"{what}.", f"{rest[:1].upper()}{rest[1:]}.", f"spec: {spec}"


def clock_of(grid: str, reads: tuple[str, ...], steps: Code | None, blocks: Code | None) -> str:
    """Code of what each step is told."""
    if grid != "uniform":
        return "repeat(())"
    if not reads and not blocks:
        return f"repeat((), {steps})"
    batch = "batch, " if blocks or {"t", "s"} & {*reads} else ""
    return f"{_clock(reads, bool(blocks)).name}({batch}{steps}{f', {blocks}' if blocks else ''})"


def clocks(made: tuple[ir.Decoder, ...]) -> tuple[ir.Clock, ...]:
    """A clock for each function that tells the steps of some decoders what they read."""
    walks = [d for d in made if d.grid == "uniform" and (d.reads or d.blocks)]
    return tuple(dict.fromkeys(_clock(d.reads, bool(d.blocks)) for d in walks))


def _clock(reads: tuple[str, ...], blocked: bool) -> ir.Clock:
    """The function that tells the steps of a uniform grid what they read."""
    times = tuple(name for name in reads if name != "steps_left")
    words = [TIMES[times]] if times else []
    words += ["countdown"] if "steps_left" in reads else []
    name = "_and_".join(words) or "turns"
    return ir.Clock(f"block_{name}" if blocked else name, reads, blocked)


def samplers(decoder: ir.Decoder, *, apart: bool = False) -> list[ir.Sampler]:
    """All draws of a decoder; ``apart``: but for that from a distribution that is scored."""
    scored = decoder.unmask is not None and decoder.unmask.order.token
    found = (None if apart and scored else decoder.draw, decoder.pick, decoder.last)
    return [one for one in found if one is not None]


def named(
    made: tuple[ir.Decoder, ...],
) -> tuple[tuple[ir.Decoder, ...], tuple[ir.Order, ...]]:
    """The decoders with names for the functions that score by a choice, and these functions."""
    functions: dict[ir.Order, str] = {}
    found = []
    for decoder in made:
        if decoder.unmask is not None and decoder.unmask.order.name:
            order = decoder.unmask.order
            key = evolve(order, param="", temperature=None, token="drawn" if order.token else "")
            taken = order.name in functions.values()
            functions.setdefault(key, f"{order.name}_{decoder.name}" if taken else order.name)
            order = evolve(order, name=functions[key])
            decoder = evolve(decoder, unmask=evolve(decoder.unmask, order=order))
        found.append(decoder)
    return tuple(found), tuple(evolve(key, name=name) for key, name in functions.items())


def idle(decoder: ir.Decoder) -> bool:
    """Whether a step may find no mask to ask about, so that the network is not called."""
    assert decoder.unmask is not None
    some = decoder.reuse and decoder.unmask.rule in ("chance", "quota")
    return not decoder.early or bool(decoder.blocks and decoder.grid == "uniform") or some


def guide_name(family: ast.Family, head: str, without: str) -> str:
    """The name of the function that asks twice; `guided` where one is enough for all decoders."""
    found = set()
    for section in query.decoders(family):
        step = query.first(section.entries, ast.Step)
        heads = [draw.head.id for draw in query.those(step.actions, ast.Draw)] if step else []
        for guide in query.those(section.entries, ast.Guide):
            hidden = [k.value for k in guide.value.keywords if k.name == "without"]
            found |= {(one, str(name)) for one in heads for name in hidden}
    return "guided" if len(found) == 1 else f"guided_{head}_{without}"


def guide_functions(made: tuple[ir.Decoder, ...]) -> tuple[ir.Guide, ...]:
    """A guide for each function that some decoders need."""
    found = {decoder.guide.name: decoder.guide for decoder in made if decoder.guide is not None}
    return tuple(found[name] for name in sorted(found))


def switch(value: ast.Expr, env: Environment) -> str:
    """The param at whose 0 an amount is 0 all along a grid; "" where there is none."""
    axes = {"masked": [1.0, 3.0], "length": [3.0]}
    times = [{"t": k / 8, "s": (k - 1) / 8, "steps_left": float(k)} for k in STEPS]
    samples = [{**point, **time} for point in grid(axes) for time in times]

    def off(name: str) -> bool:
        return always(lambda one: nothing(_off(one, name)), [value], env)

    def nothing(one: Environment) -> bool:
        return all(found == 0 for _, found in values(value, one, samples))

    return next(filter(off, sorted(reads(value, env) & {*env.defaults})), "")
