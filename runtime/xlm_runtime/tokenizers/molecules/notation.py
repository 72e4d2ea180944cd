"""Notations in which the texts of a task spell molecules; its facts name it as ``notation``."""

from collections.abc import Callable

SMILES, SAFE = "SMILES", "bracket SAFE"


def reader(notation: str) -> Callable[[str], str | None]:
    """Return a function: text -> the canonical SMILES of the one molecule that it is, or None."""
    from xlm_runtime.tokenizers.molecules.safe import strict
    from xlm_runtime.tokenizers.molecules.smiles import whole

    return {SMILES: whole, SAFE: strict}[notation]
