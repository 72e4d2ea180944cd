"""A network as the code of a package sees it, with heads of any name."""

from typing import Any


class Facade:
    """A table, or another substitute of a network; heads are those of the package, of any name."""

    def __init__(self, made: Any) -> None:
        self._made = made

    def __getattr__(self, name: str) -> Any:
        """Return a head of the package's network; anything else of the substitute."""
        heads = self._made.network
        return getattr(heads if hasattr(heads, f"to_{name}") else self._made, name)


def facade(network: Any) -> Any:
    """Return a network as a package may see it: one of its own, or a substitute."""
    return Facade(network) if hasattr(network, "network") else network
