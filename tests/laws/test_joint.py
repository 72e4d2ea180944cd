"""Likelihoods of texts and their lengths: proper, and alike in families that say them differently.

The toy's texts have up to 3 tokens, or more and are cut at 3. Its lengths have the chances that the
law of lengths gives them, so that a canvas with perfect answers has the data's own law.
"""

from math import exp, log

import numpy as np
import pytest
from laws import zoo
from laws.build import A, B, C
from laws.examples import around, strings
from laws.prefix import Prefixes, nexts
from laws.scripted import every_count
from laws.table import Table, conditionals, insertion_heads, scrambled

from xlm_runtime.data.length_law import Lengths, joint
from xlm_runtime.plug import Example

ROOM = 3
LENGTHS = Lengths([0, 1, 1, 1, 2, 3, 4, 4], ROOM)  # 4: cut
WHOLE = {body: p * exp(-LENGTHS.nats[n]) for n in range(ROOM + 1) for body, p in strings(n).items()}
BEGUN = {
    body: p * exp(-LENGTHS.of(Example(0, body, cut=True))) for body, p in strings(ROOM).items()
}
TEXTS = [Example(0, body) for body in WHOLE if len(body) < ROOM]
TEXTS += [
    Example(0, body, cut=True) for body in BEGUN
]  # at least so many tokens: all that there is


def every(names):
    return pytest.mark.parametrize("package", names, indirect=True)


def canvas(package, wrong):
    """Answers for the canvas of every length, with an end and cut."""
    tables = {}
    for cut in (False, True):
        for n in range(1, ROOM + 1):
            rows = [package.layout("text", ROOM).row(Example(0, b, cut=cut)) for b in strings(n)]
            law = dict(zip([tuple(row.ids) for row in rows], strings(n).values(), strict=True))
            tables |= conditionals(law, range(rows[0].start, rows[0].stop))
        empty = tuple(package.layout("text", ROOM).row(Example(0, (), cut=cut)).ids)
        tables[empty] = np.zeros((len(empty), 8))
    return Table(scrambled(tables) if wrong else tables, shift=package.spec.shift)


def costs(package, table, texts):
    """-log p of texts and lengths, and of texts given what the layout shows."""
    layout, found = package.layout("text", ROOM), []
    for example in texts:
        batch, noise = every_count(layout([example]))
        found.append(float(package.family.nelbo(table, batch, noise).nats.double().mean()))
    more = joint(layout.given, LENGTHS, texts) or [0.0] * len(texts)
    return [a + b for a, b in zip(found, more, strict=True)], found


def truth(example):
    return -log((BEGUN if example.cut else WHOLE)[tuple(example.body)])


@every(["mdlm", "llada", "mask_shifted", "remdm"])
def test_a_canvas_and_its_lengths_have_the_law_of_the_data(package):
    found, given = costs(package, canvas(package, wrong=False), TEXTS)
    assert found == pytest.approx([truth(text) for text in TEXTS], abs=1e-12)
    assert sum(exp(-nats) for nats in found) == pytest.approx(1, abs=1e-12)
    assert sum(exp(-nats) for nats in given) == pytest.approx(ROOM + 1, abs=1e-12)  # one a length
    wrong, _ = costs(package, canvas(package, wrong=True), TEXTS)
    assert sum(exp(-nats) for nats in wrong) <= 1 + 1e-12


@every(["arlm"])
def test_what_follows_has_the_same_law_as_a_canvas(package):
    """A cut text costs what its beginning does: no end is scored where there is none."""
    long = {(*body, C): p * exp(-LENGTHS.nats[-1]) for body, p in strings(ROOM).items()}
    table = Prefixes(nexts(WHOLE | long, around(package)[0]))
    found, _ = costs(package, table, TEXTS)
    assert joint(package.layout("text").given, LENGTHS, TEXTS) is None
    assert found == pytest.approx([truth(text) for text in TEXTS], abs=1e-12)
    assert sum(exp(-nats) for nats in found) == pytest.approx(1, abs=1e-12)


@every(zoo.those("(gone) weight bound"))
def test_insertions_have_the_same_law_as_a_canvas(package):
    """A cut text is ended by the room, and by no head."""
    law = {body: p for body, p in WHOLE.items() if len(body) < ROOM} | BEGUN
    logits, odds = insertion_heads(law, lambda n: n + 1, *around(package))
    odds = {state: -1.0 if len(state) == max(map(len, odds)) else z for state, z in odds.items()}
    found, _ = costs(package, Table(logits, odds), TEXTS)
    assert found == pytest.approx([truth(text) for text in TEXTS], abs=1e-11)
    assert sum(exp(-nats) for nats in found) == pytest.approx(1, abs=1e-11)


def test_the_law_of_lengths_is_proper_and_smooth():
    """Half an example more of each of room + 2 outcomes."""
    law = Lengths([2, 2, 9], 4)
    assert np.exp(-law.nats).tolist() == pytest.approx(np.array([1, 1, 5, 1, 1, 3]) / 12)
    assert law.of(Example(0, (A, B))) == pytest.approx(-log(5 / 12))
    assert law.of(Example(0, (A, B, A, B), cut=True)) == pytest.approx(-log(4 / 12))
    assert law.of_end(Example(0, (A,))) == pytest.approx(-log(9 / 12))
    assert law.of_end(Example(0, (A,) * 4, cut=True)) == pytest.approx(-log(3 / 12))
