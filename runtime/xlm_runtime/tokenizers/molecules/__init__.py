"""Molecules as strings: SMILES, SAFE, their tokens, and made ones.  All of it needs RDKit."""

from xlm_runtime.system.errors import UsageError


def check(what: str) -> None:
    """Check that RDKit, which ``what`` needs, is installed.  Raises UsageError."""
    try:
        import rdkit  # noqa: F401
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{what} needs {error.name}, which is not installed: pip install 'xlmc[molecules]'"
        ) from error
