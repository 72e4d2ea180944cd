"""Molecules as strings: SMILES, SAFE, their tokens, and made ones.  All of it needs RDKit."""

from xlm_runtime.system import extras


def check(what: str) -> None:
    """Check that RDKit, which ``what`` needs, is installed.  Raises UsageError."""
    extras.needed("rdkit", "molecules", what)
