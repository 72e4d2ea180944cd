"""Guidance: logits led away from those to a row whose prompt is hidden."""

from dataclasses import replace
from math import inf

import pytest
import torch
from laws.build import VOCAB, A, B
from laws.decoded import LIMIT, bodies, every, made, samplers
from laws.examples import examples, layouts, network
from laws.scripted import draw, pick, repeat
from laws.stats import samples_of
from laws.table import Table, conditionals, normalised

from xlm_runtime.plug import Example

LED = [("mask_guided", "default"), ("mask_guided", "single"), ("llada", "default")]
LED += [("llada", "threshold"), ("llada", "confident")]
MASK = VOCAB["mask"]
WIDE = ("x0", "inside", "free", "open", "attend")
# (prompt, body): what is likely depends on the prompt
JOINT = {(A, A): 0.4, (A, B): 0.1, (B, A): 0.2, (B, B): 0.3}


def scale_of(package, name, scale):
    """The param of the scale."""
    return {"cfg_scale" if package.spec.has("cfg_scale") else "w": scale}


@samplers(LED)
def test_d10_a_scale_of_0_is_the_identity_and_takes_one_call(package, name):
    """Rows without a prompt are not led either, whatever the scale; a second call is counted."""
    net = network(package, "seq2seq")
    batch = package.layout("seq2seq", 5)(examples("seq2seq"))
    plain = package.sampler(name, **scale_of(package, name, 0.0))(net, batch, draw(batch), LIMIT)
    led = package.sampler(name, **scale_of(package, name, 2.0))(net, batch, draw(batch), LIMIT)
    calls = [nfe for _, nfe in made(plain)]
    assert made(plain) != made(led)
    if name == "default" and package.spec.has("unguided"):
        same = package.sampler("unguided")(net, batch, draw(batch), LIMIT)
        assert made(same) == made(plain)
    text = package.layout("text", 5)(examples("text"))
    rows = [
        made(package.sampler(name, **scale_of(package, name, w))(net, text, draw(text), LIMIT))
        for w in (0.0, 2.0)
    ]
    assert [body for body, _ in rows[0]] == [body for body, _ in rows[1]]
    assert [2 * nfe for _, nfe in rows[0]] == [nfe for _, nfe in rows[1]]
    assert max(calls) <= 2 * LIMIT


@every(["mask_guided"])
@pytest.mark.parametrize("scale", [0.0, 0.5, 2.0])
def test_d10_led_samples_follow_the_law_that_the_scale_says(package, scale):
    """p(x | prompt)**(w + 1) / p(x)**w, normalised; and as many calls as were made."""
    batch = package.layout("seq2seq", 0)([Example(0, (), (A,))])
    row = tuple(batch.x0[0].tolist())
    target = int(batch.free[0].nonzero()[0, 0])
    places = list(range(target))
    law = {}
    for (prompt, body), p in JOINT.items():
        whole = [prompt if x == A else x for x in row]
        whole[target] = body
        law[tuple(whole)] = p
    table = Table(conditionals(law, [*places, target]))
    batch = repeat(batch, 6000)
    decoded = package.sampler("single", w=scale)(table, batch, draw(batch, 43), LIMIT)
    known = {x: JOINT[A, x] / 0.5 for x in (A, B)}
    blind = {x: JOINT[A, x] + JOINT[B, x] for x in (A, B)}
    expected = normalised({(x,): known[x] ** (scale + 1) / blind[x] ** scale for x in (A, B)})
    samples_of(bodies(decoded), expected)
    assert table.rows == int(decoded.nfe.sum()) == 6000 * (2 if scale else 1)


@samplers([*LED, ("mask_guided", "half")])
def test_the_whole_prompt_is_hidden_and_nothing_else(package, name):
    """With its specials, as in LLaDA's own code; not padding, nor what is given inside.

    ``un_x[prompt_index] = mask_id`` in generate.py of ML-GSAI/LLaDA. A row without a prompt has
    nothing to hide: its specials are those of any text.
    """
    layout = "infill" if name == "half" else "seq2seq"
    rows = examples(layout)
    if layout == "seq2seq":  # a chat template has specials of its own
        rows += [Example(90, (A,), (VOCAB["bos"], A, VOCAB["eos"])), Example(91, (A, B), ())]
    batch = package.layout(layout, 5)(rows)
    net, seen = network(package, layout), []
    trunk = net.trunk
    net.trunk = lambda xt, *more: seen.append(xt) or trunk(xt, *more)
    more = {} if name == "half" else scale_of(package, name, 1.0)
    # one row at a time: then every state belongs to it
    for i in range(len(batch.x0)):
        row = pick(batch, slice(i, i + 1))
        if row.attend is not None:  # padding is cut off before the network sees it
            columns = row.attend[0].nonzero()[:, 0]
            cut = slice(int(columns[0]), int(columns[-1]) + 1)
            named = {name: getattr(row, name)[:, cut] for name in WIDE}
            row = replace(row, **named)
        seen.clear()
        package.sampler(name, **more)(net, row, draw(row), LIMIT)
        fixed = ~row.free[0]
        hidden = fixed & row.inside[0]
        if name != "half":
            attend = torch.ones_like(fixed) if row.attend is None else row.attend[0].bool()
            before = row.inside[0].cumsum(0) == 0
            hidden = before & attend & bool(rows[i].prompt)
        for known, blind in zip(seen[::2], seen[1::2], strict=True):
            assert torch.equal(known[0, fixed], row.x0[0, fixed])
            assert torch.equal(known[0, row.free[0]], blind[0, row.free[0]])
            assert (blind[0, hidden] == MASK).all()
            assert torch.equal(blind[0, fixed & ~hidden], row.x0[0, fixed & ~hidden])


@samplers([("both_led_again", "default"), ("next_led", "kept")])
@pytest.mark.parametrize("scale", [0.0, 0.7])
def test_what_is_used_again_is_the_same_with_guidance(package, name, scale):
    """Answers to rows with and without their prompts, and keys and values of either."""
    anew, params = ("default", {}) if name == "kept" else ("anew", {"steps": 12})
    for layout, _, batch in layouts(package):
        net = network(package, layout)
        samplers = (package.sampler(one, w=scale, **params) for one in (name, anew))
        (fewer, some), (plain, all_) = (counted(one, net, batch) for one in samplers)
        assert all(map(torch.equal, fewer.history, plain.history))
        assert torch.equal(fewer.x, plain.x)
        assert some < all_
        if name == "kept":  # each token once, with a prompt and without
            assert torch.equal(fewer.nfe, plain.nfe)
            assert some <= (2 if scale else 1) * fewer.x.numel()


def counted(sampler, net, batch):
    """Return a sample, and how many tokens went through the network for it."""
    seen = []
    embed = net.backbone.embed
    hook = embed.register_forward_hook(lambda _, given, __: seen.append(given[0].numel()))
    made = sampler(net, batch, draw(batch, 3), LIMIT, record=True)
    hook.remove()
    return made, sum(seen)


@every(["mask_guided"])
def test_d10_what_is_impossible_stays_impossible(package):
    logits = torch.tensor([[0.0, -inf, 1.0], [2.0, 0.5, -inf]])
    blind = torch.tensor([[0.5, -inf, 0.0], [0.0, 0.5, -inf]])
    found = package.guidance.steered(logits, blind, 2.0)
    assert found.tolist() == [[-1.0, -inf, 3.0], [6.0, 0.5, -inf]]
    assert torch.equal(package.guidance.steered(logits, logits, 2.0), logits)
    assert torch.equal(package.guidance.steered(logits, blind, 0.0), logits)
