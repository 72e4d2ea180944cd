"""Decoders with exact tables: the laws of what they make, and what they may not touch."""

import itertools
from collections import Counter
from math import inf, log

import numpy as np
import pytest
import torch
from laws import zoo
from laws.build import VOCAB, A, B, C
from laws.costs import row_of
from laws.examples import MIXED, NESTED, REPEATS, around, examples, network, one, strings, tokens
from laws.flow import Flow
from laws.prefix import Prefixes, nexts
from laws.scripted import draw, pick, repeat
from laws.stats import mean_is, samples_of
from laws.table import Table, conditionals, insertion_heads, normalised
from rounding import near

from xlm_runtime.plug import Ended, Example, Noise

DRAWS = 8_000
LIMIT = 8
CHANCES = [
    name
    for name in zoo.those("-> mask", "unmask chance reveal(alpha)")
    if not any(zoo.SPECS[name].has(word) for word in ("remask", "blocks", "guide cfg"))
]
HITTING = zoo.those("first_hitting")
EVERY = [(name, sampler) for name in zoo.ALL for sampler in zoo.SPECS[name].samplers]
INSERTING = [(name, sampler) for name, sampler in EVERY if name in zoo.GONES]
FILLING = [(name, sampler) for name, sampler in EVERY if name in zoo.MASKS]
JOINT = [("ilm", "sampled"), ("gone_bound", "default"), ("gone_balanced", "default")]


PAIRS = {(A, A): 0.45, (B, B): 0.35, (A, B): 0.12, (B, A): 0.08}


def every(names):
    return pytest.mark.parametrize("package", names, indirect=True)


def samplers(pairs):
    return pytest.mark.parametrize(("package", "name"), pairs, indirect=["package"])


def filled(package, table, sampler, body_length, rows=DRAWS, seed=41, **more):
    """A decoder run on many copies of one canvas."""
    batch = repeat(one(package, (A,) * body_length), rows)
    return batch, sampler(table, batch, draw(batch, seed), LIMIT, **more)


def bodies(decoded):
    """How often each body was made."""
    rows = zip(decoded.x, decoded.body, strict=True)
    return Counter(tuple(x[body].tolist()) for x, body in rows)


def mask_table(package, law):
    rows = {row_of(package, body)[0]: p for body, p in law.items()}
    free = row_of(package, next(iter(law)))[1]
    return Table(conditionals(rows, free), shift=package.spec.shift)


def gone_table(package, law, weighted):
    heads = insertion_heads(law, (lambda n: n + 1) if weighted else lambda n: 1, *around(package))
    return Table(*heads)


def table_of(package, law, weighted=False):
    """The table of a law for whatever chain a package has."""
    match name_of_chain(package):
        case "none":
            inside = ("eos",) if "eos" in package.layout("text").predicts else ()
            return Prefixes(nexts(law, around(package)[0], tuple(VOCAB[x] for x in inside)))
        case "gone":
            return gone_table(package, law, weighted)
        case "both":
            size = 6 if package.spec.has("distribution") else None
            return Flow(package.spec, law, around(package), size=size)
    return mask_table(package, law)


def apart(law):
    """The product of the laws of the single places."""
    length = len(next(iter(law)))
    single = [Counter() for _ in range(length)]
    for row, p in law.items():
        for i, token in enumerate(row):
            single[i][token] += p
    return {row: float(np.prod([single[i][x] for i, x in enumerate(row)])) for row in law}


def shares(spec, steps):
    """The chance that a token is revealed in each step of a uniform grid."""
    p = [1 - spec.alpha(1 - i / steps) for i in range(steps + 1)]
    return [(a - b) / p[0] for a, b in itertools.pairwise(p)]


@every(CHANCES)
@pytest.mark.parametrize("steps", [1, 4])
def test_d1_two_tokens_revealed_together_are_drawn_apart(package, steps):
    """(1/S) p1 x p2 + (1 - 1/S) p for a linear clock; 1/S is the chance of a common step."""
    law = PAIRS
    same = sum(share**2 for share in shares(package.spec, steps))
    if package.spec.alpha(0.25) == 0.75:
        assert same == pytest.approx(1 / steps)
    product = apart(law)
    expected = {row: same * product[row] + (1 - same) * p for row, p in law.items()}
    table, sampler = mask_table(package, law), package.sampler(steps=steps)
    _, decoded = filled(package, table, sampler, 2, rows=2 * DRAWS)
    samples_of(bodies(decoded), expected)


