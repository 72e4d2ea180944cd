"""One case in a process of its own: CPU seconds of each piece of work, and the peak of memory.

``python benchmarks/measure.py CASE REPEATS`` prints JSON. The pieces take turns, so that a machine
that changes its speed changes it for all of them.
"""

import json
import resource
import sys
import time
from statistics import median

import torch
from cases import Work, cases

WARM = 3


def measure(works: dict[str, Work], repeats: int) -> dict[str, list[float]]:
    """CPU seconds of each piece of work, ``repeats`` times after a warm-up."""
    spent: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(WARM + repeats):
        for name, work in works.items():
            began = time.process_time()
            work()
            if turn >= WARM:
                spent[name].append(time.process_time() - began)
    return spent


def main() -> None:
    """Measure the case that is named."""
    torch.set_num_threads(1)
    name, repeats = sys.argv[1], int(sys.argv[2])
    works = dict(cases())[name]()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    spent = measure({"package": works["package"]}, 1)  # the peak is that of the package alone
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    spent = measure(works, repeats)
    shown = {key: {"median": median(v), "low": min(v), "high": max(v)} for key, v in spent.items()}
    print(json.dumps({"cpu": shown, "peak_mb": peak / 1024, "added_mb": (peak - before) / 1024}))


if __name__ == "__main__":
    main()
