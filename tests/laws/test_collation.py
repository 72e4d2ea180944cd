"""Collation: what a layout puts where, and that padding and prompts are only looked at."""

import re

import pytest
import torch
from laws import zoo
from laws.build import VOCAB, A, B, C
from laws.examples import examples, layouts, network
from laws.scripted import draw, loss_of, pick
from rounding import near

from xlm_runtime.plug import Example

CAPACITY = 5
LIKELY = [name for name in zoo.ALL if not zoo.SPECS[name].has("distribution")]
RIGHT = zoo.those("pad prompt right")
PROMPTED = [name for name in LIKELY if zoo.SPECS[name].has("seq2seq") and name not in RIGHT]


def of(layout, name):
    """The examples of a layout."""
    return examples(name, begins=layout.begins)


def every(names):
    return pytest.mark.parametrize("package", names, indirect=True)


def slots(spec, layout):
    """The words of a layout and whether each stands inside the brackets."""
    line = re.search(rf"^ +{layout} *: (.*)$", spec.text, re.MULTILINE)[1].split("keeping")[0]
    inside, found = False, []
    for word in re.findall(r"\[|\]|\w+", line):
        if word in "[]":
            inside = word == "["
        else:
            found.append((word, inside))
    return found


def laid_out(spec, layout, example):
    """(id, free, open to its right) of every token of one example, as the spec's line says."""
    words, row = slots(spec, layout), []
    fills = ("pad", True) in words
    for word, inside in words:
        if word in ("prompt", "body"):
            row += [[x, inside, inside] for x in getattr(example, word)]
        elif word == "pad":
            row += [[VOCAB["pad"], True, True]] * (CAPACITY - len(example.body))
        else:
            row.append([VOCAB[word], inside, inside])
    assert not fills or len([x for x in row if x[1]]) == CAPACITY + 1
    body = next(i for i, word in enumerate(words) if word[1])
    before = sum(len(example.prompt) if w == "prompt" else 1 for w, _ in words[:body])
    if before:
        row[before - 1][2] = True
    for i, given in enumerate(example.given):
        row[before + i][1] = not given
        if given and spec.has("keeping prefix"):
            row[before + i - 1][2] = False  # nothing comes before or into a beginning
    return [tuple(x) for x in row], before


@every(zoo.those("collate {"))
def test_k6_a_layout_is_what_the_spec_says(package):
    """Every token in its place, free inside the brackets only; eos as declared; padding outside."""
    for name, layout, batch in layouts(package):
        made = [laid_out(package.spec, name, example) for example in of(layout, name)]
        aligned = name == "seq2seq" and not package.spec.has("pad prompt right")
        column = max(before for _, before in made) if aligned else None
        width = max((column or before) + len(row) - before for row, before in made)
        assert batch.x0.shape[1] == width
        for i, (row, before) in enumerate(made):
            start = column - before if column is not None else 0
            seen = batch.attend[i] if batch.attend is not None else torch.ones(width).bool()
            assert seen.nonzero()[:, 0].tolist() == list(range(start, start + len(row)))
            ids = batch.x0[i][seen].tolist()
            assert ids == [token for token, _, _ in row], name
            assert batch.free[i][seen].tolist() == [free for _, free, _ in row], name
            assert batch.open[i][seen].tolist() == [gap for _, _, gap in row], name
            assert (batch.x0[i][~seen] == VOCAB["pad"]).all()
            assert not (batch.free | batch.open)[i][~seen].any()
        assert batch.example.tolist() == [example.index for example in of(layout, name)]
        predicted = {word for word, inside in slots(package.spec, name) if inside} - {"body"}
        assert set(layout.predicts) == predicted
        assert layout.fills == ("pad" in predicted)


