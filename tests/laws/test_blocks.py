"""Decoding block by block: each block of a row from its own masks, with its share of the steps."""

import itertools
from math import ceil

import pytest
import torch
from laws.build import VOCAB, A, B
from laws.decoded import LIMIT, apart, bodies, every, filled, grown, mask_table, samplers, shares
from laws.examples import MIXED, examples, network, strings, tokens
from laws.scripted import draw
from laws.stats import distance, samples_of

from xlm_runtime.plug import Example

BLOCKED = [("mask_blocks", name) for name in ("default", "by_chance", "single", "leftmost")]
BLOCKED += [("llada", name) for name in ("default", "threshold", "bounded", "confident")]
GRIDS = [("mask_blocks", "default"), ("mask_blocks", "by_chance"), ("llada", "default")]
MASK = VOCAB["mask"]


def size_of(package, name, size):
    """The params that choose a size of blocks; one decoder has its own."""
    if name == "leftmost":
        return {}
    return {"block_length" if package.spec.has("block_length") else "size": size}


def block_of(free, size):
    """The block of each free place of a row, counted from the left; -1 elsewhere."""
    count, found = 0, []
    for is_free in free.tolist():
        found.append(count // size if is_free else -1)
        count += is_free
    return found


@samplers(BLOCKED)
@pytest.mark.parametrize("layout", ["text", "seq2seq", "infill"])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_d20_a_block_is_begun_when_the_one_before_is_full(package, name, layout, size):
    """In every row, counted over its own free places, given ones left out."""
    batch = package.layout(layout, 5)(examples(layout))
    sampler = package.sampler(name, **size_of(package, name, size))
    decoded = sampler(network(package, layout), batch, draw(batch, 3), LIMIT, record=True)
    size = 1 if name == "leftmost" else size
    for before, after in itertools.pairwise(decoded.history):
        for i, free in enumerate(batch.free):
            block = torch.tensor(block_of(free, size))
            hidden = before[i] == MASK
            new = hidden & (after[i] != MASK)
            assert not new.any() or (block[new] == block[hidden & free].min()).all()
    assert not (decoded.x == MASK).any()


@every(["dream"])
@pytest.mark.parametrize("steps", [16, 20, 32, 48, 128])
def test_d7_a_quota_by_the_time_loses_nothing_to_rounding(package, steps):
    """As many steps as masks in a block: one mask a step, however the times are rounded."""
    batch = package.layout("text", steps)([Example(0, (A,) * (steps - 1))])  # eos is the last
    places = int(batch.free.sum())
    sampler = package.sampler("blockwise", steps=places, block_length=places)
    decoded = sampler(network(package), batch, draw(batch, 3), LIMIT, record=True)
    left = [int((x == MASK).sum()) for x in decoded.history]
    assert left == list(range(places, -1, -1))


@samplers(GRIDS)
@pytest.mark.parametrize("size", [1, 2, 3, 8])
@pytest.mark.parametrize("steps", [1, 4, 7, 10])
def test_d7_the_steps_of_a_row_are_shared_over_its_blocks(package, name, size, steps):
    """Block k ends with step ceil((k + 1) S / K); a row of K > S blocks takes K steps."""
    batch = package.layout("infill", 5)(examples("infill"))
    sampler = package.sampler(name, steps=steps, **size_of(package, name, size))
    decoded = sampler(network(package, "infill"), batch, draw(batch), LIMIT, record=True)
    longest = 0
    for i, free in enumerate(batch.free):
        blocks = max(1, ceil(int(free.sum()) / size))
        own = max(steps, blocks)
        longest = max(longest, own)
        block = torch.tensor(block_of(free, size))
        for k in range(blocks):
            end = min(ceil((k + 1) * own / blocks), len(decoded.history) - 1)
            assert not (decoded.history[end][i] == MASK)[block == k].any()
    assert len(decoded.history) <= longest + 1


@every(["mask_blocks"])
def test_d7_quotas_of_blocks(package):
    """floor(masked of the block / steps left for it): 5 places by 2 in 7 steps, and by 3 in 5."""
    for size, steps, left in ((2, 7, [5, 5, 4, 3, 2, 1, 1, 0]), (3, 5, [5, 4, 3, 2, 1, 0])):
        batch = package.layout("text", 5)([e for e in examples("text") if len(e.body) == 5])
        sampler = package.sampler(size=size, steps=steps)
        decoded = sampler(network(package), batch, draw(batch), LIMIT, record=True)
        for i in range(len(batch.x0)):
            assert [int((state[i] == MASK).sum()) for state in decoded.history] == left


@every(["mask_blocks"])
def test_d20_one_block_is_no_block(package):
    """A block as long as the row changes nothing, whatever the rule."""
    for blocked, whole in (("default", "whole"), ("by_chance", "ancestral")):
        batch = package.layout("infill", 5)(examples("infill"))
        net = network(package, "infill")
        made = [
            package.quick(name, **more)(net, batch, draw(batch, 4), LIMIT, record=True)
            for name, more in ((blocked, {"size": 5}), (whole, {}))
        ]
        assert torch.equal(made[0].nfe, made[1].nfe)
        states = zip(made[0].history, made[1].history, strict=True)
        assert all(torch.equal(*pair) for pair in states)


@samplers([("mask_blocks", "leftmost"), ("llada", "confident")])
def test_d20_blocks_of_one_are_greedy_from_left_to_right(package, name):
    """Each token is the likeliest after those before it, the ones to its right unseen."""
    law = strings(3)
    table = mask_table(package, law)
    more = {"block_length": 1} if name == "confident" else {}
    _, decoded = filled(package, table, package.quick(name, **more), 3, rows=3)
    body = ()
    for i in range(3):
        weight = {
            token: sum(p for row, p in law.items() if row[: i + 1] == (*body, token))
            for token in (A, B)
        }
        body = (*body, max(weight, key=weight.__getitem__))
    assert bodies(decoded) == {body: 3}
    assert (decoded.nfe == 3).all()


@every(["mask_blocks"])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_d3_one_token_a_step_block_by_block_gives_the_data(package, size):
    law = strings(3)
    _, decoded = filled(package, mask_table(package, law), package.sampler("single", size=size), 3)
    samples_of(bodies(decoded), law)


@every(["mask_blocks"])
def test_d1_every_block_walks_the_whole_clock(package):
    """Blocks of one token, two steps each: reveal(1/2, 1) = (1/2)**2, then the rest: exact."""
    law = {(A, A): 0.45, (B, B): 0.35, (A, B): 0.12, (B, A): 0.08}
    table = mask_table(package, law)
    _, decoded = filled(
        package, table, package.sampler("by_chance", size=1, steps=4), 2, record=True
    )
    samples_of(bodies(decoded), law)
    first = (decoded.history[1] != MASK)[:, 1].double()
    assert float(first.mean()) == pytest.approx(0.25, abs=0.02)
    same = sum(share**2 for share in shares(package.spec, 4))
    _, decoded = filled(package, table, package.sampler("by_chance", size=2, steps=4), 2)
    product = apart(law)
    samples_of(bodies(decoded), {row: same * product[row] + (1 - same) * law[row] for row in law})


@every(["mask_blocks"])
def test_what_a_block_leaves_over_comes_later(package):
    """A rule that ends no block leaves masks, which the next steps and the finish reveal."""
    law = strings(3)
    table = mask_table(package, law)
    sampler = package.sampler("slow", size=1, steps=3)
    _, decoded = filled(package, table, sampler, 3, rows=400, record=True)
    last = decoded.history[-2] == MASK
    assert last.any()
    assert not (decoded.x == MASK).any()
    assert len(bodies(decoded)) == len(law)


# Rows that grow


@pytest.mark.parametrize(
    ("package", "name", "size"),
    [("both_back", "windowed", 1), ("both_back", "windowed", 2), ("both_back", "one_by_one", 1)],
    indirect=["package"],
)
def test_d20_rows_that_grow_are_revealed_from_the_left(package, name, size):
    """In a step in which nothing comes: of the free places the first block that has a mask."""
    params, seen, waiting = {"size": size} if name == "windowed" else {}, 0, 0
    _, decoded = grown(package, name, strings(3), 400, steps=12, **params)
    for before, after in itertools.pairwise(decoded.history[:13]):
        for old, new in zip(map(tokens, before), map(tokens, after), strict=True):
            if len(old) != len(new) or MASK not in old:
                continue
            free = old[1:-1]
            block = free.index(MASK) // size
            shown = {i // size for i, x in enumerate(free) if x == MASK != new[1 + i]}
            assert shown <= {block}
            seen += bool(shown)
            waiting += any(x == MASK and i // size > block for i, x in enumerate(free))
    assert min(seen, waiting) > 50
    assert not (decoded.x == MASK).any()


@every(["both_back"])
def test_d20_one_block_of_a_row_that_grows_is_no_block(package):
    whole, blocked = (
        grown(package, name, MIXED, 400, steps=6, **more)[1]
        for name, more in (("plain", {}), ("windowed", {"size": LIMIT}))
    )
    assert torch.equal(whole.nfe, blocked.nfe)
    assert all(torch.equal(*pair) for pair in zip(whole.history, blocked.history, strict=True))


@every(["both_back"])
def test_d2_rows_that_grow_from_the_left_come_closer_to_the_data(package):
    """Masks come as before, and any order of revealing one at a time is exact."""
    few, many = (
        distance(bodies(grown(package, "one_by_one", MIXED, 1_000, steps=steps)[1]), MIXED)
        for steps in (6, 40)
    )
    assert few < 0.65
    assert many < 0.45 * few
