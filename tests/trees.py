"""Trees of the repository side by side: this one, and those of other revisions."""

import os
import subprocess
from io import BytesIO
from pathlib import Path
from tarfile import TarFile

ROOT = Path(__file__).parents[1]


def environment(tree: Path) -> dict[str, str]:
    """The variables under which Python takes a tree's modules."""
    return os.environ | {
        "PYTHONPATH": f"{tree}{os.pathsep}{tree / 'runtime'}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
    }


def unpacked(revision: str, folder: Path) -> Path:
    """The tree of a revision: that of a folder, or of a commit, which is unpacked."""
    if Path(revision).is_dir():
        return Path(revision).resolve()
    packed = subprocess.run(
        ["git", "-C", str(ROOT), "archive", revision], check=True, stdout=subprocess.PIPE
    )
    with TarFile(fileobj=BytesIO(packed.stdout)) as tar:
        tar.extractall(folder, filter="data")
    return folder
