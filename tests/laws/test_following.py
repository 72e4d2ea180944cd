"""Left to right: losses, likelihoods and networks against tables of prefixes (atlas 2.1)."""

from dataclasses import replace
from math import exp, log

import pytest
import torch
from laws import zoo
from laws.build import VOCAB, A, B, C
from laws.decoded import every
from laws.examples import MIXED, NESTED, REPEATS, around, examples, layouts, network, one, strings
from laws.prefix import CACHING, ENDING, Prefixes, cost, end, nats, nexts, tables_of
from laws.scripted import loss_of, pick

from xlm_runtime.plug import Example

CLOSE = 3e-6  # the training loss is computed in single precision
LAWS = [MIXED, REPEATS, NESTED]
NAMES = ["mixed", "repeats", "nested"]


# Likelihood and loss


@every(ENDING)
@pytest.mark.parametrize("law", LAWS, ids=NAMES)
def test_a_the_likelihood_of_exact_answers_is_minus_log_p(package, law):
    table = Prefixes(tables_of(package, law))
    assert package.family.claim.value == "tight"
    for body, p in law.items():
        found = nats(package, table, one(package, body))
        assert float(found) == pytest.approx(-log(p), abs=1e-12)


@every(zoo.NONES)
def test_a_any_answers_have_an_exact_likelihood(package):
    """-log of the chance of making the row, eos included; together these chances are 1."""
    law = strings(3)
    tables = tables_of(package, law, wrong=True)
    table, total = Prefixes(tables), 0.0
    for body in law:
        row = (*around(package)[0], *body, *end(package))
        found = nats(package, table, one(package, body))
        assert float(found) == pytest.approx(cost(tables, row, row.index(body[0])), abs=1e-12)
        total += exp(-float(found))
    assert total == pytest.approx(1, abs=1e-12)


@every(ENDING)
def test_a_what_is_given_is_not_counted(package):
    """A prompt, and the beginning of a body, are read and cost nothing."""
    prompt, start = (C, A), around(package)[0]
    law = {(A, B): 0.7, (B,): 0.2, (B, A): 0.1}
    table = Prefixes(nexts(law, (*prompt, *start)))
    batch = package.layout("seq2seq")([Example(0, body, prompt) for body in law])
    assert nats(package, table, batch).tolist() == pytest.approx([-log(p) for p in law.values()])
    table = Prefixes(nexts(law, start))
    batch = package.layout("infill")([Example(0, (B, A), (), (True, False)), Example(1, (B,))])
    rest, whole = nats(package, table, batch).tolist()
    assert rest == pytest.approx(-log(0.1 / 0.3))
    assert whole == pytest.approx(-log(0.2))


def weight(spec, length):
    """What multiplies the tokens of a row, its own denominator included."""
    own = length if "per" in spec.over else 1
    if spec.has("weight 1 + scale / 2"):
        return (1 + 2.5 / 2) / own
    return (2.5 / length if spec.has("weight scale") else 1) / own


def over(spec, batch):
    match spec.over.split()[-1]:
        case "block":
            return len(batch.x0) * batch.room
        case "tokens":
            return int(batch.free.sum())
    return len(batch.x0)


@every(zoo.NONES)
@pytest.mark.parametrize("wrong", [False, True], ids=["exact", "wrong"])
def test_a_the_loss_is_the_weighted_sum_over_the_denominator(package, wrong):
    """Each token is read at the one before it, and weighs what the spec says, for any answers."""
    law = strings(2)
    tables = tables_of(package, law, wrong)
    batch = package.layout("text")([Example(i, body) for i, body in enumerate(law)])
    params = {"scale": 2.5} if package.spec.has("param scale") else {}
    losses = package.family.loss(Prefixes(tables), batch, **params)
    total, start = 0.0, around(package)[0]
    for body in law:
        row = (*start, *body, *end(package))
        total += weight(package.spec, len(row) - len(start)) * cost(tables, row, len(start))
    assert losses.total.item() == pytest.approx(total / over(package.spec, batch), rel=CLOSE)
    assert losses.terms == {"token": losses.total}


@every(zoo.NONES)
def test_a_training_finds_the_exact_answers(package):
    law = strings(2)
    for exact, least in ((True, 0.0), (False, 1e-3)):
        tables = tables_of(package, law if exact else strings(2, seed=8))
        table = Prefixes(tables)
        table.logits.data.clamp_(min=-60)  # the slope of what is impossible is nan
        table.logits.data[-1] = 0
        rows = [(package.layout("text")([Example(0, body)]), p) for body, p in law.items()]
        total = sum(p * package.family.loss(table, batch).total for batch, p in rows)
        total.backward()
        slope = float(table.logits.grad.abs().max())
        assert (slope < 1e-6) if exact else (slope > least)


