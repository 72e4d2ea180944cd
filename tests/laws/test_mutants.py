"""Bugs planted in generated packages, one at a time: the law that they break must say so."""

import pytest
from laws.mutants import MUTANTS

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.bug.replace(" ", "_"))
def test_a_planted_bug_breaks_its_law(workshop, mutant):
    broken = workshop.mutant(mutant.package, mutant.file, mutant.old, mutant.new)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        mutant.law(broken, **mutant.told)
