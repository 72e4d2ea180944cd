"""How the texts of a task spell molecules, which its facts say under ``notation``."""

from collections.abc import Callable

SMILES, SAFE = "SMILES", "bracket SAFE"


def reader(notation: str) -> Callable[[str], str | None]:
    """A text -> the canonical SMILES of the one molecule that it is, or None."""
    from xlm_runtime.molecules.safe import strict
    from xlm_runtime.molecules.smiles import whole

    return {SMILES: whole, SAFE: strict}[notation]
