"""The files that a shared run may hold; whatever else lies in a repository is not taken."""

import re
from collections.abc import Iterable

from xlm_runtime.packages.contents import MANIFEST, Contents
from xlm_runtime.run.folder.runs import PUBLISHED
from xlm_runtime.system.hashes import HASHES

ROOT = ("README.md", "run.json", "config.json", "data.json", "metrics.json", PUBLISHED)
FOLDERS = ("package", "tokenizer", "checkpoints")
SHARED = (*ROOT, *(f"{folder}/*" for folder in FOLDERS))
_TOKENIZER = {"tokenizer/tokenizer.json", "tokenizer/tokenizer_config.json", f"tokenizer/{HASHES}"}
_CODE = re.compile(r"[A-Za-z_]\w*\.(py|xlm)", re.ASCII)
_WEIGHTS = re.compile(
    r"checkpoints/(index\.json|step-\d{8}/(ema\.safetensors|hashes\.json))", re.ASCII
)


def crooked(name: str) -> bool:
    """Return whether a path is unsafe: it leaves its folder, or has hidden characters."""
    parts = name.split("/")
    odd = "\\" in name or any(ord(c) < 32 or ord(c) == 127 for c in name)
    return odd or any(part in ("", ".", "..") for part in parts)


def belongs(name: str) -> bool:
    """Return whether a run may have a file of that path."""
    folder, _, file = name.partition("/")
    if folder == "package":
        return file == MANIFEST or bool(_CODE.fullmatch(file))
    return name in ROOT or name in _TOKENIZER or bool(_WEIGHTS.fullmatch(name))


def strangers(names: Iterable[str]) -> list[str]:
    """List the paths that no run may have: unsafe ones, and unknown ones in its folders."""
    inside = tuple(f"{folder}/" for folder in FOLDERS)
    return sorted(
        name for name in names if crooked(name) or (name.startswith(inside) and not belongs(name))
    )


def unlisted(package: Contents) -> list[str]:
    """List the files of a package that its manifest lacks, and entries without a file.

    A package without a manifest may hold Python and specs.
    """
    if MANIFEST not in package.files:
        return []
    return sorted({*package.files} ^ {MANIFEST, *(package.listed or {})})
