"""Drafts: alignments, corruption, loss, likelihood and decoders against brute force."""

from collections import Counter
from itertools import product
from math import comb, exp, log

import numpy as np
import pytest
import torch
from laws.build import VOCAB, A, B, C
from laws.decoded import every
from laws.drafted import DRAFTS, MASK, Exact, alignments, edits, expected, states
from laws.examples import layouts, one, tokens
from laws.scripted import draw, pick, repeat
from laws.stats import distance, mean_is, samples_of

from xlm_runtime.plug import Draft, Example, even

TWO = ["edit_random", "edit_masks"]
ALL = [*TWO, "edit_empty"]
TEXTS = {(A, B): 0.4, (B,): 0.3, (A,): 0.2, (): 0.1}
REPEATS = {(A, A): 0.3, (A, B): 0.3, (): 0.2, (B,): 0.2}
ROWS = 6000


def noised_at(package, batch, t, seed=3):
    time = torch.full((len(batch.x0),), t, dtype=torch.float64)
    return package.noise.corrupt(batch, time, draw(batch, seed), VOCAB, **clock(package))


def clock(package):
    return {"clock": package.schedule.Clock()} if package.spec.has("draft ~ random(size)") else {}


def body(ids):
    return tuple(x for x in ids if x >= A or x == MASK)


def left_of(noised, batch, row):
    """The edits that a noised row is from its text."""
    first = [i for i, x in enumerate(tokens(noised.xt[row])) if x == VOCAB["bos"]][-1]
    found = []
    for place in noised.gone[row].nonzero()[:, 0].tolist():
        gap = int(noised.gap[row, place]) - first
        found.append((gap, 0, "gone", gap, int(batch.x0[row, place])))
    for place in range(len(tokens(noised.xt[row]))):
        at = place - first - 1
        if noised.extra[row, place]:
            found.append((at, 1, "extra", at, None))
        if noised.changed[row, place]:
            found.append((at, 1, "changed", at, int(noised.clean[row, place])))
    return tuple(tuple(one[2:]) for one in sorted(found, key=lambda one: one[:2]))


# Corruption


@every(["edit_random"])
@pytest.mark.parametrize(
    ("text", "draft"),
    [
        ((A, B), (B, A)),
        ((A, A, A), (A,)),
        ((A, B, C), (C,)),
        ((A, B, A, B), (A, C)),
        ((), (A,)),
        ((A, A), (A, A, A)),
    ],
)
def test_c10_alignments_with_the_fewest_edits_are_alike(package, text, draft):
    known = Counter()
    for columns in alignments(text, draft):
        partner, extra, i, j = [-1] * len(text), [], 0, 0
        for x, d in columns:
            if x is not None and d is not None:
                partner[j] = i
            elif x is None:
                extra.append((i, j))
            i, j = i + (d is not None), j + (x is not None)
        known[tuple(partner), tuple(extra)] += 1 / len(alignments(text, draft))
    packed = [
        package.alignment.Packed(
            torch.tensor([row] * ROWS, dtype=torch.long).view(ROWS, -1),
            torch.zeros(ROWS, len(row), dtype=torch.long),
        )
        for row in (draft, text)
    ]
    noise = draw(repeat(one(package, (A,)), ROWS), 3)
    found = package.alignment.align(*packed, noise.uniform("align", len(text) + len(draft) + 1))
    seen = Counter()
    for partner, extra, after in zip(found.partner, found.extra, found.after, strict=True):
        gone = [(i, int(after[i])) for i in range(len(draft)) if extra[i]]
        seen[tuple(partner.tolist()), tuple(gone)] += 1
    samples_of(seen, known)


def made_whole(noised, batch, row):
    """A row on which all edits that are left have been made."""
    found, ids = [], tokens(noised.xt[row])
    gone = noised.gone[row].nonzero()[:, 0].tolist()
    for place, token in enumerate(ids):
        token = int(noised.clean[row, place]) if noised.changed[row, place] else token
        found += [] if noised.extra[row, place] else [token]
        found += [int(batch.x0[row, x]) for x in gone if noised.gap[row, x] == place]
    return found


