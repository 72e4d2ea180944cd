"""Alignments of texts with drafts, and the noise on the way between, against brute force."""

from collections import Counter
from itertools import product
from math import comb

import pytest
import torch
from laws.build import VOCAB, A, B, C
from laws.decoded import every
from laws.drafted import MASK, alignments, edits, states
from laws.edited import ALL, ROWS, TWO, body, clock, drafts_of, left_of, made_whole, noised_at
from laws.examples import layouts, one, tokens
from laws.scripted import draw, pick, repeat
from laws.stats import samples_of

from xlm_runtime.plug import Draft, Example


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