@every(["mdlm", "mask_square", "mask_counted"])
def test_d2_many_steps_give_the_data(package):
    law = PAIRS
    _, decoded = filled(package, mask_table(package, law), package.sampler(steps=100), 2)
    samples_of(bodies(decoded), law)


class NextToken(torch.nn.Module):
    """A network that has read all up to a token, and no further, and says the next one."""

    def __init__(self):
        super().__init__()
        self.vocab = VOCAB
        generator = torch.Generator().manual_seed(3)
        self.embed = torch.randn(VOCAB.size, 6, generator=generator, dtype=torch.float64)
        self.out = torch.randn(6, VOCAB.size, generator=generator, dtype=torch.float64)

    def trunk(self, xt, attend):
        seen = torch.ones_like(xt, dtype=torch.bool) if attend is None else attend
        return (self.embed[xt] * seen[:, :, None]).cumsum(1)

    def token(self, hidden):
        return hidden.sin() @ self.out


@every(zoo.those("shifted"))
def test_k8_a_shifted_head_goes_on_like_an_autoregressive_model(package):
    """One mask at the end of a clean prefix: the logits of the next token (atlas 2.5 c)."""
    net, layout = NextToken(), package.layout("seq2seq", 4)
    prompts = [(A, B), (B, B, C, A), (C,)]
    batch = layout([Example(i, (), prompt) for i, prompt in enumerate(prompts)])
    x = batch.x0.masked_fill(batch.free, VOCAB["mask"])
    place = batch.free & (batch.free.cumsum(1) == 1)
    hidden = package.reading.read(net, x, batch.attend, batch.free, torch.zeros(()))
    logits = net.token(hidden[place])
    for found, prompt in zip(logits, prompts, strict=True):
        before = torch.tensor([prompt])
        assert near(found, net.token(net.trunk(before, None)[:, -1])[0])


@every(zoo.those("shifted"))
def test_k8_the_first_token_of_a_row_reads_its_own_state(package):
    """As published; whatever is padded to its left."""
    hidden = torch.arange(24.0).reshape(2, 4, 3)
    left = package.places.shifted(hidden, None)
    assert torch.equal(left[:, 0], hidden[:, 0])
    assert torch.equal(left[:, 1:], hidden[:, :-1])
    attend = torch.tensor([[False, True, True, True], [True, True, False, False]])
    left = package.places.shifted(hidden, attend)
    assert torch.equal(left[0, 1:], hidden[0, [1, 1, 2]])
    assert torch.equal(left[1, :2], hidden[1, [0, 0]])


@every(zoo.those("decoder origin"))
@pytest.mark.parametrize("steps", [1, 3])
def test_d22_each_mask_is_revealed_with_the_chance_1_minus_s_over_t(package, steps):
    """In the last step with certainty."""
    table = mask_table(package, strings(3))
    _, decoded = filled(
        package, table, package.sampler("origin", steps=steps), 3, record=True, rows=4_000
    )
    for i in range(steps):
        t, s = 1 - i / steps, 1 - (i + 1) / steps
        before, after = (decoded.history[k] == VOCAB["mask"] for k in (i, i + 1))
        revealed = (before & ~after)[before].double()
        assert (revealed.all()) if i == steps - 1 else True
        mean_is(revealed, 1 - s / t)


ENDING = [
    (name, sampler)
    for name, sampler in FILLING
    if zoo.SPECS[name].has("text = stop_strings")
    and sampler in ("default", "origin", "drawn", "blockwise")
]


@samplers(ENDING)
def test_d32_a_row_is_done_when_its_text_has_ended(package, name):
    """It is cut at the first mask and asks no more; what stands before the end is the same."""
    ended = set()
    for layout, batch, net in cases(package):
        whole = package.sampler(name)(net, batch, draw(batch, 6), LIMIT)
        sampler = package.sampler(name, ended=Ended(lambda ids, given: B in ids[given:], 1))
        cut = sampler(net, batch, draw(batch, 6), LIMIT, record=True)
        assert not (cut.x == VOCAB["mask"]).any(), layout
        assert (cut.nfe <= whole.nfe).all()
        for i in range(len(cut.x)):
            made, full = (x[i][batch.inside[i]].tolist() for x in (cut.x, whole.x))
            given = (~batch.free)[i][batch.inside[i]].nonzero()[:, 0].tolist()
            start = given[-1] + 1 if given else 0
            if B not in full[start:]:
                assert made == full
                assert cut.nfe[i] == whole.nfe[i]
                continue
            end = full.index(B, start) + 1
            assert made[:end] == full[:end]
            assert all(a in (b, VOCAB["pad"]) for a, b in zip(made, full, strict=True))
            ended.add(int(cut.nfe[i]) < int(whole.nfe[i]))
        none = package.sampler(name, ended=Ended(lambda *_: False, 1))(
            net, batch, draw(batch, 6), LIMIT
        )
        assert torch.equal(none.x, whole.x)
    assert True in ended


