"""A script that kills each job at random moments, and sees that the same command ends the same.

``python tests/kills.py [N [JOB ...]]`` prints a table for docs/robust.md: each of the jobs prepare,
train, eval, generate, push and pull is killed (SIGKILL) N times, at moments spread over all that it
takes, each time from the same beginning. Then the command is run again, and must end with the bytes
of one that was not killed. Speeds, which no two commands share, and logs of them are left out.
"""

import json
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "runtime"), str(HERE.parent / "runtime"), str(HERE.parent)]

from hub_server import TOKEN, Hub, serving  # noqa: E402

FAMILY, TASK, REPO = HERE / "runtime/toy_family", "toy_task:REVERSE", "tester/mine"
RUN = Path("runs/toy/toy_reverse/mine")
SETS = (
    "train.steps=24", "train.checkpoint_every=3", "train.validate_every=6", "generate.samples=0",
    "model.dropout=0.2",
)  # fmt: skip
_SPEED = re.compile(rb'.*tokens_per_second.*\n?|.*tokens per second.*\n?|.*"sha256".*\n?')
Job = Callable[[], int]


def _run(job: str, **options: Any) -> Job:
    def begin() -> int:
        from xlm_runtime.run.main import run

        return run(FAMILY, TASK, job=job, name="mine", **options)

    return begin


def _prepare() -> int:
    from xlm_runtime.run.main import run

    os.environ["XLM_CACHE"] = str(Path.cwd() / "cache")
    Path("texts.txt").write_text("".join(f"this is line {i}, of some\n" for i in range(3000)))
    options = {"data": Path("texts.txt"), "tokenizer": "bpe:300"}
    return run(HERE.parent / "examples/mdlm", "lm1b", job="prepare", **options)


def _pull() -> int:
    from xlm_runtime.run.share import pull

    return pull(REPO, Path("pulled"))


JOBS: dict[str, tuple[Job, tuple[str, ...]]] = {  # and those that come before it
    "prepare": (_prepare, ()),
    "train": (_run("train", sets=SETS), ()),
    "eval": (_run("eval"), ("train",)),
    "generate": (_run("generate"), ("train",)),
    "push": (_run("push", repo=REPO), ("train", "eval")),
    "pull": (_pull, ("train", "eval", "push")),
}


def child(job: Job, folder: Path, after: float | None = None) -> tuple[int, float]:
    """Does a job in a process of its own, which is killed after some seconds; its end, and time."""
    began = time.monotonic()
    pid = os.fork()
    if not pid:
        code = 70
        try:
            os.chdir(folder)
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            code = job()
        finally:
            os._exit(code)
    if after is not None:
        time.sleep(after)
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), time.monotonic() - began


def ended(folder: Path, hub: Hub) -> dict[str, str]:
    """A digest of each file that a job leaves, speeds apart."""
    files = {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if _kept(f)}
    files |= {f"hub/{name}": content for name, content in hub.repos.get(REPO, {}).items()}
    return {name: sha256(_plain(name, content)).hexdigest() for name, content in files.items()}


def _kept(file: Path) -> bool:
    """True for what is to be the same: no logs, no locks, no notes of when and how."""
    odd = any(part == "logs" or part.startswith(".") for part in file.parts[-6:])
    return file.is_file() and not odd and file.name not in ("evaluations.jsonl", "state.ckpt")


def _plain(name: str, content: bytes) -> bytes:
    if name.endswith(("hashes.json", "COMPLETE.json")):
        return " ".join(sorted(json.loads(content)["files"])).encode()
    if name.endswith(("run.json", "predictions.json")):
        return b"noted"  # the command, and the machine
    return _SPEED.sub(b"", content) if name.endswith((".json", ".md")) else content


def killed(name: str, times: int, base: Path, hub: Hub) -> tuple[int, int, int]:
    """Kills a job so many times: kills that struck, repeated commands that failed, or differ.

    Only a job that is still at work is killed: where one has ended before its moment, the moments
    are spread over less time from then on.
    """
    job, _ = JOBS[name]
    pushed, random = dict(hub.repos.get(REPO, {})), Random(name)
    spent = 1e9
    for _ in range(2):  # the first has more to import
        with _copied(base, hub, pushed) as folder:
            code, took = child(job, folder)
            assert code == 0, name
            spent, whole = min(spent, took), ended(folder, hub)
    struck = failed = other = 0
    while struck < times:
        with _copied(base, hub, pushed) as folder:
            if child(job, folder, random.uniform(0, 0.9 * spent))[0] != -signal.SIGKILL:
                spent *= 0.9  # it was done before
                continue
            struck += 1
            if child(job, folder)[0]:
                failed += 1
                continue
            found = ended(folder, hub)
            odd = [key for key in {**whole, **found} if whole.get(key) != found.get(key)]
            if odd:
                print(f"{name}: {', '.join(odd[:5])}", file=sys.stderr)
            other += bool(odd)
    return struck, failed, other


@contextmanager
def _copied(base: Path, hub: Hub, pushed: dict[str, bytes]) -> Iterator[Path]:
    """Within: a folder and a Hub as they are before a job."""
    with tempfile.TemporaryDirectory() as beside:
        folder = Path(beside) / "copy"
        shutil.copytree(base, folder)
        hub.repos.clear()
        if pushed:
            hub.repos[REPO] = dict(pushed)
        shutil.rmtree(os.environ["HF_HOME"], ignore_errors=True)
        yield folder


def table(times: int, names: tuple[str, ...] = tuple(JOBS)) -> list[str]:
    """The rows of the table."""
    rows = ["| job | kills | refused or failed afterwards | other bytes |", "| --- " * 4 + "|"]
    with serving() as hub, tempfile.TemporaryDirectory() as home:
        _meet(hub, Path(home) / "hf")
        for name in names:
            hub.repos.clear()
            with tempfile.TemporaryDirectory() as folder:
                for before in JOBS[name][1]:
                    assert child(JOBS[before][0], Path(folder))[0] == 0, before
                struck, failed, other = killed(name, times, Path(folder), hub)
            rows.append(f"| {name} | {struck} | {failed} | {other} |")
            print(rows[-1], file=sys.stderr)
    return rows


def _meet(hub: Hub, home: Path) -> None:
    """Imports all that jobs need, once, so that a process of theirs begins at once."""
    os.environ |= {"HF_ENDPOINT": hub.address, "HF_TOKEN": TOKEN, "HF_HOME": str(home)}
    import torch

    torch.set_num_threads(1)
    for name in ("train.fit", "metrics", "run.share", "tasks.base.text"):
        import_module(f"xlm_runtime.{name}")


if __name__ == "__main__":
    given = sys.argv[1:]
    print("\n".join(table(int(given[0]) if given else 20, tuple(given[1:]) or tuple(JOBS))))
