"""The source of randomness: equal draws for equal names, independent ones for any others."""

import torch
from laws.stats import follows

from xlm_runtime.plug import Noise

ROWS = torch.arange(4000)


def pairs(a, b, cells=6):
    """Two sets of draws are independent and uniform together."""
    joint = (a.flatten() * cells).long() * cells + (b.flatten() * cells).long()
    follows(torch.bincount(joint, minlength=cells**2).tolist(), [1 / cells**2] * cells**2)


def test_draws_are_uniform_on_the_unit_interval():
    u = Noise(1, ROWS).uniform("token", 5)
    assert u.shape == (4000, 5)
    assert u.dtype == torch.float64
    assert u.min() >= 0
    assert u.max() < 1
    follows(torch.histc(u, 64, 0, 1).tolist(), [1 / 64] * 64)
    fine = (u * 2**30).long() % 64  # low bits are random, too
    follows(torch.bincount(fine.flatten(), minlength=64).tolist(), [1 / 64] * 64)


def test_equal_names_give_equal_draws():
    noise = Noise(3, ROWS, 5)
    again = Noise(3, ROWS).at(5)
    assert torch.equal(noise.uniform("a", 4), again.uniform("a", 4))
    some = torch.tensor([7, 3, 900])
    assert torch.equal(noise.rows(some).uniform("a", 4), noise.uniform("a", 4)[some])
    assert torch.equal(noise.uniform("a", 9)[:, :4], noise.uniform("a", 4))
    chosen = ROWS % 2 == 0
    assert torch.equal(noise.rows(chosen).uniform("a"), noise.uniform("a")[chosen])
    places = torch.tensor([[2, 0, 1]]).expand(4000, 3)
    assert torch.equal(noise.uniform("a", places), noise.uniform("a", 3)[:, [2, 0, 1]])


def test_other_names_give_independent_draws():
    noise = Noise(3, ROWS, 5)
    u = noise.uniform("a", 2)
    pairs(u[:, 0], u[:, 1])
    pairs(u, noise.uniform("b", 2))
    pairs(u, noise.at(6).uniform("a", 2))
    pairs(u, Noise(4, ROWS, 5).uniform("a", 2))
    pairs(u, Noise(3, ROWS + 4000, 5).uniform("a", 2))
    pairs(u[:-1], u[1:])
    # names that add up to the same number
    pairs(Noise(3, ROWS + 1, 5).uniform("a"), Noise(4, ROWS, 5).uniform("a"))
    pairs(Noise(3, ROWS + 1, 5).uniform("a"), Noise(3, ROWS, 6).uniform("a"))
    pairs(u[:, 1:], noise.at(6).uniform("a", 1))


def test_steps_of_one_row_are_independent():
    one = torch.tensor([12])
    u = torch.cat([Noise(9, one, step).uniform("a", 3) for step in range(4000)])
    follows(torch.histc(u, 32, 0, 1).tolist(), [1 / 32] * 32)
    pairs(u[:-1, 0], u[1:, 0])
    pairs(u[:-1, 1], u[1:, 0])


def test_an_antithetic_draw_is_uniform_and_belongs_to_no_row():
    shared = torch.cat([Noise(9, ROWS[:1], s).antithetic("a") for s in range(4000)])
    follows(torch.histc(shared, 32, 0, 1).tolist(), [1 / 32] * 32)
    rows = torch.cat([Noise(9, ROWS[:1], s).uniform("a")[:, 0] for s in range(4000)])
    pairs(shared, rows)


def test_spread_draws_are_those_of_the_whole_batch_whatever_its_parts():
    for spread in (Noise.stratified, Noise.antithetic):
        whole = spread(Noise(3, ROWS[:12], 5), "a")
        parts = [Noise(3, ROWS[4 * i : 4 * i + 4], 5, i, 3) for i in range(3)]
        assert torch.equal(torch.cat([spread(part, "a") for part in parts]), whole)
        assert (whole * 12).floor().sort().values.tolist() == list(range(12))