@every(["mask_shifted"])
@pytest.mark.parametrize("temperature", [0.0, 0.2])
def test_d22_the_order_is_drawn_without_replacement(package, temperature):
    """By the chances softmax(score / temperature); at 0 the highest scores come first."""
    sampler = package.sampler("drawn", order_temperature=temperature)
    law = {(x, y): p * q for x, p in ((A, 0.9), (B, 0.1)) for y, q in ((A, 0.7), (B, 0.3))}
    table = mask_table(package, law)
    _, decoded = filled(package, table, sampler, 2, record=True)
    first = (decoded.history[1] == VOCAB["mask"])[:, 2]
    scores = np.array([0.9, 0.7])
    if temperature:
        chance = np.exp(scores / temperature)
        mean_is(first.double(), float(chance[0] / chance.sum()))
    else:
        assert first.all()


@every(["mask_orders"])
@pytest.mark.parametrize(
    ("order", "params", "place"),
    [
        ("entropy", {"temperature": 1.0}, 0),  # .69 and .95
        ("entropy", {"temperature": 0.2}, 1),  # .69 and .05
        ("entropy", {"temperature": 0.0}, 0),  # not tempered, for then both were certain
        ("entropy", {"temperature": 1.0, "top_p": 0.55}, 1),  # A alone stays of (.6, .2, .2)
        ("margin", {"temperature": 1.0}, 1),
        ("confidence", {"temperature": 0.0}, 1),  # .5 and .6
    ],
)
def test_d22_scores_of_the_law_that_tokens_are_drawn_from(package, order, params, place):
    """Two masks whose laws are (.5, .5, 0) and (.6, .2, .2): which is revealed first."""
    law = {(x, y): 0.5 * q for x in (A, B) for y, q in ((A, 0.6), (B, 0.2), (C, 0.2))}
    sampler = package.sampler("cooled", order=order, **params)
    _, decoded = filled(package, mask_table(package, law), sampler, 2, rows=50, record=True)
    free = one(package, (A, A)).free[0].nonzero()[:, 0]
    assert (decoded.history[1][:, free[1 - place]] == VOCAB["mask"]).all()


@every(["mask_orders"])
@pytest.mark.parametrize("order", ["confidence", "margin", "entropy", "random", "left"])
@pytest.mark.parametrize("name", ["single", "loud"])
def test_d3_one_token_a_step_in_any_order_gives_the_data(package, name, order):
    """As long as the order does not look at the token that was drawn."""
    law = strings(3)
    sampler = package.sampler(name, order=order)
    _, decoded = filled(package, mask_table(package, law), sampler, 3)
    samples_of(bodies(decoded), law)
    assert (decoded.nfe == 3).all()


@samplers([("mask_orders", "quick"), *((name, "first_hitting") for name in HITTING)])
def test_d3_one_token_a_step_at_random_gives_the_data(package, name):
    law = strings(3)
    _, decoded = filled(package, mask_table(package, law), package.sampler(name), 3)
    samples_of(bodies(decoded), law)


@every(["mask_orders"])
def test_d4_confidence_of_the_sampled_token_is_biased(package):
    """Two iid bits with P(1) = .9: .001, .891, .090, .018, where iid is .01, .81, .09, .09."""
    one_bit = {B: 0.1, A: 0.9}
    law = {(x, y): p * q for x, p in one_bit.items() for y, q in one_bit.items()}
    _, decoded = filled(package, mask_table(package, law), package.sampler("hasty"), 2)
    samples_of(bodies(decoded), {(B, B): 0.001, (A, A): 0.891, (A, B): 0.090, (B, A): 0.018})