@every([*TWO, "edit_size", "edit_copy"])
@pytest.mark.parametrize("t", [0.0, 0.3, 0.8, 1.0])
def test_c10_the_edits_that_are_left_make_the_text(package, t):
    for _, _, batch in layouts(package):
        noised = noised_at(package, batch, t)
        for row in range(len(batch.x0)):
            assert made_whole(noised, batch, row) == tokens(batch.x0[row])
            whole = tokens(noised.xt[row]) == tokens(batch.x0[row])
            left = int(noised.extra[row].sum() + noised.changed[row].sum() + noised.gone[row].sum())
            assert t > 0 or (whole and not left)


def drafted(package, batch):
    of = batch if package.spec.has("copy(") else batch.open & ~batch.free
    return package.noise.draft(of, draw(batch, 3), VOCAB, **clock(package))


@every([*TWO, "edit_size", "edit_copy"])
def test_c10_at_the_end_a_row_is_a_draft_between_given_tokens(package):
    for _, _, batch in layouts(package):
        noised = noised_at(package, batch, 1.0)
        fixed = batch.attend.bool() & ~batch.free if batch.attend is not None else ~batch.free
        first = drafted(package, batch)
        assert isinstance(first, Draft)
        for row in range(len(batch.x0)):
            known = [
                (int(g), 1, int(x)) for g, x in zip(first.gap[row], first.token[row], strict=True)
            ]
            known += [(p, 0, int(batch.x0[row, p])) for p in fixed[row].nonzero()[:, 0].tolist()]
            there = [one for one in sorted(known, key=lambda o: o[:2]) if one[0] < len(fixed[row])]
            assert tokens(noised.xt[row]) == [x for _, _, x in there]
            free = [x for x, own in zip(noised.xt[row], noised.free[row], strict=True) if own]
            assert [int(x) for x in free] == [x for _, new, x in there if new]


@every(TWO)
def test_c10_tokens_of_a_draft_are_anywhere(package):
    """Each is in any open gap, as likely; with random ones any token is as likely."""
    open_ = torch.zeros(ROWS, 6, dtype=torch.bool)
    open_[:, [1, 2, 4]] = True
    found = package.noise.draft(open_, draw(repeat(one(package, (A,)), ROWS), 3), VOCAB)
    size = found.gap.shape[1]
    law = Counter()
    for gaps in product((1, 2, 4), repeat=size):
        law[tuple(sorted(gaps))] += 3.0**-size
    samples_of(Counter(map(tuple, found.gap.tolist())), law)
    if package.spec.has("random"):
        samples_of(Counter(found.token.flatten().tolist()), {A: 1 / 3, B: 1 / 3, C: 1 / 3})
    else:
        assert (found.token == MASK).all()


@every(TWO)
def test_c10_a_row_without_open_gaps_has_no_draft(package):
    closed = Example(0, (A, B), (), (True, True), (False, False, False))
    batch = package.layout("infill", 5)([closed])
    noised = noised_at(package, batch, 1.0)
    assert tokens(noised.xt[0]) == tokens(batch.x0[0])
    assert not noised.extra.any()


@every(ALL)
@pytest.mark.parametrize("text", [(A, B, A), (C, A)])
@pytest.mark.parametrize("t", [0.3, 0.9])
def test_c10_what_is_left_is_binomial(package, text, t):
    """Of D edits each is left with the chance 1 - alpha(t), whatever the alignment."""
    batch = repeat(one(package, text), ROWS)
    noised = noised_at(package, batch, t)
    seen = Counter(noised.gone.sum(1).tolist())
    if package.has("drafting"):
        seen = Counter(
            (noised.gone.sum(1) + (noised.extra + noised.changed.long()).sum(1)).tolist()
        )
    law = Counter()
    for draft, q in drafts_of(package).items():
        far = edits(alignments(text, draft)[0])
        for k in range(far + 1):
            law[k] += q * comb(far, k) * t**k * (1 - t) ** (far - k)
    samples_of(seen, law)


def drafts_of(package):
    return next(one for name, one in DRAFTS.items() if package.spec.has(WRITTEN[name]))


WRITTEN = {"edit_random": "random(1)", "edit_masks": "masks(2)", "edit_empty": "~ empty"}


@every(TWO)
def test_c10_states_and_edits_have_their_law(package):
    text, t = (A, B, A), 0.4
    batch = repeat(one(package, text), ROWS)
    noised = noised_at(package, batch, t)
    law = Counter()
    for chance, _, state, left in states({text: 1.0}, drafts_of(package), t):
        law[state, left] += chance
    seen = Counter((body(noised.xt[i].tolist()), left_of(noised, batch, i)) for i in range(ROWS))
    samples_of(seen, law)


