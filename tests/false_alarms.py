"""False alarms of `verify`, counted: shipped packages, which are correct, under many seeds.

    python tests/false_alarms.py 100 mdlm ilm     a hundred seeds of each, on the smallest toy

Each line is a claim that a number decides: how many verdicts there were, how many refuted what is
true, and the greatest share of its margin that a measured number was off by. A right limit of 1e-3
is passed by about one number in a thousand.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "runtime")]

from xlm_runtime.packages import package  # noqa: E402  # the path is set above
from xlm_runtime.plug import Family  # noqa: E402
from xlm_runtime.verify.bench import Settings  # noqa: E402
from xlm_runtime.verify.examine import examine  # noqa: E402
from xlm_runtime.verify.verdict import Verdict  # noqa: E402

TOY = "infill"  # the layout of the toy with the fewest outcomes


def smallest(name: str) -> Family:
    """Return a shipped family with the layout of the smallest toy alone."""
    family = package.load(ROOT / "examples" / name).family
    return replace(family, layouts={TOY: family.layouts[TOY]})


def verdicts(family: Family, seeds: int) -> Iterator[Verdict]:
    """Yield the verdicts that numbers decide, under one seed after the other."""
    for seed in range(1, seeds + 1):
        for one in examine(family, Settings(seed=seed, draws=4000, steps=(4, 16), points=32)):
            yield from (v for v in one.verdicts if v.measured is not None)


def used(verdict: Verdict) -> float:
    """Return the share of its margin that a number is above the expected one by."""
    assert verdict.measured is not None
    assert verdict.expected is not None
    assert verdict.margin is not None
    return (verdict.measured - verdict.expected) / verdict.margin


def main(seeds: int, names: list[str]) -> int:
    """Print a line for each claim of each family; the number of refuted ones."""
    torch.set_num_threads(1)
    alarms = 0
    for name in names:
        found: dict[str, list[Verdict]] = {}
        for verdict in verdicts(smallest(name), seeds):
            found.setdefault(verdict.claim, []).append(verdict)
        for claim, all_ in found.items():
            outcomes = [v.outcome for v in all_]
            refuted, open_ = outcomes.count("refuted"), outcomes.count("undecided")
            alarms += refuted
            most = max(map(used, all_))
            print(f"{name} {claim}: {len(all_)} verdicts, {refuted} refuted, {open_} undecided, "
                  f"at most {most:.2f} of the margin", flush=True)  # fmt: skip
    return alarms


if __name__ == "__main__":
    sys.exit(min(main(int(sys.argv[1]), sys.argv[2:]), 1))
