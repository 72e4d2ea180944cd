"""A script that damages each file of a run and of the cache, and sees what becomes of it.

``python tests/damage.py [N]`` prints a table for docs/robust.md: N single bits flipped in each
file, and the file cut in two places, empty, gone, and replaced by other things. A damaged file is
refused in one line that names it, without effect (what is not read, or read the same), prepared
again, used silently, or a traceback. `damages` and `tried` are used by tests as well.
"""

import io
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from random import Random

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "runtime"), str(HERE.parent / "runtime")]

from shelf import Shelf  # noqa: E402

from xlm_runtime.data import store  # noqa: E402
from xlm_runtime.data.store import Block, Examples, Writer  # noqa: E402
from xlm_runtime.run.main import run  # noqa: E402
from xlm_runtime.system.cache import cached  # noqa: E402

FAMILY, TASK = HERE / "runtime/toy_family", "toy_task:REVERSE"
RUN = Path("runs/toy/toy_reverse/mine")
SETS = ("train.steps=8", "train.checkpoint_every=4", "generate.samples=0", "eval.examples=8")
OTHERS = (b"", b"[]", b"null", b"[" * 100_000, b"\xff\xfe\0", b'{"../a\\u0000": 1}', None)
KINDS = ("refused in one line", "without effect", "prepared again", "silently used", "tracebacks")


def damages(content: bytes, flips: int, seed: str) -> Iterator[bytes | None]:
    """A file's content, damaged in one way after the other; None where the file is gone."""
    random = Random(seed)
    for place in random.sample(range(8 * len(content)), min(flips, 8 * len(content))):
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << place % 8
        yield bytes(flipped)
    yield content[: len(content) // 2]
    yield content[:-1]
    yield from OTHERS


def made(folder: Path) -> None:
    """A small run below a folder, evaluated and with predictions."""
    os.chdir(folder)
    assert run(FAMILY, TASK, name="mine", sets=SETS) == 0


def used() -> bytes:
    """Whatever a user does with a run: what comes out of it.

    Raises SystemExit with the exit code of a command that is refused.
    """
    shelf = Shelf(Path("hub"))
    with pytest.MonkeyPatch.context() as patch:
        shelf.use(patch)
        _do(job="all", sets=SETS)
        _do(job="push", repo="tester/mine")
        _do(job="train", sets=("train.steps=10", *SETS[1:]), force=True)
    shown = shelf.repos["tester/mine"]
    weights = (RUN / "checkpoints/step-00000010/ema.safetensors").read_bytes()
    every = b"".join(shown[name] for name in sorted(shown) if name.startswith("checkpoints"))
    predictions = b"".join(sorted({file.read_bytes() for file in RUN.glob("predictions*.jsonl")}))
    return every + weights + predictions + shown["README.md"].partition(b"decoding")[0][:400]


def _do(**options: object) -> None:
    code = run(RUN / "package", TASK, name="mine", **options)  # type: ignore[arg-type]
    if code:
        raise SystemExit(code)


def outcome(file: Path, expected: bytes, use: Callable[[], bytes]) -> str:
    """What becomes of a damaged file: one of `KINDS`."""
    said, errors = io.StringIO(), io.StringIO()
    try:
        with redirect_stdout(said), redirect_stderr(errors):
            found = use()
    except SystemExit:
        last = errors.getvalue().strip()
        return KINDS[0] if file.name in last or file.parent.name in last else KINDS[4]
    except Exception as error:
        print(f"{file}: {type(error).__name__}: {error}", file=sys.stderr)
        return KINDS[4]
    if "prepared again" in said.getvalue():
        return KINDS[2]
    return KINDS[1] if found == expected else KINDS[3]


def tried(whole: Path, name: str, flips: int, use: Callable[[], bytes], expected: bytes) -> Counter:
    """The outcomes of all damages to one file of a folder, each done to a copy of it."""
    counted: Counter[str] = Counter()
    for damage in damages((whole / name).read_bytes(), flips, name):
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "copy"
            shutil.copytree(whole, copy)
            os.chdir(copy)
            if damage is None:
                (copy / name).unlink()
            else:
                (copy / name).write_bytes(damage)
            counted[outcome(copy / name, expected, use)] += 1
            os.chdir("/")
    return counted


def prepared() -> bytes:
    """A small folder of the cache, prepared if need be, and all that is read from it."""

    def build(folder: Path) -> dict[str, int]:
        with Writer(folder / "train", 300) as writer:
            writer.add(body=Block.of([[1, 2, 299], [4]]), prompt=Block.of([[7], []]))
        return {"rows": 2}

    built = cached(Path.cwd(), "toy", {"version": store.VERSION}, build)
    rows = [(list(one.body), list(one.prompt)) for one in Examples(built.folder / "train")]
    return repr((rows, dict(built.facts))).encode()


def table(flips: int) -> list[str]:
    """The rows of the table, for a run and for the cache."""
    rows = [f"| file | corruptions | {' | '.join(KINDS)} |", "| --- " * (len(KINDS) + 2) + "|"]
    for make, use in ((made, used), (lambda folder: None, prepared)):
        with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()):
            whole = Path(folder) / "whole"
            whole.mkdir()
            make(whole)
            os.chdir(whole)
            if use is prepared:
                prepared()
            names = [
                str(path.relative_to(whole)) for path in sorted(whole.rglob("*")) if _one(path)
            ]
            expected = undamaged(whole, use)
            found = {name: tried(whole, name, flips, use, expected) for name in names}
        rows += [_row(name, one) for name, one in found.items()]
    return rows


def _one(path: Path) -> bool:
    return path.is_file() and ".lock" not in path.name and "events" not in path.name


def undamaged(whole: Path, use: Callable[[], bytes]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(whole, Path(folder) / "copy")
        os.chdir(Path(folder) / "copy")
        found = use()
        os.chdir("/")
    return found


def _row(name: str, found: Counter) -> str:
    numbers = [str(found[kind] or "") for kind in KINDS]
    return f"| `{name.removeprefix(f'{RUN}/')}` | {found.total()} | {' | '.join(numbers)} |"


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)
    print("\n".join(table(int(sys.argv[1]) if len(sys.argv) > 1 else 8)))