@every([*ALL, "edit_size", "edit_copy"])
def test_c10_rows_do_not_depend_on_the_rows_beside_them(package):
    for _, _, batch in layouts(package):
        whole = noised_at(package, batch, 0.6)
        for row in range(len(batch.x0)):
            alone = noised_at(package, pick(batch, torch.tensor([row])), 0.6)
            assert tokens(alone.xt[0]) == tokens(whole.xt[row])
            assert alone.gone[0].tolist() == whole.gone[row].tolist()


# Loss and likelihood


def heads(package, law, tilt=0.0):
    return Exact(law, drafts_of(package), tilt)


def poisson(mean, n):
    return mean - n + (n * log(n / mean) if n else 0.0)


def costs(net, state, left, level):
    """The five costs of a state with some edits left."""
    exact = net.answers(state, level)
    off = [1 + net.tilt * float(np.cos(i)) for i in range(len(state) + 1)]
    gone = Counter(place for kind, place, _ in left if kind == "gone")
    found = dict.fromkeys(("missing", "new", "surplus", "wrong", "right"), 0.0)
    for place in range(len(state) + 1):
        found["missing"] += poisson(max(exact.gone[place].sum() * off[place], 1e-30), gone[place])
    for place in range(len(state)):
        kinds = {kind for kind, at, _ in left if at == place and kind != "gone"}
        for head, kind, rate in (
            ("surplus", "extra", exact.extra[place]),
            ("wrong", "changed", exact.changed[place].sum()),
        ):
            found[head] += poisson(max(rate * off[place + 1], 1e-30), int(kind in kinds))
    for kind, place, token in left:
        if kind != "extra":
            law = getattr(exact, kind)[place]
            chance = (1 - net.tilt / 2) * law[token] / law.sum() + net.tilt / 2 / 3
            found["new" if kind == "gone" else "right"] += -log(chance)
    return found


@every(ALL)
@pytest.mark.parametrize("tilt", [0.0, 0.5])
def test_l17_expected_loss(package, tilt):
    t, law = 0.5, {(A, A, B): 1.0}
    net = heads(package, REPEATS | {(A, A, B): 1.0}, tilt)
    known = Counter()
    for chance, _, state, left in states(law, drafts_of(package), t):
        for name, cost in costs(net, state, left, t).items():
            known[name] += chance * cost * 0.999 / t  # the hazard of 1 - t, by the range of t
    batch = repeat(one(package, (A, A, B)), 600)
    noised = noised_at(package, batch, t)
    found = {name: [] for name in known}
    for row in range(len(batch.x0)):
        index = torch.tensor([row])
        parts = package.family.loss(net, pick(noised, index), pick(batch, index)).terms
        for name, value in parts.items():
            found[name].append(float(value))
    for name in parts:
        mean_is(torch.tensor(found[name]), known[name])


@every(ALL)
def test_l17_exact_heads_cost_least(package):
    """The gradient is zero at the expected numbers of edits and the conditional chances."""
    level, law, drafts = 0.6, REPEATS, drafts_of(package)

    def cost(tilt):
        net = heads(package, law, tilt)
        return sum(
            p * sum(costs(net, s, e, level).values()) for p, _, s, e in states(law, drafts, level)
        )

    assert cost(0.0) < min(cost(0.05), cost(0.3)) - 1e-5
    assert cost(1e-4) - cost(0.0) < 1e-3


def bound(net, text, points=48):
    """The bound of a text by an integral over time of the costs of all states."""
    nodes, weights = np.polynomial.legendre.leggauss(points)
    total = 0.0
    for u, v in zip((nodes + 1) / 2, weights / 2, strict=True):
        x, w = u**3, 3 * u**2 * v  # smooth at both ends
        for chance, _, state, left in states({text: 1.0}, net.drafts, x):
            several = Counter(one for one in left if one[0] == "gone")
            more = sum(n * log(n) for n in several.values())
            more -= sum(n * log(n) for n in Counter(p for k, p, _ in left if k == "gone").values())
            cost = sum(costs(net, state, left, x).values())
            total += w / x * chance * (cost + more)
    return total


