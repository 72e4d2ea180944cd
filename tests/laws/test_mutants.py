"""Bugs planted in generated packages, one at a time: the law that they break must say so."""

import pytest
from laws.mutants import MUTANTS, Mutant

FIRST = {mutant.law: mutant for mutant in reversed(MUTANTS)}  # of each law: a quarter is always run


def case(mutant: Mutant):
    marks = [] if FIRST[mutant.law] is mutant else pytest.mark.slow
    return pytest.param(mutant, marks=marks, id=mutant.bug.replace(" ", "_"))


@pytest.mark.parametrize("mutant", [case(mutant) for mutant in MUTANTS])
def test_a_planted_bug_breaks_its_law(workshop, mutant):
    broken = workshop.mutant(mutant.package, mutant.file, mutant.old, mutant.new)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        mutant.law(broken, **mutant.told)
