"""The calls of the network in training, where a state is carried from call to call."""

from collections.abc import Mapping

from xlmc.calculus.code import Code
from xlmc.lower import ir, orders
from xlmc.lower.actions import Actions
from xlmc.lower.clock import Clock
from xlmc.lower.params import params
from xlmc.lower.parts import LIBRARY, Lines
from xlmc.lower.pieces import line
from xlmc.syntax import ast, query
from xlmc.theory.objective import Objective

HIDDEN = 'Float[Tensor, "batch length width"]'
LASTING = ("rows", "block", "tokens")  # what a mean runs over that is the same in all calls
MODULES = ("places", "sampling")  # of the library, from which the choice of places takes functions


def rollout(objective: Objective, clock: Clock) -> ir.Rollout | None:
    """Return the calls and the step between them; None where training makes one call."""
    family = objective.family
    carry = query.carry(family)
    if carry is None:
        return None
    section = query.decoders(family)[0]
    actions = query.the(section.entries, ast.Step).actions
    head = query.the(actions, ast.Draw).head.id
    lines = _places(section, family, clock)
    read = read_between(family)
    typed = {one.name: one.python for one in read}
    step = {"network": "Network", "hidden": HIDDEN, "noised": "Noised"}
    if any("length" in code.reads.variables for _, code in lines):
        step["batch"] = "Batch"
    calls = {"network": "Network", "noised": "Noised", "batch": "Batch"} | typed
    return ir.Rollout(
        calls=query.calls_of(carry),
        name=carry.name,
        head=head,
        params=read,
        lines=lines,
        signature=_signature(calls),
        arguments=tuple(calls),
        step_signature=_signature(step | typed),
        step_arguments=tuple(step | typed),
    )


def read_between(family: ast.Family) -> tuple[ir.Param, ...]:
    """Return the params that the step between two calls reads; none where training makes one."""
    if query.carry(family) is None:
        return ()
    section = query.decoders(family)[0]
    return params(section.entries, query.read_by_step(section))


def _signature(arguments: Mapping[str, str]) -> tuple[str, ...]:
    """Return arguments with their types."""
    return tuple(f"{name}: {kind}" for name, kind in arguments.items())


def _places(section: ast.Section, family: ast.Family, clock: Clock) -> Lines:
    """Return the places that the decoder's step reveals, as lines over masks and logits."""
    maker = Actions(section, family, clock, owner="", rows="batch")
    action = query.act(query.the(section.entries, ast.Step).actions, "unmask")
    unmask = maker.unmask(action)
    assert action is not None
    assert unmask is not None
    lets = maker.lets([*query.amounts(action)])
    quota: list[tuple[str, Code]] = []
    if unmask.ahead is not None:
        quota = [line("quota", "{}", unmask.ahead)]
    return (*lets, *quota, *orders.choice(unmask))


def imports() -> set[tuple[str, str]]:
    """Return what the code of the calls may take from other modules, each with its name."""
    found = {(module, name) for module in MODULES for name in LIBRARY[module].split()}
    return found | {("noise", "hide")}


def several(over: str, code: str, calls: int) -> str:
    """Return the number that the costs of all calls are divided by, given that of one.

    ``over`` is the word for it: each call has its own number of corrupted tokens.
    """
    if over in LASTING:
        return f"{calls} * {code}"
    return f"torch.stack([{code} for noised, _ in calls]).sum()"