@every(["edit_empty"])
@pytest.mark.parametrize(
    ("law", "values"),
    [
        ({(A, B): 0.5, (B,): 0.3, (A,): 0.2}, {}),
        ({(A, B, C): 0.6, (C, A): 0.4}, {}),
        ({(A, A): 0.5, (A,): 0.5}, {(A, A): 1.3863}),
        ({(A, A, A): 0.5, (A,): 0.5}, {(A, A, A): 2.2539}),
    ],
)
def test_l17_from_an_empty_draft_only_repeats_cost_more(package, law, values):
    """Keyed by gaps: `aa` costs log 2 more, and nothing where no token is repeated."""
    net = heads(package, law)
    for text, p in law.items():
        assert bound(net, text) == pytest.approx(values.get(text, -log(p)), abs=2e-4)
        batch = repeat(one(package, text), 3000)
        mean_is(nelbo(package, net, batch), values.get(text, -log(p)))


def nelbo(package, net, batch, seed=5):
    return package.family.nelbo(net, batch, draw(batch, seed)).nats


@every(TWO)
@pytest.mark.parametrize("tilt", [0.0, 0.5])
def test_l17_the_likelihood_is_the_bound(package, tilt):
    net = heads(package, TEXTS, tilt)
    total = 0.0
    for text, p in TEXTS.items():
        known = bound(net, text, 24)
        mean_is(nelbo(package, net, repeat(one(package, text), 3000)), known)
        assert tilt or known > -log(p) - 1e-3
        total += exp(-known)
    assert total < 1 + 1e-3


@every([*ALL, "edit_size", "edit_copy"])
def test_l17_the_claim_is_a_bound(package):
    assert package.family.claim.value == "bound"
    assert package.family.samples["default"].law == "limit"
    assert package.family.claim.tilt is even


# Decoding


def stepped(law, drafts, state, t, s):
    """The law of the state after a step in which every place is edited on its own."""
    exact = expected(law, drafts, t).get(state)
    if exact is None:
        return {state: 1.0}
    share, choices = (t - s) / t, []
    for place in range(len(state) + 1):
        if place:
            extra, changed = exact.extra[place - 1], exact.changed[place - 1]
            rate = (extra + changed.sum()) * share
            here = {(): extra * share / rate * (1 - exp(-rate))} if extra else {}
            for x in np.nonzero(changed)[0]:
                here[(int(x),)] = changed[x] * share / rate * (1 - exp(-rate))
            old = (state[place - 1],)
            here[old] = here.get(old, 0.0) + exp(-rate)
            choices.append(here)
        gone = exact.gone[place]
        rate = gone.sum() * share
        here = {(int(x),): gone[x] / gone.sum() * (1 - exp(-rate)) for x in np.nonzero(gone)[0]}
        choices.append({**here, (): exp(-rate)})
    found = Counter()
    for outcome in product(*(choice.items() for choice in choices)):
        row = tuple(x for tokens_, _ in outcome for x in tokens_)
        found[row] += np.prod([p for _, p in outcome])
    return found


def decoded_law(law, drafts, steps):
    now = Counter(drafts)
    for i in range(steps):
        later = Counter()
        for state, p in now.items():
            after = stepped(law, drafts, state, 1 - i / steps, 1 - (i + 1) / steps)
            for row, q in after.items():
                later[row] += p * q
        now = later
    whole = Counter()
    for state, p in now.items():
        whole[tuple(x for x in state if x != MASK)] += p  # masks that are left are taken out
    return whole


@every(ALL)
def test_d19_a_grid_of_steps_samples_by_the_rates(package):
    batch = repeat(one(package, (A,)), 3000)
    decoder = package.sampler("default", steps=3)
    decoded = decoder(heads(package, TEXTS), batch, draw(batch, 5), 12, True)
    samples_of(Counter(map(body, decoded.x.tolist())), decoded_law(TEXTS, drafts_of(package), 3))
    samples_of(Counter(map(body, decoded.history[0].tolist())), drafts_of(package))


@every(ALL)
def test_d19_more_steps_end_nearer_to_the_data(package):
    drafts = drafts_of(package)
    far = [distance(decoded_law(TEXTS, drafts, steps), TEXTS) for steps in (4, 16, 64)]
    assert far[0] > 2.5 * far[1] > 6 * far[2] > 0
    assert far[2] < 0.04


