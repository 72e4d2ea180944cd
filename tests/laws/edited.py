"""Packages of drafts, run: rows on their way, the edits that are left, and networks that edit."""

import torch
from laws.build import VOCAB, A, B
from laws.drafted import DRAFTS, MASK, Exact
from laws.examples import tokens
from laws.scripted import draw

TWO = ["edit_random", "edit_masks"]
ALL = [*TWO, "edit_empty"]
ROWS = 6000
WRITTEN = {"edit_random": "random(1)", "edit_masks": "masks(2)", "edit_empty": "~ empty"}


def drafts_of(package):
    return next(one for name, one in DRAFTS.items() if package.spec.has(WRITTEN[name]))


def heads(package, law, tilt=0.0):
    return Exact(law, drafts_of(package), tilt)


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


def made_whole(noised, batch, row):
    """A row on which all edits that are left have been made."""
    found, ids = [], tokens(noised.xt[row])
    gone = noised.gone[row].nonzero()[:, 0].tolist()
    for place, token in enumerate(ids):
        token = int(noised.clean[row, place]) if noised.changed[row, place] else token
        found += [] if noised.extra[row, place] else [token]
        found += [int(batch.x0[row, x]) for x in gone if noised.gap[row, x] == place]
    return found


def nelbo(package, net, batch, seed=5):
    return package.family.nelbo(net, batch, draw(batch, seed)).nats


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
