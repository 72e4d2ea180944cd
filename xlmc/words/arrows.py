"""The arrows of a noise by their words."""

from xlmc.theory.needs import met
from xlmc.theory.process import Process
from xlmc.words import noises, registry
from xlmc.words.noises.base import Noise


def known() -> dict[str, Noise]:
    """Return the arrows by their names."""
    return registry.words(noises, Noise)


def noise(process: Process) -> Noise | None:
    """Return the word of the last arrow of a process; None for what is no process."""
    return next((one for one in known().values() if met(one.needs, process)), None)


def sound(process: Process) -> Noise:
    """Return the word of the last arrow of a process that has been checked."""
    found = noise(process)
    assert found is not None
    return found
