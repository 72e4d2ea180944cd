"""The tools whose version decides the bytes of the output."""

from xlmc.diagnostics.failure import Failure

PINS = {"black": "26.10.1", "sympy": "1.14.0"}


def confirm(tool: str, version: str) -> None:
    """Check that a tool has the version that defines the output.  Raises Failure.

    Another version lays out or simplifies some lines differently, and the same spec must give the
    same bytes on every machine.
    """
    if version != PINS[tool]:
        raise Failure(
            f"{tool} {version} is installed, but the output of xlmc is defined with "
            f"{tool} {PINS[tool]}: pip install {tool}=={PINS[tool]}"
        )