@every(zoo.NONES)
def test_l4_a_uniform_network_costs_log_v_a_token(package):
    """V: three tokens, and the eos where it is predicted."""
    allowed = VOCAB.allowed(package.layout("text").predicts)
    flat = torch.zeros(VOCAB.size).masked_fill(~allowed, -torch.inf).numpy()
    body = (A, B, B, A)
    row = (*around(package)[0], *body, *end(package))
    table = Prefixes({row[:i]: flat for i in range(1, len(row))})
    found = nats(package, table, one(package, body))
    assert float(found) == pytest.approx(
        (len(body) + len(end(package))) * log(int(allowed.sum())), abs=1e-12
    )


@every(zoo.NONES)
def test_l23_finite_whatever_is_given(package):
    """With empty bodies, and with everything given."""
    for name, _, batch in layouts(package):
        net = network(package, name)
        given = replace(batch, free=torch.zeros_like(batch.free))
        for part in (batch, pick(batch, slice(1, 2)), given):
            net.zero_grad()
            losses = package.family.loss(net, part)
            losses.total.backward()
            assert losses.total.isfinite()
            slopes = [w.grad for w in net.parameters() if w.grad is not None]
            assert all(slope.isfinite().all() for slope in slopes)
            assert nats(package, net, part).isfinite().all()
        assert loss_of(package, net, given).total.item() == 0


@every(zoo.NONES)
def test_l24_a_batch_is_the_weighted_mean_of_its_rows(package):
    for name, _, batch in layouts(package):
        net = network(package, name)
        whole, total = package.family.loss(net, batch).total.item(), 0.0
        for i in range(len(batch.x0)):
            row = pick(batch, [i])
            total += package.family.loss(net, row).total.item() * over(package.spec, row)
        assert whole == pytest.approx(total / over(package.spec, batch), rel=1e-4)
        twice = pick(batch, [*range(len(batch.x0))] * 2)
        assert package.family.loss(net, twice).total.item() == pytest.approx(whole, rel=1e-5)


@every(ENDING)
def test_l22_the_likelihood_of_wrong_answers_is_above_the_entropy(package):
    table = Prefixes(tables_of(package, MIXED, wrong=True))
    mean = sum(p * float(nats(package, table, one(package, b))) for b, p in MIXED.items())
    assert mean > -sum(p * log(p) for p in MIXED.values())


# The network


@every(zoo.NONES)
@pytest.mark.parametrize("padded", [False, True], ids=["whole", "padded"])
def test_b_a_token_changes_nothing_before_it(package, padded):
    """And something at every place from its own on."""
    net = network(package)
    xt = torch.tensor([[2, A, B, C, A, B]])
    attend = torch.ones_like(xt, dtype=torch.bool)
    attend[0, 0] = not padded
    attend = attend if padded else None
    before = net.trunk(xt, attend)
    for j in range(1, xt.shape[1]):
        changed = xt.clone()
        changed[0, j] = C if xt[0, j] != C else A
        after = net.trunk(changed, attend)
        assert torch.equal(after[:, :j], before[:, :j])
        assert (after[0, j:] - before[0, j:]).abs().amax(1).min() > 1e-4


@every(zoo.NONES)
def test_b_with_and_without_a_mask_the_answers_are_the_same(package):
    """Without padding no mask is made."""
    net = network(package)
    xt = torch.tensor([[2, A, B, C], [2, C, C, B]])
    masked = net.trunk(xt, torch.ones_like(xt, dtype=torch.bool))
    assert torch.allclose(net.trunk(xt, None), masked, atol=1e-12)


@every(zoo.NONES)
def test_l_logits_are_computed_only_where_they_are_read(package, monkeypatch):
    """One place for each free token."""
    for name, _, batch in layouts(package):
        net, seen = network(package, name), []
        head = net.token
        monkeypatch.setattr(net, "token", lambda h, head=head, seen=seen: seen.append(h) or head(h))
        package.family.loss(net, batch)
        nats(package, net, batch)
        assert [h.shape for h in seen] == [(int(batch.free.sum()), 8)] * 2


@every(CACHING)
def test_d24_cached_and_uncached_answers_are_equal(package):
    """Prompts of different lengths, chunks of every size, and rows that leave on the way."""
    net = network(package)
    batch = package.layout("seq2seq", 5)(examples("seq2seq"))
    x, attend = batch.x0, torch.ones_like(batch.x0, dtype=torch.bool)
    attend = attend if batch.attend is None else batch.attend
    whole = net.trunk(x, attend)
    for cuts in ([3, 4, 5, 6, 7, 8, 9], [5], [2, 7]):
        rows, past, first = torch.arange(len(x)), (), 0
        for last in [*cuts, x.shape[1]]:
            hidden, past = net.extend(x[rows, first:last], attend[rows, :last], past)
            there = attend[rows, first:last]
            assert torch.allclose(hidden[there], whole[rows, first:last][there], atol=1e-12)
            assert all(k.shape[2] == v.shape[2] == last for k, v in past)
            rows, stays = rows[rows != last % 6], rows != last % 6
            past, first = tuple((k[stays], v[stays]) for k, v in past), last