@every(CHANCES)
def test_d5_calls_of_the_network(package):
    """With answers that are reused S (1 - (1 - 1/S)^L); else each step that starts with a mask."""
    steps, length = 6, 3
    table = mask_table(package, strings(length))
    _, decoded = filled(package, table, package.sampler(steps=steps), length)
    assert table.rows == int(decoded.nfe.sum())
    parts, left, expected = shares(package.spec, steps), 1.0, 0.0
    for part in parts:
        reused = package.spec.has("reuse while unchanged")
        expected += 1 - (1 - (part if reused else left)) ** length
        left -= part
    if package.spec.alpha(0.25) == 0.75 and package.spec.has("reuse"):
        assert expected == pytest.approx(steps * (1 - (1 - 1 / steps) ** length))
    mean_is(decoded.nfe, expected)


@every(HITTING)
def test_d8_first_hitting_calls_once_a_token(package):
    table = mask_table(package, strings(3))
    _, decoded = filled(package, table, package.sampler("first_hitting"), 3, rows=200, record=True)
    assert (decoded.nfe == 3).all()
    assert table.rows == 600
    for i, state in enumerate(decoded.history):
        assert ((state == VOCAB["mask"]).sum(1) == 3 - i).all()


@every([name for name in HITTING if zoo.SPECS[name].has("condition = t")])
def test_d8_the_times_of_first_hitting(package):
    """The mean of 1 - alpha(t) after k of n events is (n - k + 1) / (n + 1)."""
    table = mask_table(package, strings(3))
    filled(package, table, package.sampler("first_hitting"), 3, rows=4000)
    assert len(table.told) == 3
    for k, times in enumerate(table.told, 1):
        p = torch.tensor([1 - package.spec.alpha(float(t)) for t in times])
        mean_is(p, (3 - k + 1) / 4)


@every(zoo.those("dit(condition"))
@pytest.mark.parametrize("steps", [1, 4])
def test_s9_the_network_is_told_the_time_of_the_state(package, steps):
    """At each step the time at which it begins: 1, 1 - 1/S, ..., 1/S."""
    table = mask_table(package, strings(3))
    filled(package, table, package.sampler(steps=steps), 3, rows=300)
    told = [times.unique().tolist() for times in table.told]
    times = [1 - i / steps for i in range(steps)]
    if package.spec.has("condition = sigma"):
        times = [-log(package.spec.alpha(t)) for t in times]
    times = [t for t in times for _ in range(1 + package.spec.has("guide cfg"))]
    assert told == [[pytest.approx(t, rel=1e-12)] for t in times]


@every(["mask_orders"])
@pytest.mark.parametrize("steps", [1, 3, 4, 7])
@pytest.mark.parametrize("name", ["default", "loud", "quick"])
def test_d7_quotas_add_up(package, name, steps):
    """Each row reveals floor(masked / steps left), and ends without masks."""
    batch = package.layout("text")(examples("text"))
    sampler = package.sampler(name, steps=steps)
    decoded = sampler(network(package), batch, draw(batch), LIMIT, record=True)
    left = batch.free.sum(1)
    for i, state in enumerate(decoded.history[1:]):
        left = left - left // (steps - i)
        assert torch.equal((state == VOCAB["mask"]).sum(1), left)
    assert len(decoded.history) == steps + 1
    assert not left.any()


@every(["mask_orders"])
@pytest.mark.parametrize("tau", [0.0, 0.6, 1.0])
def test_d11_a_threshold_reveals_what_is_above_it_and_the_best(package, tau):
    """At 1 one token a step, at 0 all at once."""
    law = strings(3)
    table = mask_table(package, law)
    _, decoded = filled(
        package, table, package.sampler("threshold", tau=tau), 3, rows=300, record=True
    )
    if tau in (0.0, 1.0):
        assert (decoded.nfe == (3 if tau else 1)).all()
    for before, after in zip(decoded.history, decoded.history[1:], strict=False):
        best = torch.softmax(table.token(table.trunk(before, None).flatten(0, 1)), -1).amax(-1)
        hidden = before == VOCAB["mask"]
        score = best.view(before.shape).masked_fill(~hidden, -1)
        top = score == score.amax(1, keepdim=True)
        assert torch.equal(hidden & (after != before), hidden & ((score > tau) | top))


@every(["mask_orders"])
def test_d6_a_greedy_finish_takes_the_likeliest(package):
    """P(top) = p1 + (1 - p1) f, with f = .7^3 left over after three steps at a chance of .3."""
    law = {(A,): 0.6, (B,): 0.3, (C,): 0.1}
    table = mask_table(package, law)
    _, decoded = filled(package, table, package.sampler("slow"), 1)
    left = 0.7**3
    top = 0.6 + 0.4 * left
    samples_of(bodies(decoded), {(A,): top, (B,): 0.3 * (1 - left), (C,): 0.1 * (1 - left)})
    for name in ("unfinished", "at_once"):
        _, decoded = filled(package, table, package.sampler(name), 1)
        samples_of(bodies(decoded), law)


