"""Masks beside random tokens and tokens that stay: the noise of BERT, and what it is asked for."""

from collections import Counter

import pytest
import torch
from laws.build import VOCAB, A, B, Package, Workshop
from laws.examples import TOKENS, examples, layouts, network
from laws.scripted import corrupted, draw, loss_of, repeat
from laws.stats import follows

from xlm_runtime.plug import Example

K, MASK = len(TOKENS), VOCAB["mask"]
SHARES = {"bert": (0.1, 0.1), "bert_half": (0.5, 0.2)}


@pytest.fixture(params=["bert", "bert_half"])
def package(request, workshop: Workshop) -> Package:
    return workshop.package(request.param)


@pytest.fixture
def masks(workshop: Workshop) -> Package:
    """The noise without random tokens, and without such that stay."""
    return workshop.package("bert_masks")


def shares(package: Package) -> tuple[float, float]:
    return SHARES["bert_half" if "share 0.5" in package.spec.text else "bert"]


def noised_at(package: Package, t: float, rows: int = 40_000):
    batch = repeat(package.layout("infill", 2)([Example(0, (A, B), (), (False, True))]), rows)
    times = torch.full((rows,), t, dtype=torch.float64)
    return batch, package.family.corrupt(batch, times, draw(batch), VOCAB)


@pytest.mark.parametrize("t", [0.3, 0.9])
def test_c14_of_struck_tokens_some_are_random_and_some_stay(package, t) -> None:
    """A random token may be the same one; what is given stays, and so do specials."""
    batch, noised = noised_at(package, t)
    lost = 1 - package.spec.alpha(t)
    random, stays = shares(package)
    struck, xt = noised.struck[:, 1], noised.xt[:, 1]
    follows([int(struck.sum()), int((~struck).sum())], [lost, 1 - lost])
    counts = Counter(xt[struck].tolist())
    found = [counts[x] for x in (*TOKENS, MASK)]
    follows(found, [stays + random / K, random / K, random / K, 1 - random - stays])
    assert (xt[~struck] == A).all()
    assert (noised.masked == (noised.xt == MASK)).all()
    assert (noised.xt[:, 2:] == batch.x0[:, 2:]).all()
    assert not noised.struck[:, 2:].any()


def test_c14_outcomes_do_not_depend_on_how_soon_a_token_is_struck(package) -> None:
    """The shares are those of tokens struck early, too."""
    early, late = (noised_at(package, t)[1] for t in (0.3, 0.9))
    soon = early.struck[:, 1]
    counts = Counter(late.xt[soon, 1].tolist())
    random, stays = shares(package)
    found = [counts[x] for x in (*TOKENS, MASK)]
    follows(found, [stays + random / K, random / K, random / K, 1 - random - stays])
    assert (early.xt[soon, 1] == late.xt[soon, 1]).all()


def test_l28_all_struck_tokens_are_asked_for_and_no_others(package) -> None:
    """The mean of -log p over them, or of each row over its own."""
    net = network(package)
    batch = repeat(package.layout("text", 5)(examples("text")[2:3]), 64)
    for seed in range(8):
        noised = corrupted(package, batch, draw(batch, seed))
        with torch.no_grad():
            found = float(package.family.loss(net, noised, batch).total)
            log_p = net.token(net.trunk(noised.xt, batch.attend).flatten(0, 1)).log_softmax(-1)
        nll = -log_p.gather(1, batch.x0.flatten()[:, None]).view(batch.x0.shape)
        cost = torch.where(noised.struck, nll, 0)
        if "per sequence" in package.spec.text:
            wanted = (cost.sum(1) / noised.struck.sum(1).clamp(min=1)).mean()
        else:
            wanted = cost.sum() / noised.struck.sum().clamp(min=1)
        assert found == pytest.approx(float(wanted), rel=1e-6)


def test_l28_without_shares_it_is_the_loss_of_masks(masks, workshop) -> None:
    """From the same draws, with its gradient; and rows that nothing strikes cost nothing."""
    plain = workshop.package("mask_struck")
    batch = masks.layout("text", 5)(examples("text"))
    gradients, totals = [], []
    for package in (masks, plain):
        net = network(package)
        total = loss_of(package, net, batch).total
        total.backward()
        totals.append(float(total.detach()))
        gradients.append(net.to_token.weight.grad)
    assert totals[0] == totals[1]
    assert (gradients[0] == gradients[1]).all()
    still = masks.family.corrupt(batch, torch.zeros(len(batch.x0)).double(), draw(batch), VOCAB)
    assert float(masks.family.loss(net, still, batch).total.detach()) == 0.0


def test_l28_the_likelihood_is_that_of_masks(package, workshop) -> None:
    """An average over orders, whose rows have no wrong token; with slack for what was learnt."""
    plain = workshop.package("mask_struck" if package.spec.text.startswith("family toy") else "mlm")
    batch = package.layout("text", 5)(examples("text"))
    nats = [one.family.nelbo(network(one), batch, draw(batch)).nats for one in (package, plain)]
    assert (nats[0] == nats[1]).all()
    assert package.family.claim.value == "bound"


def test_d14_beside_masks_nothing_is_left_of_the_noise_in_decoding(package) -> None:
    """It begins with masks, and writes each place once."""
    for name, layout, batch in layouts(package):
        made = package.sampler()(network(package, name), batch, draw(batch), 5, record=True)
        before = made.history[0]
        assert (before[batch.free] == MASK).all()
        for state in made.history:
            assert (state == batch.x0)[~batch.free].all()
            assert ((before == MASK) | (state == before)).all()
            before = state
        assert VOCAB.allowed(layout.predicts)[made.x[batch.free]].all()
