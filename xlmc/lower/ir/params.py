"""Params: values that a run may override."""

from attrs import frozen

from xlmc.calculus.code import Code

TAKEN = ", clock: Clock"  # the clock behind other arguments
PYTHON = {"Count": "int", "Size": "int", "Chance": "float", "Scale": "float"}


@frozen
class Param:
    """A typed value that a run may override."""

    name: str  # name
    kind: str  # Count, Size, Chance, Scale or Choice
    default: Code  # a literal
    options: tuple[str, ...] = ()
    length: bool = False  # of the noise: a number of tokens, and none of a clock

    @property
    def python(self) -> str:
        """Return its type in annotations."""
        return PYTHON.get(self.kind) or f"Literal[{', '.join(map(repr, self.options))}]"