@every(["mask_orders"])
def test_d6_all_at_once_is_one_step(package):
    law = strings(2)
    _, decoded = filled(package, mask_table(package, law), package.sampler("at_once"), 2)
    samples_of(bodies(decoded), apart(law))
    assert (decoded.nfe == 1).all()


ONE_TOKEN = {(A,): 0.5, (B,): 0.3, (C,): 0.2}
CUTS = [
    ({}, (0.5, 0.3, 0.2)),
    ({"temperature": 0.0}, (1.0, 0.0, 0.0)),
    ({"temperature": 0.5}, (25 / 38, 9 / 38, 4 / 38)),
    ({"top_k": 1}, (1.0, 0.0, 0.0)),
    ({"top_k": 2}, (0.625, 0.375, 0.0)),
    ({"top_p": 0.0}, (1.0, 0.0, 0.0)),
    ({"top_p": 0.45}, (1.0, 0.0, 0.0)),
    ({"top_p": 0.7}, (0.625, 0.375, 0.0)),
    ({"top_p": 0.9}, (0.5, 0.3, 0.2)),
    ({"temperature": 0.5, "top_p": 0.6}, (1.0, 0.0, 0.0)),
]
CUTTING = [(name, sampler) for name, sampler in EVERY if zoo.SPECS[name].cuts(sampler)]


@samplers(CUTTING)
def test_d12_temperature_and_truncation(package, name):
    """T = 0 gives the likeliest, T = 1 the law; nucleus keeps the token that crosses p (D13).

    In every family, in its steps and in what is left for the end: of bodies of one token.
    """
    table, cuts = table_of(package, ONE_TOKEN), package.spec.cuts(name)
    neutral = {cut: {"temperature": 1.0, "top_k": 0, "top_p": 1.0}[cut] for cut in cuts}
    if "steps" in {param.name for param in package.family.params[name]}:
        neutral["steps"] = 3
    for params, chances in CUTS:
        if not set(params) <= set(cuts):
            continue
        sampler = package.sampler(name, **(neutral | params))
        batch = repeat(one(package, (A,)), 1500)
        found = bodies(sampler(table, batch, draw(batch, 43), 1))
        if package.spec.two:
            del found[()]  # rows into which nothing, or too much, was inserted
        assert found.total() > 300
        law = dict(zip(ONE_TOKEN, chances, strict=True))
        samples_of(found, {row: p for row, p in law.items() if p})


UNSAMPLED = [  # decoders whose orders do not look at the token that is drawn
    *(("mlm", name) for name in ("default", "threshold", "bounded")),
    *(("mask_orders", name) for name in ("default", "single", "loud", "threshold")),
    *(("dream", name) for name in ("threshold", "bounded", "origin")),
    ("flexmdm", "adaptive"),
]


@samplers(UNSAMPLED)
def test_d10_only_what_is_revealed_is_drawn(package, name, monkeypatch):
    """Once for each place, however many masks the network was asked about."""
    drawn, categorical = [], package.sampling.categorical

    def counted(logits, u):
        drawn.append(len(u))
        return categorical(logits, u)

    monkeypatch.setattr(package.sampling, "categorical", counted)
    if hasattr(package.decoder, "categorical"):
        monkeypatch.setattr(package.decoder, "categorical", counted)
    warm = "temperature" in package.sampler(name).__dataclass_fields__
    own = {"temperature": 1.0} if warm else {}
    for _, batch, net in cases(package):
        drawn.clear()
        decoded = package.sampler(name, **own)(net, batch, draw(batch, 3), LIMIT)
        kept = batch.inside & ~batch.free
        assert sum(drawn) == int(decoded.body.sum() - kept.sum())


@every(zoo.those("temperature", "top_k", "top_p"))
def test_d12_a_draw_at_temperature_0_takes_the_first_of_the_likeliest(package):
    """As if all but the likeliest, of equal ones the first, had been cut off."""
    generator = torch.Generator().manual_seed(1)
    logits = torch.randint(0, 4, (500, 9), generator=generator).double()
    logits[:, 2] = -inf
    u = torch.rand(500, generator=generator, dtype=torch.float64)
    found = package.sampling.drawn(logits, u, temperature=0.0, top_k=3, top_p=0.5)
    assert torch.equal(found, logits.argsort(dim=-1, descending=True, stable=True)[:, 0])


