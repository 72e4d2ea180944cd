"""A text that is cut has no end: not in its row, not in the loss, not in its likelihood."""

import pytest
from laws.build import VOCAB, A, B
from laws.examples import network
from laws.scripted import corrupted, draw, pick

from xlm_runtime.plug import Example

ROOM = 4
BODY = (A, B, B, A)


def every(names):
    return pytest.mark.parametrize("package", names, indirect=True)


@every(["mdlm", "dream", "arlm", "ilm", "flexmdm"])
def test_no_layout_ends_what_is_cut(package):
    """Nor pads it: where an `eos` is predicted the row is full without it."""
    for name, klass in package.family.layouts.items():
        layout, given = klass(VOCAB, ROOM), (True, False, False, False) if name == "infill" else ()
        whole, cut = (layout.row(Example(0, BODY, (A,), given, cut=c)) for c in (False, True))
        end = [VOCAB["eos"]] if "eos" in package.family.specials else []
        assert list(whole.ids) == [*cut.ids, *end]
        assert list(cut.ids)[cut.start : cut.stop] == list(BODY)
        assert layout([Example(0, BODY, (A,), given, cut=True)]).cut.all()


@every(["ilm", "gone_t", "gone_balanced"])
def test_a_cut_row_is_never_complete(package):
    """The head that says so learns from it only that something is missing, where that is so."""
    net, layout = network(package), package.layout("text", ROOM)
    whole, cut = (layout([Example(i, BODY, cut=c) for i in range(40)]) for c in (False, True))
    noised = corrupted(package, whole, draw(whole))
    terms = [package.family.loss(net, noised, batch).terms for batch in (whole, cut)]
    (stop,) = (head for head in terms[0] if terms[0][head] != terms[1][head])
    done = noised.count == 0
    assert done.any()
    assert not done.all()
    for batch, expected in ((whole, True), (cut, False)):
        rows = pick(noised, done), pick(batch, done)
        assert (package.family.loss(net, *rows).terms[stop] > 0) == expected