@every(zoo.ALL)
def test_k9_only_body_tokens_and_predicted_specials_can_be_said(package):
    """Everything else has the logit -inf, masks above all."""
    for name, layout, batch in layouts(package):
        net = network(package, name)
        told = (torch.full((len(batch.x0),), 0.5),) if package.spec.has("dit(condition") else ()
        hidden = net.trunk(batch.x0, batch.attend, *told)
        head = net.slot if package.has("noise.close") else net.token
        good = head(hidden.flatten(0, 1)).isfinite()
        names = {VOCAB[special] for special in layout.predicts} | {A, B, C}
        assert good.all(0).nonzero()[:, 0].tolist() == sorted(names)
        assert torch.equal(good.all(0), good.any(0))


def nats(package, net, batch, seed=8):
    return package.family.nelbo(net, batch, draw(batch, seed)).nats


@every(LIKELY)
def test_k1_padding_changes_no_row(package):
    """A row costs the same alone and beside longer ones, left and right padding alike."""
    for name, layout, batch in layouts(package):
        net = network(package, name)
        together = nats(package, net, batch)
        for i, example in enumerate(of(layout, name)):
            alone = nats(package, net, layout([example]))
            assert float(alone) == pytest.approx(float(together[i]), rel=1e-5), (name, i)


@every(zoo.ALL)
def test_k1_padding_gets_no_gradient(package):
    """Unless it stands inside the brackets."""
    for name, layout, batch in layouts(package):
        if "pad" in layout.predicts:
            continue
        net = network(package, name)
        loss_of(package, net, batch, 2).total.backward()
        slope = net.backbone.embed.weight.grad
        assert not slope[VOCAB["pad"]].any()
        assert slope.any()


@every(zoo.ALL)
def test_k2_padding_on_the_left_shifts_nothing(package):
    """Positions count attended tokens: the hidden states of a row stay as they are."""
    net = network(package)
    xt = torch.tensor([[2, A, B, C, A]])
    told = (torch.tensor([0.4]),) if package.spec.has("dit(condition") else ()
    alone = net.trunk(xt, None, *told)
    attend = torch.ones_like(xt, dtype=torch.bool)
    for left, right in ((0, 2), (3, 0), (2, 1)):
        padded = torch.nn.functional.pad(xt, (left, right), value=VOCAB["pad"])
        seen = torch.nn.functional.pad(attend, (left, right))
        hidden = net.trunk(padded, seen, *told)
        assert near(hidden[:, left : left + 5], alone, torch.float32)
    moved = net.trunk(xt.flip(1), None, *told).flip(1)
    assert not torch.allclose(moved, alone, atol=1e-2)  # positions do matter


@every(zoo.ALL)
def test_k3_nothing_is_cut_off(package):
    """A body that does not fit is refused before anything is corrupted."""
    for name in package.family.layouts:
        layout = package.layout(name, CAPACITY)
        body = [A] * (CAPACITY + 1)
        given = [False] * len(body) if name == "infill" else ()
        with pytest.raises(ValueError, match="room for 5"):
            layout([Example(3, body, (), given)])
        fits = layout([Example(3, body[:-1], (), given[:-1])])
        assert int(fits.free.sum()) >= CAPACITY


@every(PROMPTED)
def test_k4_a_prompt_is_only_looked_at(package):
    """It is padded on the left, is never free, and ends in the column before the brackets."""
    layout = package.layout("seq2seq", CAPACITY)
    batch = layout(examples("seq2seq"))
    inside = batch.inside.any(1)
    column = torch.where(inside, batch.inside.long().argmax(1), batch.open.long().argmax(1) + 1)
    assert (column == column[0]).all()
    assert not batch.free[:, : int(column[0])].any()
    for i, example in enumerate(examples("seq2seq")):
        before = batch.x0[i, : int(column[0])].tolist()
        assert [x for x in before if x >= A] == list(example.prompt)
        if batch.attend is not None and layout.row(examples("seq2seq")[i]).start:
            assert batch.attend[i, int(column[0]) - 1]
    net = network(package, "seq2seq")
    changed = pick(batch, slice(None))
    changed.x0[2:, : int(column[0])] = torch.where(
        changed.x0[2:, : int(column[0])] >= A, A, changed.x0[2:, : int(column[0])]
    )
    assert package.family.nelbo(net, changed, draw(batch)).nats.isfinite().all()
