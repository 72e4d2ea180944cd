"""A mistake to plant in a generated package, and the law that it breaks."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Mutant:
    """A piece of text of a package's file, what replaces it, and the law that must fail.

    `told` are the law's parameters beside the package.
    """

    bug: str
    package: str
    file: str
    old: str
    new: str
    law: Any
    told: dict[str, Any] = field(default_factory=dict)
