"""Finds what the compiler reads beside its modules, in a checkout or a wheel alike."""

from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """Return the folder ``grammar``, ``templates`` or ``spec``.

    A wheel carries them inside of the package (``xlmc/data``), a checkout has them beside it.
    """
    installed = HERE / "data" / name
    return installed if installed.is_dir() else HERE.parent / name


def compiler_digest() -> str:
    """Return a hash of the compiler itself: grammar, templates and every module."""
    total = sha256()
    for root in (folder("grammar"), folder("templates"), HERE):
        for path in sorted(root.rglob("*")):
            inside = path.relative_to(root).parts
            if path.suffix in {".lark", ".j2", ".py"} and inside[0] != "data":
                total.update(f"{root.name}/{'/'.join(inside)}\0".encode())
                total.update(sha256(path.read_bytes()).digest())
    return total.hexdigest()


def digest(content: bytes) -> str:
    """Return the hash of a file as manifests record it."""
    return sha256(content).hexdigest()
