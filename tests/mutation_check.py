"""Plants every known mistake in its package and asks `verify`; writes docs/mutations.md.

    python tests/mutation_check.py all        asks about all of them: an hour on one core
    python tests/mutation_check.py mdlm ilm   about those in some packages; the rest stays
    python tests/mutation_check.py new        about those that were not asked about
    python tests/mutation_check.py            writes the table with what is known

tests/laws/test_mutants.py keeps true that each mistake breaks its law: `tests/run -m slow` runs it.
"""

import sys
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

TABLE = ROOT / "docs/mutations.md"
NOT_ASKED = "not asked"
QUICK = Settings(draws=6000, steps=(1, 4, 32), points=32)
HEAD = """# Planted mistakes

Written by `python tests/mutation_check.py`. Each line is a mistake planted in a generated
package. The law is a test under `tests/laws` that fails for it; `tests/laws/test_mutants.py`,
which `tests/run -m slow` runs, keeps that true. The last column is what `xlmc verify`, which
knows no family, refutes in the same package with quick settings; a dash: it refutes nothing,
and the law alone protects against the mistake. Answers stay until they are asked for again:
some are of earlier versions of `xlmc verify`.

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


def asked(workshop: Workshop, mutant: Mutant) -> str:
    """What `verify` refutes in a package with a mistake."""
    broken = workshop.mutant(mutant.package, mutant.file, mutant.old, mutant.new)
    return ", ".join(f"`{claim}`" for claim in refuted(broken.family)) or "–"


def cells(mutant: Mutant) -> str:
    """What a line of the table says before the last column."""
    law = mutant.law.__name__.removeprefix("test_").replace("_", " ")
    return f"| {mutant.bug} | {mutant.package} | `{mutant.file}` | {law} | "


def known() -> dict[str, str]:
    """The last column of the table as it was: what is not asked this time stays."""
    rows = TABLE.read_text("utf-8").splitlines() if TABLE.is_file() else []
    pairs = [row.rstrip(" |").rpartition(" | ") for row in rows if row.startswith("| ")]
    return {before + " | ": told for before, _, told in pairs}


def written(told: dict[str, str]) -> str:
    """Writes the table with what is known; its summary."""
    rows = [(cells(mutant), told.get(cells(mutant), NOT_ASKED)) for mutant in MUTANTS]
    found = sum("`" in answer for _, answer in rows)
    missed = sum(answer == "–" for _, answer in rows)
    summary = f"{len(rows)} mistakes, each found by its law. `xlmc verify` was asked about "
    summary += f"{found + missed} of them and finds {found}."
    text = HEAD.format(summary=summary) + "".join(f"{a}{b} |\n" for a, b in rows)
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(text, encoding="utf-8")
    return summary


def main(names: list[str]) -> int:
    """Asks about the mistakes in some packages, or all; what is known is kept at every step."""
    torch.set_num_threads(1)
    told = known()
    with TemporaryDirectory() as root:
        workshop = Workshop(Path(root))
        for mutant in MUTANTS:
            is_new = told.get(cells(mutant), NOT_ASKED) == NOT_ASKED
            if mutant.package in names or names == ["all"] or (names == ["new"] and is_new):
                told[cells(mutant)] = asked(workshop, mutant)
                print(cells(mutant) + told[cells(mutant)], flush=True)
                written(told)
    print(written(told))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
