"""An injection corpus: specs and pulled runs that try to have code of theirs run.

    python tests/injection.py            # all of it, and its table
    python tests/injection.py --write    # the table into docs/robust.md

Every attempt leaves a file, the canary, if it succeeds. An attempt is over when what it made was
refused, or was compiled, imported, pulled and loaded, and the canary is not there. A traceback is a
failure as well. The ordinary tests run a part.
"""

import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import hostile_runs
import hostile_specs

PAGE = Path(__file__).parents[1] / "docs/robust.md"
BEGIN, END = "<!-- injection -->", "<!-- end of injection -->"
HEAD = """## Injection

A spec is data: no text of it becomes code. A pulled run is a stranger's: of its files only those
that a run has are taken, and its code is executed if it is exactly the output of xlmc for its spec,
or once you agree. `python tests/injection.py` attacks that; the ordinary tests run a part of it.
"Data" are texts that stay texts, in a package that was compiled or a run that was taken.
"""


@dataclass(frozen=True)
class Case:
    """One attempt: its group, its name, a spec and its file's name, or a change of a run."""

    group: str
    name: str
    spec: tuple[str, str] = ("", "")
    run: hostile_runs.Change | None = None

    def act(self, canary: Path, folder: Path) -> str:
        """Tries it; what became of it."""
        if self.run is None:
            return hostile_specs.tried(*self.spec, canary, folder)
        return hostile_runs.tried(self.run, canary, folder)


def cases() -> Iterator[Case]:
    """The whole corpus."""
    for group, name, text, file in hostile_specs.every():
        yield Case(group, name, spec=(text, file))
    for group, name, change in hostile_runs.every():
        yield Case(group, name, run=change)


def outcome(case: Case) -> str:
    """What becomes of a case: an outcome of its module, `RAN` or the name of an exception."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        canary = folder / "canary"
        os.chdir(folder)
        try:
            with contextlib.redirect_stderr(io.StringIO()):
                found = case.act(canary, folder)
        except (Exception, SystemExit) as error:
            found = f"BROKE ({type(error).__name__}: {error})"
        finally:
            os.chdir(before)
        return "RAN" if canary.exists() else found


def table(found: dict[Case, str]) -> str:
    """A line for each group, with how many cases ended in which way."""
    outcomes = ("refused", "a text", "not run")
    lines = [
        "| what tries | cases | refused | data | code held back | ran, or broke |",
        "| --- | --: | --: | --: | --: | --: |",
    ]
    groups: dict[str, list[str]] = {}
    for case, end in found.items():
        groups.setdefault(case.group, []).append(end)
    for group, ends in [*groups.items(), ("all", list(found.values()))]:
        counts = [ends.count(one) for one in outcomes]
        cells = [group, len(ends), *counts, len(ends) - sum(counts)]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def page(old: str, new: str) -> str:
    """A page with the section of this corpus, at its end if it has none."""
    section = f"{BEGIN}\n{HEAD}\n{new}\n{END}\n"
    if BEGIN not in old:
        return f"{old.rstrip() or '# Robustness'}\n\n{section}"
    head, rest = old.split(BEGIN)
    return head + section.rstrip("\n") + rest.split(END)[1]


def main() -> int:
    """Runs the corpus; 1 where an attempt succeeded or broke something."""
    found: dict[Case, str] = {}
    for case in cases():
        found[case] = outcome(case)
        if found[case] not in ("refused", "a text", "not run"):
            print(f"{case.group}, {case.name}: {found[case]}", file=sys.stderr)
    made = table(found)
    print(made)
    if "--write" in sys.argv:
        PAGE.write_text(page(PAGE.read_text() if PAGE.exists() else "", made), encoding="utf-8")
    return int(any(end not in ("refused", "a text", "not run") for end in found.values()))


if __name__ == "__main__":
    raise SystemExit(main())
