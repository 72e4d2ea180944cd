"""Lets of decoders that read heads of numbers: the package that their formulas make in place."""

import pytest
from families.compiled import ROOT, completed, rendered
from families.texts import changed
from laws.zoo.gaps import JOINT, RATES

from xlmc.check.family import check
from xlmc.diagnostics.diagnostic import SpecErrors
from xlmc.diagnostics.semantic_errors import NeverTrained

BOTH = (ROOT / "spec" / "flexmdm.xlm").read_text("utf-8")
EDITED = (ROOT / "spec" / "editflow.xlm").read_text("utf-8")
GRID = "    grid uniform(steps)\n"


@pytest.mark.parametrize(
    ("text", "lets", "named", "written"),
    [
        (BOTH, "let n = gap * 2", "poisson n * reveal(beta)", "poisson gap * 2 * reveal(beta)"),
        (BOTH, "let n = gap; let k = n * reveal(beta)", "poisson k", "poisson gap * reveal(beta)"),
        (
            RATES,
            "let n = gap * 2",
            "chance min(1, n * reveal(alpha))",
            "chance min(1, gap * 2 * reveal(alpha))",
        ),
        (RATES, "let n = gap * confidence", "quota n", "quota gap * confidence"),
        (JOINT, "let n = missing", "quota n / steps_left", "quota missing / steps_left"),
        (EDITED, "let n = missing", "poisson n * reveal(alpha)", "poisson missing * reveal(alpha)"),
    ],
    ids=["masks", "lets", "tokens", "answers", "rows", "edits"],
)
def test_a_let_reads_a_head_of_numbers(text: str, lets: str, named: str, written: str) -> None:
    amount = {
        BOTH: "poisson gap * reveal(beta)",
        RATES: "chance min(1, gap * reveal(alpha))",
        JOINT: "chance min(1, missing * reveal(alpha))",
        EDITED: "poisson missing * reveal(alpha)",
    }[text]
    found = rendered(changed(text, (GRID, f"    {lets}\n{GRID}"), (amount, named)))
    assert found == rendered(changed(text, (amount, written)))


def test_a_head_that_a_let_reads_is_trained() -> None:
    read = changed(
        RATES,
        ("head gap : count at gaps", "head gap : count at gaps; head more : count at gaps"),
        (GRID, f"    let n = more\n{GRID}"),
        ("gap * reveal(alpha)", "n * reveal(alpha)"),
    )
    with pytest.raises(SpecErrors) as caught:
        check(completed(read))
    assert NeverTrained in {type(one) for one in caught.value.diagnostics}
