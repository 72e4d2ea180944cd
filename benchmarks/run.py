"""Speed and memory, case by case: ``python benchmarks/run.py`` (about 20 minutes on one core).

Each case runs in a process of its own, on one thread, after a warm-up; a number is the median of
CPU seconds, and the share beside it is over a floor measured in turns in the same process, so that
it holds on a machine of any speed. Commands are measured whole.

    python benchmarks/run.py                       all cases, as a table
    python benchmarks/run.py train decode          those whose name holds one of the words
    python benchmarks/run.py --json FILE --page docs/benchmarks.md
    python benchmarks/run.py --peer                xlm-core beside it, installed apart
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
ALONE = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
PATHS = {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'runtime'}"}
Row = dict[str, Any]


def measured(case: str, repeats: int) -> Row:
    """A case of `cases`, in a process of its own."""
    command = [sys.executable, str(HERE / "measure.py"), case, str(repeats)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **ALONE}
    )
    if done.returncode:
        sys.exit(f"{case}: {done.stderr.strip().splitlines()[-1]}")
    found = json.loads(done.stdout)
    cpu = found["cpu"]
    row = {"case": case, "seconds": cpu["package"]["median"], "peak_mb": found["peak_mb"]}
    for other in {"floor", "mdlm"} & {*cpu}:
        row[f"over_{other}"] = cpu["package"]["median"] / cpu[other]["median"]
    return row


def commands(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Whole commands of the compiler and of `verify`."""
    xlmc = [sys.executable, "-m", "xlmc"]
    build = [*xlmc, "build", str(ROOT / "spec/mdlm.xlm"), "--out", str(folder)]
    yield "command xlmc --help", [*xlmc, "--help"]
    yield "command xlmc build, nothing new", build
    yield "command xlmc build --force", [*build, "--force"]
    yield "command xlmc check", [*xlmc, "check", str(ROOT / "spec/flexmdm.xlm")]
    yield "command xlmc verify mdlm", [*xlmc, "verify", str(ROOT / "examples/mdlm")]


def whole(case: str, command: list[str], repeats: int) -> Row:
    """A command from its start to its end: CPU and wall seconds, and the peak of memory."""
    spent, walls, peak = [], [], 0.0
    for turn in range(repeats + 1):
        began = time.perf_counter()
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, env={**os.environ, **ALONE, **PATHS}
        ) as child:
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            sys.exit(f"{case}: exit code {child.returncode}")
        if turn:  # the first fills caches
            spent.append(used.ru_utime + used.ru_stime)
            walls.append(time.perf_counter() - began)
            peak = max(peak, used.ru_maxrss / 1024)
    return {"case": case, "seconds": median(spent), "wall": median(walls), "peak_mb": peak}


def chosen(words: list[str]) -> Callable[[str], bool]:
    """Return a test of whether a case is wanted."""
    return lambda case: not words or any(word in case for word in words)


def rows(words: list[str], repeats: int) -> Iterator[Row]:
    """Every case that is asked for, as it is measured."""
    from cases import cases

    wanted = chosen(words)
    for case, _ in cases():
        if wanted(case):
            yield measured(case, repeats)
    with tempfile.TemporaryDirectory() as folder:
        for case, command in commands(Path(folder)):
            if wanted(case):
                yield whole(case, command, 1 if "verify" in case else min(repeats, 5))


def line(row: Row) -> str:
    """A row of the table."""
    over, mdlm = (f"{row[key]:.2f}" if key in row else "" for key in ("over_floor", "over_mdlm"))
    peer = f"{row['peer']:.4f}" if "peer" in row else ""
    cells = (row["case"], f"{row['seconds']:.4f}", over, mdlm, f"{row['peak_mb']:.0f}", peer)
    return f"| {' | '.join(cells)} |"


HEAD = (
    "| case | CPU seconds | times the floor | times mdlm | peak MB | xlm-core 0.3.1 |\n"
    "|---|---|---|---|---|---|"
)


def page(found: list[Row]) -> str:
    """The table with what it needs to be read."""
    machine = f"{platform.machine()}, Python {platform.python_version()}"
    table = "\n".join([HEAD, *map(line, found)])
    return (
        "# Benchmarks\n\n"
        "Medians of CPU seconds on one thread after a warm-up, by `python benchmarks/run.py "
        f"--page docs/benchmarks.md` ({machine}). *Times the floor*: of training, over the same\n"
        "arithmetic written by hand for one shape; of decoding, over the calls of the network that "
        "it makes,\nmeasured in turns in one process. *Times mdlm*: over a step of mdlm at the "
        "same shape, likewise. Ratios hold\nelsewhere; seconds are those of "
        f"one machine.\n\n{table}\n"
    )


def main() -> None:
    """Measure, print, and write what is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("words", nargs="*", help="only cases whose name holds one of them")
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--page", type=Path)
    parser.add_argument("--peer", action="store_true", help="measure xlm-core 0.3.1 as well")
    asked = parser.parse_args()
    peers: dict[str, float] = {}
    if asked.peer:
        from peer import peer_seconds

        peers = peer_seconds(asked.repeats)
    print(HEAD, flush=True)
    found = []
    for row in rows(asked.words, asked.repeats):
        row |= {"peer": peers[row["case"]]} if row["case"] in peers else {}
        found.append(row)
        print(line(row), flush=True)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    if asked.page:
        asked.page.write_text(page(found), encoding="utf-8")


if __name__ == "__main__":
    main()
