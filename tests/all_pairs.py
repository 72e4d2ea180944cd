"""Runs every family on every task, a few steps each; writes docs/pairs.md.

    python tests/all_pairs.py                  all pairs: an hour on one core
    python tests/all_pairs.py --task sudoku    those of one task (or --family ilm); the rest stays

Every pair is what `xlmc run examples/FAMILY --task TASK` does with preset quick, made short: it
prepares, trains, evaluates and generates. What is refused is refused in words, which are kept.
"""

import json
import os
import sys
from argparse import ArgumentParser
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "runtime")]
FAMILIES = sorted(
    path.name for path in (ROOT / "examples").iterdir() if (path / "family.py").exists()
)
NOTES = ROOT / "docs/pairs.json"
TABLE = ROOT / "docs/pairs.md"
STEPS = 20
SHORT = (
    f"train.steps={STEPS}",
    "train.warmup=2",
    "train.log_every=1",
    "train.validate_every=1000",
    "generate.samples=0",
    "generate.count=4",
    "eval.examples=8",
    "eval.samples=8",
    "eval.draws=1",
    "model.layers=2",
    "model.width=64",
    "model.heads=4",
)
DATA = {"jsonl": '{"prompt": "1 plus 2", "target": "3"}'}
HEAD = f"""# Families and tasks

Written by `python tests/all_pairs.py`, which did with every pair what `xlmc run` does: prepare,
train, evaluate, generate, with preset quick, networks of two layers of width 64, {STEPS} steps of
training, and 8 of decoding where they can be set.
Nothing is learnt in so few: the table shows that every pair works, without code for any pair.
A cell holds the loss of the first and of the last five steps, each family's own; a number in
brackets is a refusal, in words below the table.

"""


def data_of(task: str, folder: Path) -> Path | None:
    """The file of the user's own that a task needs, made where there is none."""
    if task not in DATA:
        return None
    path = folder / f"{task}.jsonl"
    rows = ({"prompt": f"{a} plus {b}", "target": str(a + b)} for a in range(20) for b in range(20))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def sets(name: str, task: str) -> tuple[str, ...]:
    """The settings of a pair: a decoder whose steps can be set takes few."""
    from xlm_runtime.packages.package import load

    family = load(ROOT / "examples" / name).family
    decoder = str(family.recipes.get(task, {}).get("decoder", "default"))
    params = family.params.get(decoder, ())
    return (*SHORT, *("decoder.steps=8" for param in params if param.name == "steps"))


def cell(family: str, task: str, folder: Path) -> dict[str, Any]:
    """What running a pair gave: its losses, or the words with which it was refused."""
    from xlm_runtime.run.main import run

    said, wrong = StringIO(), StringIO()
    with redirect_stdout(said), redirect_stderr(wrong):
        code = run(
            ROOT / "examples" / family, task, sets=sets(family, task), data=data_of(task, folder),
            name="pair",
        )  # fmt: skip
    if code == 2:
        return {"refused": " ".join(wrong.getvalue().removeprefix("error: ").split())}
    if code:
        raise RuntimeError(
            f"{family} on {task}: exit code {code}\n{said.getvalue()}{wrong.getvalue()}"
        )
    home = Path("runs") / family / task / "pair"
    found = json.loads((home / "metrics.json").read_text(encoding="utf-8"))
    if not (home / "predictions.jsonl").stat().st_size:
        raise RuntimeError(f"{family} on {task}: nothing was generated")
    lines = (home / "logs/metrics.csv").read_text(encoding="utf-8").splitlines()
    column = lines[0].split(",").index("train/loss")
    losses = [float(cell) for line in lines[1:] if (cell := line.split(",")[column])]
    return {
        "first": sum(losses[:5]) / 5,
        "last": sum(losses[-5:]) / 5,
        "claim": found["claim"]["value"],
    }


def table(notes: dict[str, dict[str, Any]], tasks: list[str]) -> str:
    """The notes as a table, refusals numbered."""
    refusals: list[str] = []

    def shown(family: str, task: str) -> str:
        found = notes.get(f"{family} {task}")
        if found is None:
            return ""
        if "refused" not in found:
            return f"{found['first']:.2f} → {found['last']:.2f}"
        if found["refused"] not in refusals:
            refusals.append(found["refused"])
        return f"[{refusals.index(found['refused']) + 1}]"

    known = [one for one in FAMILIES if any(pair.split()[0] == one for pair in notes)]
    rows = [f"| task | {' | '.join(known)} |", "| --- " * (len(known) + 1) + "|"]
    rows += [f"| {task} | {' | '.join(shown(f, task) for f in known)} |" for task in tasks]
    rows += ["", *(f"{number}. {words}" for number, words in enumerate(refusals, 1))]
    return HEAD + "\n".join(rows) + "\n"


def main() -> None:
    """Runs the pairs that are asked for, and writes the table."""
    from xlm_runtime import tasks

    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--task", choices=tasks.names(), action="append")
    parser.add_argument("--family", choices=FAMILIES, action="append")
    asked = parser.parse_args()
    notes = json.loads(NOTES.read_text(encoding="utf-8")) if NOTES.exists() else {}
    with TemporaryDirectory() as folder:
        os.chdir(folder)
        for task in asked.task or tasks.names():
            for family in asked.family or FAMILIES:
                notes[f"{family} {task}"] = found = cell(family, task, Path(folder))
                print(family, task, found, flush=True)
                NOTES.write_text(
                    json.dumps(notes, indent=1, sort_keys=True) + "\n", encoding="utf-8"
                )
    TABLE.write_text(table(notes, list(tasks.names())), encoding="utf-8")


if __name__ == "__main__":
    main()
