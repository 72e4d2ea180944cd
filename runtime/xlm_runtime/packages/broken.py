"""Messages about a package whose code cannot be imported."""

from pathlib import Path


def reason(path: Path, error: Exception) -> str:
    """Explain why a package cannot be imported, and how to mend it."""
    name = (error.name or "") if isinstance(error, ModuleNotFoundError) else ""
    if name and not name.startswith("_xlm_package_"):
        return (
            f"the package at {path} needs the Python module '{name}', which is not found: "
            "install it, or put its folder on the path, as in `PYTHONPATH=. xlmc run ...`"
        )
    return (
        f"the package at {path} is broken ({type(error).__name__}: {error}); build it again, "
        "with --force if it was edited by hand"
    )
