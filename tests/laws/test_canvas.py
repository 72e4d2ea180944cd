"""The state of decoders: no step reads the network's answer to another state."""

import pytest
import torch
from laws.examples import layouts, network
from laws.scripted import draw

from xlm_runtime.plug import Noise

EDITS = {
    "write": lambda canvas: canvas.write(canvas.free, canvas.x[canvas.free]),
    "mask": lambda canvas: canvas.mask(canvas.free),
    "remove": lambda canvas: canvas.remove(canvas.free),
    "close": lambda canvas: canvas.close(torch.ones_like(canvas.calls, dtype=torch.bool)),
    "close_full": lambda canvas: canvas.close_full(),
    "insert": lambda canvas: canvas.insert(canvas.open.long(), 5),
    "insert_one": lambda canvas: canvas.insert_one(
        canvas.open.long().argmax(1), canvas.calls, canvas.open.any(1)
    ),
    "append_one": lambda canvas: canvas.append_one(canvas.calls),
    "select": lambda canvas: canvas.select(torch.zeros(1, dtype=torch.long)),
}
SPECS = ("dream", "remdm", "ilm", "flexmdm", "arlm")


def at_start(package):
    """The default decoder, its state before the first step, and the first tick."""
    layout, _, batch = layouts(package)[0]
    sampler = package.sampler("default")
    canvas = sampler.start(
        sampler.canvas.of(network(package, layout), batch, 8), Noise(0, batch.example)
    )
    return canvas, next(iter(sampler.ticks(canvas, draw(batch))))


@pytest.mark.parametrize("name", SPECS)
def test_d33_an_edit_drops_the_answer_of_the_network(workshop, name):
    canvas, tick = at_start(workshop.package(name))
    asked = canvas.query(tick)
    assert asked.answer is not None
    edits = [edit for edit in EDITS if hasattr(canvas, edit)]
    assert len(edits) >= 3
    for edit in edits:
        assert EDITS[edit](asked).answer is None, edit


def test_every_edit_is_one_of_some_package(workshop):
    canvases = [at_start(workshop.package(name))[0] for name in SPECS]
    assert {edit for edit in EDITS if any(hasattr(one, edit) for one in canvases)} == {*EDITS}


def test_d33_a_read_behind_an_edit_is_refused(workshop):
    canvas, tick = at_start(workshop.package("dream"))
    edited = EDITS["write"](canvas.query(tick))
    with pytest.raises(AssertionError, match="an edit came between"):
        edited.hidden(edited.free)