@every(zoo.those("draw slot greedy"))
def test_d17_the_likeliest_insertion_is_that_of_the_joint_law(package):
    """A gap and a token, of equal ones the first; nothing of the size gaps times tokens is made."""
    generator = torch.Generator().manual_seed(2)
    open_ = torch.rand(300, 4, generator=generator) < 0.7
    open_[:, 1] = True
    logits = torch.randint(0, 9, (int(open_.sum()), 5), generator=generator).double()
    wide = logits.new_full((*open_.shape, 5), -inf)
    wide[open_] = logits
    joint = wide.flatten(1).argmax(-1)
    gap = package.gaps.at_gaps(logits.amax(-1), open_).argmax(-1)
    assert torch.equal(gap, joint // 5)
    assert torch.equal(package.gaps.of_gap(logits, open_, gap).argmax(-1), joint % 5)
    assert package.has("gaps.per_row") == (package.spec.has("draw slot with temperature, top_k"))


@every(zoo.those("top_p"))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_d13_nucleus(package, dtype, order):
    """(.5, .3, .2): .5 keeps one, .7 and .8 two, near 1 all."""
    chances = torch.tensor([0.5, 0.3, 0.2], dtype=dtype)[list(order)]
    for p, kept in [(0, 1), (0.3, 1), (0.5, 1), (0.7, 2), (0.8, 2), (0.99, 3), (1, 3)]:
        found = package.sampling.keep_top_p(chances.log()[None], p)[0]
        assert found.isfinite().tolist() == [rank < kept for rank in order], p


@every(zoo.those("draw"))
def test_d12_draws_invert_the_law(package):
    """Every u gives the outcome at which the distribution function passes it; none of chance 0."""
    logits = torch.tensor([-inf, log(0.5), -inf, log(0.25), log(0.25), -inf])
    u = (torch.arange(1000, dtype=torch.float64) + 0.5) / 1000
    found = package.sampling.categorical(logits.expand(1000, -1), u)
    assert torch.bincount(found, minlength=6).tolist() == [0, 500, 0, 250, 250, 0]
    ends = torch.tensor([0.0, 1 - 2.0**-53], dtype=torch.float64)
    assert package.sampling.categorical(logits.expand(2, -1), ends).tolist() == [1, 4]


@every(zoo.those("temperature", "top_k", "top_p"))
def test_d12_every_temperature_keeps_to_the_law(package):
    """However low or high: float32 would divide by 0, and give the id behind the last."""
    whole = {"top_k": 0, "top_p": 1.0}
    logits = torch.tensor([0.0, 1.0, 1.5, -inf]).expand(3, -1)
    u = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
    for temperature in (5e-324, 1e-320, 1e-46, 1e-39, 1e-7):
        assert package.sampling.drawn(logits, u, temperature, **whole).tolist() == [2, 2, 2]
    for temperature in (1e9, 1e39, 1e300):
        assert package.sampling.drawn(logits, u, temperature, **whole).tolist() == [0, 1, 2]


@samplers(JOINT)
@pytest.mark.parametrize("law", [MIXED, NESTED, REPEATS], ids=["mixed", "nested", "repeats"])
@pytest.mark.parametrize("weighted", [False, True], ids=["weight 1", "weight L + 1"])
def test_d17_insertions_generate_p_over_l_plus_1(package, name, law, weighted):
    """Heads trained with weight 1 give p / (L + 1), with weight L + 1 p itself."""
    made = normalised({body: p / (len(body) + 1) for body, p in law.items()})
    if law is NESTED:
        assert list(made.values()) == pytest.approx([0.25] * 4)
    table = gone_table(package, law, weighted)
    _, decoded = filled(package, table, package.sampler(name), 2)
    samples_of(bodies(decoded), law if weighted else made)


@samplers([("ilm", "sampled"), ("gone_bound", "default")])
def test_d17_the_example_of_the_paper(package, name):
    """{a: .5, ab: .5} comes out as .6 and .4."""
    table = gone_table(package, {(A,): 0.5, (A, B): 0.5}, weighted=False)
    _, decoded = filled(package, table, package.sampler(name), 0)
    samples_of(bodies(decoded), {(A,): 0.6, (A, B): 0.4})


@samplers([("ilm", "default"), *((name, "staged") for name in zoo.GONES if name != "ilm")])
def test_d17_a_gap_first_and_then_its_token(package, name):
    """The same joint law in two draws: with data of one length, exact and with a sure stop."""
    law = {(A, B): 0.5, (B, A): 0.2, (A, A): 0.2, (B, B): 0.1}
    table = gone_table(package, law, weighted=False)
    whole = {"top_p": 1.0} | ({"gap_top_k": 0} if name == "default" else {})
    _, decoded = filled(package, table, package.sampler(name, **whole), 1)
    samples_of(bodies(decoded), law)


@every(zoo.those("tempered("))
def test_d12_the_temperature_of_a_chance(package):
    odds = torch.tensor([-3.0, -0.1, 0.0, 2.0], dtype=torch.float64)
    chance = package.sampling.tempered_chance
    assert torch.equal(chance(odds, 1.0), odds.sigmoid())
    assert torch.allclose(chance(odds, 2.0), 1 / (1 + (-odds / 2).exp()))
    assert chance(odds, 0.0).tolist() == [0, 0, 0, 1]
    for low in (5e-324, 1e-46, 1e-39):
        assert chance(odds.float(), low).tolist() == [0, 0, 0.5, 1]


@samplers(JOINT)
def test_d5_an_insertion_decoder_calls_once_a_decision(package, name):
    """Once for each token and once to stop, unless the limit stops it."""
    table = gone_table(package, MIXED, weighted=True)
    _, decoded = filled(package, table, package.sampler(name), 0, rows=500)
    assert torch.equal(decoded.nfe, decoded.body.sum(1) + 1)
    assert table.rows == int(decoded.nfe.sum())
    batch = repeat(one(package, ()), 500)
    decoded = package.quick(name)(table, batch, draw(batch), 2)
    assert torch.equal(decoded.nfe, (decoded.body.sum(1) + 1).clamp(max=2))


# What no decoder may do, with the package's own network


def cases(package):
    """Every layout with a batch and a network of its own."""
    for name in package.family.layouts:
        layout = package.layout(name, 5)
        made = layout(examples(name, begins=layout.begins))
        yield name, made, network(package, name)


def takes_back(spec, name):
    """Whether a decoder of a spec may turn a token back into a mask."""
    return "remask" in spec.says(name, r"step *[{][^}]*")[0]


@samplers(FILLING)
def test_d14_a_canvas_changes_only_from_mask_to_token(package, name):
    """Prompts, specials and given tokens stay at every step; what is revealed stays too.

    A decoder that takes tokens back changes them to masks alone, and none at its last step.
    """
    back = takes_back(package.spec, name)
    for layout, batch, net in cases(package):
        sampler = package.quick(name)
        decoded = sampler(net, batch, draw(batch, 3), LIMIT, record=True)
        masks = batch.free
        assert torch.equal(decoded.body, batch.inside), layout
        assert (decoded.history[0][batch.free] == VOCAB["mask"]).all()
        for before, after in zip(decoded.history, decoded.history[1:], strict=False):
            stays = ~masks & (after != VOCAB["mask"]) if back else ~masks
            assert torch.equal(before[stays], after[stays])
            assert torch.equal(after[~batch.free], batch.x0[~batch.free])
            masks = after == VOCAB["mask"]
        assert torch.equal(decoded.history[0][~batch.free], batch.x0[~batch.free])
        assert torch.equal(decoded.history[-1], decoded.x)


@samplers(INSERTING)
def test_d14_an_insertion_leaves_the_rest_in_place(package, name):
    """Each state is the one before with at most one token more, between the brackets."""
    for layout, batch, net in cases(package):
        decoded = package.quick(name)(net, batch, draw(batch, 3), LIMIT, record=True)
        for i in range(len(batch.x0)):
            stays = [int(x) for x, f in zip(batch.x0[i], batch.free[i], strict=True) if not f]
            rows = [tokens(state[i]) for state in decoded.history]
            assert rows[0] == [x for x in stays if x != VOCAB["pad"]], layout
            assert rows[-1] == tokens(decoded.x[i])
            column = int(batch.open[i].nonzero()[0, 0]) + 1
            for before, after in itertools.pairwise(rows):
                grown = [after[:k] + after[k + 1 :] for k in range(len(after))]
                assert after == before or before in grown
            begin = tokens(batch.x0[i, :column])
            assert rows[-1][: len(begin)] == begin
            end = len(tokens(batch.x0[i])) - int(batch.open[i].nonzero()[-1, 0] + 1)
            end += int((batch.x0[i, :column] == VOCAB["pad"]).sum())
            fixed = tokens(batch.x0[i])[len(tokens(batch.x0[i])) - end :] if end else []
            assert rows[-1][len(rows[-1]) - end :] == fixed or not end


@samplers(EVERY)
def test_d15_samples_hold_body_tokens_and_predicted_specials(package, name):
    for layout, batch, net in cases(package):
        allowed = VOCAB.allowed(package.family.layouts[layout].predicts)
        decoded = package.quick(name)(net, batch, draw(batch, 4), LIMIT)
        made = decoded.body & (decoded.x != VOCAB["pad"])
        if name_of_chain(package) == "mask":
            made = batch.free
        assert allowed[decoded.x[made]].all(), layout
        assert not (decoded.x == VOCAB["mask"]).any()


def name_of_chain(package):
    if not package.has("noise"):
        return "none"
    if package.spec.two:
        return "both"
    return "gone" if package.has("noise.close") else "mask"


@samplers(INSERTING)
@pytest.mark.parametrize("limit", [0, 1, 3])
def test_d16_no_more_tokens_than_the_limit(package, name, limit):
    """Unless more were given; without a stop exactly that many. Nothing is inserted beyond it."""
    for _, batch, net in cases(package):
        kept = (batch.inside & ~batch.free).sum(1)
        decoded = package.quick(name)(net, batch, draw(batch, 5), limit)
        made = decoded.body.sum(1)
        assert (made <= kept.clamp(min=limit)).all()
        assert (made >= kept).all()
        assert (decoded.nfe <= (limit - kept).clamp(min=0)).all()
        if name == "full":
            assert torch.equal(made, kept.clamp(min=limit))
        if name == "oracle":
            own = batch.inside.sum(1).clamp(max=limit)
            assert torch.equal(made, kept.maximum(own))
        added = [len(tokens(x)) for x in decoded.x]
        fixed = [
            int((~f & (x != VOCAB["pad"])).sum())
            for f, x in zip(batch.free, batch.x0, strict=False)
        ]
        assert (torch.tensor(added) - torch.tensor(fixed)).tolist() == (made - kept).tolist()


@samplers(EVERY)
def test_d21_a_row_does_not_depend_on_its_companions(package, name):
    """Alone, in a batch, in another order and with other padding it comes out the same.

    But for rows of masks alone, whose places are all alike: there rounding decides which is first.
    """
    compared = 0
    for layout, batch, net in cases(package):
        sampler = package.quick(name)
        together = made(sampler(net, batch, draw(batch, 6), LIMIT))
        order = [4, 0, 5, 2, 1, 3]
        shuffled = pick(batch, order)
        assert made(sampler(net, shuffled, draw(batch, 6).rows(torch.tensor(order)), LIMIT)) == [
            together[i] for i in order
        ]
        for i in (0, 1, 2):
            laid = package.layout(layout, 5)
            alone = laid([examples(layout, begins=laid.begins)[i]])
            if alone.free.all():
                continue
            found = made(sampler(net, alone, Noise(6, alone.example), LIMIT))
            assert found == [together[i]], (layout, i)
            compared += 1
    assert compared >= 2


def made(decoded):
    """What a decoder made of each row, and its calls."""
    rows = zip(decoded.x, decoded.body, decoded.nfe, strict=True)
    return [(x[body].tolist(), int(nfe)) for x, body, nfe in rows]


@samplers([(spec, name) for spec, name in EVERY if name not in zoo.SPECS[spec].greedy])
def test_d21_seeds_and_examples_differ(package, name):
    """Noise is keyed by the example and by the seed: neither is forgotten."""
    grows = name_of_chain(package) in ("gone", "both")
    law = MIXED if grows else strings(3)
    if name == "oracle":  # all its rows get 3 tokens, which must be possible
        law = {(A, B, A): 0.6, (B, A, B): 0.4}
    table = table_of(package, law, weighted=True)
    _batch, first = filled(package, table, package.quick(name), 3, rows=64)
    _, again = filled(package, table, package.quick(name), 3, rows=64)
    _, other = filled(package, table, package.quick(name), 3, rows=64, seed=42)
    assert made(first) == made(again)
    assert made(first) != made(other)
    assert len(bodies(first)) > 1
