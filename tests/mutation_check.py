"""Plants every known mistake in its package and asks `verify`; writes docs/mutations.md.

    python tests/mutation_check.py            all of them: about half an hour on one core
    python tests/mutation_check.py mdlm ilm   those in some packages

The law that each mistake breaks is kept true by tests/laws/test_mutants.py, which every test run
contains. Exit code 1 if a package without a mistake is refuted.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "runtime"), str(ROOT / "tests")]

from laws.build import Workshop  # noqa: E402  # the path is set above
from laws.mutants import MUTANTS, Mutant  # noqa: E402

from xlm_runtime.plug import Family  # noqa: E402
from xlm_runtime.verify.bench import Settings  # noqa: E402
from xlm_runtime.verify.examine import examine  # noqa: E402

QUICK = Settings(draws=6000, steps=(1, 4, 32), points=32)
HEAD = """# Planted mistakes

Written by `python tests/mutation_check.py`. Each line is a mistake planted in a generated package.
The law is a test under `tests/laws` that fails for it; `tests/laws/test_mutants.py` keeps that
true. The last column is what `xlmc verify`, which knows no family, refutes in the same package with
quick settings; a dash: it confirms the package, and the law alone stands against the mistake.

{summary}

| mistake | package | file | law | `xlmc verify` |
| --- | --- | --- | --- | --- |
"""


def refuted(family: Family) -> list[str]:
    """The claims that are refuted with the first toy for which any is."""
    for one in examine(family, QUICK):
        found = [v.claim for v in one.verdicts if v.outcome == "refuted"]
        if found:
            return list(dict.fromkeys(found))
    return []


def lines(workshop: Workshop, mutants: list[Mutant]) -> Iterator[tuple[str, bool]]:
    """A line of the table for each mistake, and whether `verify` refutes it."""
    for mutant in mutants:
        broken = workshop.mutant(mutant.package, mutant.file, mutant.old, mutant.new)
        claims = refuted(broken.family)
        law = mutant.law.__name__.removeprefix("test_").replace("_", " ")
        told = ", ".join(f"`{claim}`" for claim in claims) or "–"
        cells = (mutant.bug, mutant.package, f"`{mutant.file}`", law, told)
        yield f"| {' | '.join(cells)} |", bool(claims)


def main(names: list[str]) -> int:
    """Writes the table."""
    torch.set_num_threads(1)
    mutants = [m for m in MUTANTS if not names or m.package in names]
    with TemporaryDirectory() as root:
        workshop = Workshop(Path(root))
        table, caught = [], 0
        for line, found in lines(workshop, mutants):
            print(line, flush=True)
            table.append(line)
            caught += found
        sound = {m.package for m in mutants}
        wrong = [name for name in sorted(sound) if refuted(workshop.package(name).family)]
    summary = f"{len(table)} mistakes in {', '.join(sorted(sound))}: the laws find all of them, "
    summary += f"`xlmc verify` finds {caught}."
    if wrong:
        print(f"refuted without a mistake: {', '.join(wrong)}", file=sys.stderr)
        return 1
    print(summary)
    text = HEAD.format(summary=summary) + "\n".join(table) + "\n"
    (ROOT / "docs").mkdir(exist_ok=True)
    (ROOT / "docs/mutations.md").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
