"""The arrows of a noise by their words."""

from xlmc.syntax import ast
from xlmc.theory.needs import met
from xlmc.theory.process import Process, Step
from xlmc.words import noises, registry
from xlmc.words.noises.base import Noise
from xlmc.words.numbers import of_gaps


def known() -> dict[str, Noise]:
    """Return the arrows by their names."""
    return registry.words(noises, Noise)


def noise(process: Process) -> Noise | None:
    """Return the word of a process's last arrow; None if no word has such arrows."""
    return next((one for one in known().values() if met(one.needs, process)), None)


def sound(process: Process) -> Noise:
    """Return the word of the last arrow of a process that has been checked."""
    found = noise(process)
    assert found is not None
    return found


def of_step(step: Step) -> Noise:
    """Return the word of one arrow."""
    return next(one for one in known().values() if one.last == step)


def undo(noise: Noise, process: Process, family: ast.Family) -> str:
    """Return an action that undoes an arrow of a process."""
    arrow = process.arrow(*noise.last) if noise.last is not None else None
    clock = arrow.survival if arrow is not None else "alpha"
    return noise.undo.format(clock=clock, number=next(iter(of_gaps(family)), noise.number))