@every(TWO)
def test_d14_given_tokens_stay_and_closed_gaps_stay_closed(package):
    for _, _, batch in layouts(package):
        net = Wide()
        decoded = package.sampler("default", steps=5)(net, batch, draw(batch, 5), 9, True)
        fixed = (~batch.free) if batch.attend is None else batch.attend.bool() & ~batch.free
        for row in range(len(batch.x0)):
            ids = [int(x) for x in batch.x0[row][fixed[row]]]
            for state in decoded.history:
                found = iter(tokens(state[row]))
                assert all(x in found for x in ids)
            lead = int((~batch.inside[row] & fixed[row]).sum())
            assert tokens(decoded.x[row])[:lead] == ids[:lead]
            inside = decoded.x[row][decoded.body[row]].tolist()
            assert all(x >= A or x == MASK for x in inside)


class Wide(torch.nn.Module):
    """Heads that edit everywhere, whatever the row is."""

    vocab = VOCAB

    def trunk(self, x, attend, t):
        return torch.zeros((*x.shape, 1), dtype=torch.float64)

    def missing(self, hidden):
        return torch.full((len(hidden),), 1.0)

    surplus = wrong = missing

    def new(self, hidden):
        logits = torch.full((len(hidden), VOCAB.size), -torch.inf)
        logits[:, B] = 0
        return logits

    right = new


@every(TWO)
def test_d19_of_two_edits_of_a_token_one_comes_in_proportion(package):
    one_, other = torch.full((1, 40_000), 0.6).double(), torch.full((1, 40_000), 0.3).double()
    noise = draw(repeat(one(package, (A,)), 1), 5)
    u, everywhere = noise.uniform("edit", 40_000), torch.ones(1, 40_000, dtype=torch.bool)
    gone, changed = package.editing.either(one_, other, u, everywhere)
    assert not (gone & changed).any()
    hit = 1 - exp(-0.9)
    seen = {"gone": int(gone.sum()), "changed": int(changed.sum())}
    seen["none"] = 40_000 - sum(seen.values())
    samples_of(seen, {"gone": hit * 2 / 3, "changed": hit / 3, "none": 1 - hit})


@every(["edit_random"])
def test_d19_all_edits_of_a_step_are_of_the_same_row(package):
    """Every set of deletions with every set of insertions, of one row."""
    body_, choices = (A, B, C), list(product((False, True), repeat=7))
    batch = repeat(one(package, body_), len(choices))
    canvas = package.canvas.Canvas.of(Wide(), batch, 9)
    gaps = torch.tensor([choice[:4] for choice in choices])
    gone = torch.tensor([(False, *choice[4:]) for choice in choices])
    token = torch.arange(int(gaps.sum())) % 3 + A
    made = package.editing.edited(canvas, gone, gaps, token)
    new = iter(token.tolist())
    for row, choice in enumerate(choices):
        known = []
        for place, old in enumerate((VOCAB["bos"], *body_)):
            known += [] if gone[row, place] else [old]
            known += [next(new)] if choice[place] else []
        assert tokens(made.x[row]) == known


@every(TWO)
def test_d16_a_row_has_room_for_its_draft_beside_the_text(package):
    class Growing(Wide):
        def surplus(self, hidden):
            return torch.zeros(len(hidden))

        def missing(self, hidden):
            return torch.full((len(hidden),), 5.0)

    batch = repeat(one(package, (A,)), 200)
    size = len(next(iter(drafts_of(package))))
    decoded = package.sampler("default", steps=30)(Growing(), batch, draw(batch, 5), 4, True)
    sizes = [int((state >= A).sum(1).max()) for state in decoded.history[:-1]]
    assert max(sizes) == 4 + size
    assert int(decoded.body.sum(1).max()) == 4


@every(TWO)
def test_d16_a_full_row_goes_on_when_tokens_have_left_it(package):
    """No gap closes for ever: a token may leave a full row, and another one come."""

    class Turning(Wide):
        def wrong(self, hidden):
            return torch.zeros(len(hidden))

    batch = repeat(one(package, (A,)), 100)
    decoded = package.sampler("default", steps=40)(Turning(), batch, draw(batch, 5), 1, True)
    sizes = torch.stack([(state >= A).sum(1) for state in decoded.history[5:]])
    grown = (sizes.diff(dim=0) > 0).sum()
    assert int(grown) > 100
