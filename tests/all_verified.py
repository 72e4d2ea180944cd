"""Verifies every family; writes docs/verified.md.

    python tests/all_verified.py                 all families: half an hour on one core
    python tests/all_verified.py --family ilm    those that are named; the rest stays

A row is what `xlmc verify examples/FAMILY` says with its default settings.
"""

import json
import re
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

ROOT = Path(__file__).parents[1]
FAMILIES = sorted(
    path.name for path in (ROOT / "examples").iterdir() if (path / "family.py").exists()
)
PAGE = ROOT / "docs/verified.md"
HEAD = """# What verify says of every family

Written by `python tests/all_verified.py`: what `xlmc verify examples/FAMILY` says of each family
with its default settings, on the toys whose layouts it has ([verify](verify.md)). *No law*: samples
of decoders that claim none, which nothing decides. *Open*: other verdicts that were not reached in
the time.

| family | likelihood | processor time | confirmed | refuted | no law | open |
| --- | --- | --- | --- | --- | --- | --- |
"""


def verified(family: str) -> str:
    """Return the row of a family."""
    command = [sys.executable, "-m", "xlmc", "verify", "--json", str(ROOT / "examples" / family)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{family}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    found = json.loads(done.stdout)
    verdicts = [one for toy in found["toys"] for one in toy["verdicts"]]
    outcomes = [one["outcome"] for one in verdicts]
    unclaimed = sum(one["outcome"] == "undecided" and _claims_no_law(one) for one in verdicts)
    cells = [
        family,
        found["claim"]["value"],
        f"{found['seconds']:.0f} s",
        outcomes.count("confirmed"),
        outcomes.count("refuted"),
        unclaimed,
        outcomes.count("undecided") - unclaimed,
    ]
    return f"| {' | '.join(map(str, cells))} |"


def _claims_no_law(verdict: dict[str, object]) -> bool:
    return verdict["claim"] == "samples" and "claims that they are not" in str(verdict["found"])


def main() -> None:
    """Verify the families that are named, and write the page."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--family", choices=FAMILIES, action="append")
    before = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    rows = {m[1]: m[0] for m in re.finditer(r"^\| (\w+) \|.*\|$", before, re.M) if m[1] in FAMILIES}
    for family in parser.parse_args().family or FAMILIES:
        rows[family] = verified(family)
        print(rows[family], flush=True)
        text = HEAD + "".join(f"{rows[one]}\n" for one in FAMILIES if one in rows)
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
