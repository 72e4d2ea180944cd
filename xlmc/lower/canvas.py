"""What decoders of masks share, and what can be switched off."""

from attrs import evolve

from xlmc import ast, ir, query
from xlmc.check.scope import Environment, grid, reads, values

STEPS = range(1, 9)
LINE = 88  # columns of a docstring


MANY = 1e6  # steps
RARE = 0.01  # a chance that falls like 1 / steps is far below it by then


def gradual(action: ast.Unmask, env: Environment, off: str) -> bool:
    """Whether with many steps no two masks are revealed in one.

    ``off`` is the param at whose 0 nothing is taken back.
    """
    rule, value = action.much.rule, action.much.value
    if rule == "one" or value is None:
        return rule == "one"
    if off:
        env = evolve(env, defaults={**env.defaults, off: 0.0})
    middle = {"t": 0.5, "s": 0.5 - 1 / MANY, "steps_left": MANY / 2}
    most = 2 if rule == "quota" else RARE
    points = [{**middle, "masked": masked, "length": 2 * masked} for masked in (3.0, 300.0)]
    return all(isinstance(n, float) and n < most for _, n in values(value, env, points))


def paragraphs(what: str, way: str, spec: str) -> tuple[str, ...]:
    """The docstring of a decoder, whose first paragraph is one line."""
    if len(line := f"{what}{way} (spec: {spec}).") <= LINE:
        return (line,)
    if len(line := f"{what}{way}.") <= LINE:
        return line, f"spec: {spec}"
    rest = way.strip(", ")
    return f"{what}.", f"{rest[:1].upper()}{rest[1:]}.", f"spec: {spec}"


def fills(decoder: ir.Decoder) -> bool:
    """Whether a decoder reveals until no mask is left, and nothing else ends it."""
    clocked = decoder.condition and decoder.grid == "events"
    return decoder.unmask is not None and decoder.grid != "uniform" and not clocked


def block_helpers(decoder: ir.Decoder) -> tuple[str, ...]:
    """The functions that decoding in blocks takes."""
    if not decoder.blocks:
        return ()
    return ("block_count", "opened", "turn") if decoder.grid == "uniform" else ("leading",)


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
    for name in sorted(reads(value, env) & {*env.defaults}):
        off = evolve(env, defaults={**env.defaults, name: 0.0})
        if all(found == 0 for _, found in values(value, off, samples)):
            return name
    return ""
