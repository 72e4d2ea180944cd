"""Tokens that are replaced by surer ones, until a step changes nothing."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise, product

import pytest
import torch
from laws.blocks import counted, sized
from laws.build import VOCAB, A, B, C, Package, Workshop
from laws.examples import layouts, network
from laws.fixed import LAWS, Fixed, enumerated
from laws.scripted import alone, draw, repeat
from laws.stats import follows, samples_of

from xlm_runtime.plug import Example

MASK, EOS, PAD = (VOCAB[name] for name in ("mask", "eos", "pad"))
ROOM = 7
COLD = {"temperature": 0.0, "tau": 0.6, "edit": 0.3, "steps": 6}


@pytest.fixture
def package(workshop: Workshop) -> Package:
    return sized(workshop.package("llada2"), 3)


@pytest.fixture
def mended(workshop: Workshop) -> Package:
    return workshop.package("bert_mended")


def unsure(package: Package, seed: int):
    """A network of random weights that is seldom sure, and seldom ends a text."""
    net = network(package, seed=seed)
    with torch.no_grad():
        net.to_token.bias[EOS] -= 1.5
    return net


def chances(net, ids, free):
    """The law of each place of one row, computed without a cache."""
    row, where = torch.tensor([ids]), torch.tensor([free])
    block = net.blocks(where)
    with torch.no_grad():
        return net.token(net.extend(row, None, block)[0][0]).softmax(-1)


def by_hand(net, size, tau, edit, steps, **_):
    """The greedy text of one row, the calls, and how many tokens were replaced."""
    body, calls, replaced, room = [], 0, 0, ROOM + 1
    while len(body) < room and EOS not in body:
        block, still = [MASK] * min(size, room - len(body)), False
        for left in range(steps, 0, -1):
            if still:
                continue
            ids = [VOCAB["bos"], *body, *block]
            law = chances(net, ids, [False] + [True] * (len(ids) - 1))[-len(block) :]
            sure, likeliest = law.max(-1)
            calls, before, masked = calls + 1, list(block), block.count(MASK)
            order = sorted(
                (i for i in range(len(block)) if block[i] == MASK), key=lambda i: -sure[i]
            )
            few = -(-masked // left)
            for rank, i in enumerate(order):
                if rank < few or sure[i] > tau:
                    block[i] = int(likeliest[i])
            for i, token in enumerate(before):
                if token not in (MASK, int(likeliest[i])) and sure[i] > edit:
                    block[i] = int(likeliest[i])
                    replaced += 1
            still = block == before and MASK not in block
        body += block
    return body, calls, replaced


@pytest.mark.parametrize("size", [1, 2, 3, 8])
@pytest.mark.parametrize("edit", [0.2, 0.35])
def test_d40_a_block_is_edited_until_a_step_changes_nothing(package, size, edit) -> None:
    """Against a decoder of plain Python, which computes every row anew: text and calls."""
    package, seen = sized(package, size), 0
    for seed, steps in product(range(6), (1, 3, 9)):
        net = unsure(package, seed)
        told = {**COLD, "edit": edit, "steps": steps}
        body, calls, replaced = by_hand(net, size, **told)
        batch = package.layout("text", ROOM)([Example(seed, ())])
        made = package.sampler(**told)(net, batch, draw(batch), ROOM)
        assert made.x[0][made.body[0]].tolist() == body
        assert int(made.nfe[0]) == calls
        seen += replaced
    assert seen > 0 or size < 3


def test_d40_where_no_token_is_sure_enough_nothing_is_replaced(package) -> None:
    """The text of the decoder without edits; a call more a block sees that nothing changes."""
    batch = package.layout("text", ROOM)([Example(i, ()) for i in range(12)])
    net = unsure(package, 4)
    one = package.sampler(edit=1.0, steps=6)(net, batch, draw(batch), ROOM)
    other = package.sampler("plain", steps=6)(net, batch, draw(batch), ROOM)
    assert torch.equal(one.x, other.x)
    blocks = (one.body.sum(1) + 2) // 3
    assert torch.equal(one.nfe, other.nfe + blocks)


def test_d40_only_tokens_of_the_last_block_change(package) -> None:
    example = Example(0, (A, B, C), (), (True, True, False))
    batch = repeat(package.layout("infill", 9)([example]), 30)
    net = unsure(package, 2)
    with torch.no_grad():
        net.to_token.bias[[EOS, PAD]] = -1e9
    made = package.sampler(edit=0.1, steps=5)(net, batch, draw(batch), 9, record=True)
    changed = 0
    for i in range(30):
        states = [[x for x in state[i].tolist() if x != PAD] for state in made.history]
        done = len(states[0])
        for before, after in pairwise(states):
            done = len(before) if len(after) > len(before) else done
            assert after[:done] == before[:done]
            changed += sum(x not in (y, MASK) for x, y in zip(before, after, strict=False))
    assert changed > 30


@pytest.mark.parametrize("size", [1, 2, 3])
def test_d40_cached_and_uncached_edits_are_equal(package, size) -> None:
    """A block is kept when it is done, not when it holds no mask; at odds between rows, too."""
    package = sized(package, size)
    many = package.layout("text", 15)([Example(i, ()) for i in range(24)])
    for kind, batch in [*((kind, batch) for kind, _, batch in layouts(package)), ("text", many)]:
        made = []
        for canvas in (package.mending.ResumingSettling, package.mending.Settling):
            net, columns = counted(network(package, kind))
            with torch.no_grad():
                net.to_token.bias[EOS] -= 2
            sampler = package.sampler(steps=5, edit=0.2)
            object.__setattr__(sampler, "canvas", canvas)
            made.append((sampler(net, batch, draw(batch), 5), sum(columns)))
        (one, fewer), (other, more) = made
        for a, b in zip(one.x, other.x, strict=True):
            assert a[a != PAD].tolist() == b[b != PAD].tolist()
        assert torch.equal(one.nfe, other.nfe)
        assert fewer < more


def test_d40_rows_beside_others_change_nothing(package) -> None:
    for kind, _, batch in layouts(package):
        net, sampler = network(package, kind), package.sampler(steps=5, edit=0.2)
        together = sampler(net, batch, draw(batch), 5)
        for i in range(len(batch.x0)):
            example = replace(draw(batch), example=batch.example[i : i + 1])
            made = sampler(net, alone(batch, i), example, 5)
            seen = together.x[i][together.x[i] != PAD].tolist()
            assert made.x[0][made.x[0] != PAD].tolist() == seen
            assert int(made.nfe[0]) == int(together.nfe[i])


def stepped(package: Package, name: str, body, net, rows=20_000, **params):
    """The bodies of many rows after one step from a row without masks."""
    batch = repeat(package.layout("text", len(body))([Example(0, body)]), rows)
    sampler = package.sampler(name, **params)
    canvas = sampler.canvas.of(net, batch, len(body))
    (tick, *_) = sampler.ticks(canvas, draw(batch))
    after = sampler.step(canvas, tick, draw(batch))
    return Counter(map(tuple, after.x[:, 1 : 1 + len(body)].tolist()))


@pytest.mark.parametrize("body", [(A, A, A), (B, A, C)])
@pytest.mark.parametrize("edit", [0.4, 0.47, 0.95])
def test_d40_an_edit_has_the_law_of_all_draws_above_its_threshold(mended, body, edit) -> None:
    """A token is drawn for each place; another one replaces what is there where it is sure."""
    top = [max(one.values()) for one in LAWS]
    law = enumerated(body, lambda _, other: [i for i in other if top[i] > edit])
    samples_of(stepped(mended, "default", body, Fixed(*LAWS), edit=edit), law)


@pytest.mark.parametrize("body", [(A, A, A), (B, A, C)])
def test_d40_one_edit_is_that_of_the_likeliest_token_drawn(mended, body) -> None:
    """`one by confidence of sampled`: among the tokens that would change, the surest draw."""

    def best(tokens, other):
        return sorted(other, key=lambda i: (-LAWS[i][tokens[i]], i))[:1]

    samples_of(stepped(mended, "leading", body, Fixed(*LAWS)), enumerated(body, best))


def test_d40_a_quota_goes_by_the_score_of_the_place(mended) -> None:
    """`quota 1 by margin`: .8 before .2 before .05."""

    def widest(_, other):
        return [i for i in (1, 2, 0) if i in other][:1]

    found = stepped(mended, "worst", (A, A, A), Fixed(*LAWS))
    samples_of(found, enumerated((A, A, A), widest))


@pytest.mark.parametrize("name", ["default", "worst", "leading", "blocky"])
def test_d40_rows_of_fixed_places_end_when_nothing_changes_or_the_grid_has_ended(
    mended, name
) -> None:
    batch = mended.layout("text", 6)([Example(i, (A,) * 6) for i in range(40)])
    net = network(mended, seed=3)
    cold = mended.sampler(name, temperature=0.0, steps=40)
    made = cold(net, batch, draw(batch), 6, record=True)
    assert not (made.x == MASK).any()
    assert int(made.nfe.max()) < 40
    last = made.x.clone()
    again = cold.canvas.of(net, replace(batch, x0=last), 6)
    (*_, tick) = cold.ticks(again, draw(batch))
    assert torch.equal(cold.step(again, tick, draw(batch)).x, last)
    keen = {"edit": 0.0} if name in ("default", "blocky") else {}
    warm = mended.sampler(name, temperature=1.0, steps=9, **keen)(net, batch, draw(batch), 6)
    assert int(warm.nfe.max()) <= 9
    assert not (warm.x == MASK).any()


def test_d40_beside_remasking_a_row_goes_on_to_the_end_of_the_grid(mended) -> None:
    batch = mended.layout("text", 4)([Example(i, (A,) * 4) for i in range(40)])
    sampler = mended.sampler("again", steps=7)
    made = sampler(network(mended), batch, draw(batch), 4, record=True)
    assert not (made.x == MASK).any()
    assert len(made.history) >= 1 + 7


@pytest.mark.parametrize("t", [0.3, 0.9])
def test_c14_each_block_is_struck_by_a_time_of_its_own(package, t) -> None:
    """Of the struck tokens of a block .1 are random and .1 stay; the time is that of the block."""
    package = sized(package, 2)
    batch = repeat(
        package.layout("infill", 4)([Example(0, (A, B, A, B), (), (True, False, False, False))]),
        40_000,
    )
    free = batch.free[0].nonzero()[:, 0].tolist()
    times = torch.full(batch.x0.shape, 0.5, dtype=torch.float64)
    times[:, free[:2]] = t
    noised = package.family.corrupt(batch, times, draw(batch), VOCAB)
    for place, lost in ((free[0], t), (free[2], 0.5)):
        struck = noised.struck[:, place]
        follows([int(struck.sum()), int((~struck).sum())], [lost, 1 - lost])
        x0 = int(batch.x0[0, place])
        counts = Counter(noised.xt[struck, place].tolist())
        law = {x: 0.1 / 3 + 0.1 * (x == x0) for x in (A, B, C)} | {MASK: 0.8}
        follows([counts[x] for x in law], list(law.values()))
    assert not noised.struck[:, : free[0]].any()
    assert (noised.masked == (noised.xt == MASK)).all()
    drawn = package.family.amount(batch, draw(batch))
    assert torch.equal(drawn[:, free[0]], drawn[:, free[1]])
    assert not torch.equal(drawn[:, free[0]], drawn[:, free[2]])


def test_l28_all_struck_tokens_of_blocks_are_asked_for(package) -> None:
    """-log p of each over the time of its block, a mean over free tokens."""
    net = network(package)
    batch = package.layout("text", 5)([Example(i, [A, B, C, A, B][: i % 6]) for i in range(12)])
    noised = package.family.corrupt(
        batch, package.family.amount(batch, draw(batch)), draw(batch), VOCAB
    )
    with torch.no_grad():
        found = float(package.family.loss(net, noised, batch).total)
        hidden = net.trunk(noised.xt, batch.attend, noised.block, batch.x0)
        nll = -net.token(hidden).log_softmax(-1).gather(2, batch.x0[:, :, None])[:, :, 0]
    cost = torch.where(noised.struck, nll / noised.t, 0).sum() / batch.free.sum()
    assert found == pytest.approx(float(cost), rel=1e-6)


def test_l28_the_likelihood_of_struck_blocks_is_that_of_masked_ones(package, workshop) -> None:
    plain = sized(workshop.package("bd3lm_rotary"), 3)
    batch = package.layout("text", 5)([Example(i, [A, B, C, A, B][: i % 6]) for i in range(12)])
    nats = [one.family.nelbo(network(one), batch, draw(batch)).nats for one in (package, plain)]
    assert torch.equal(*nats)
    assert package.family.claim.value == "bound"
