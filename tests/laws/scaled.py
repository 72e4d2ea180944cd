"""Two clocks whose scales are learned, by brute force: fates, exact rates, and what they cost.

The scales of a text are known here; as `flow`, it takes chances and costs from their definitions.
"""

from itertools import product
from math import log, prod

import numpy as np
import pytest
import torch
from laws.build import VOCAB, A, B, C
from laws.examples import around
from laws.flow import CLEAN, GONE, MASKED, Flow
from laws.scripted import Scripted

MASK = VOCAB["mask"]
NAMES = ["scaled", "scaled_gaps"]  # the second one has scales of insertion alone
SCALES = {A: (0.5, 2.0), B: (3.0, 0.7), C: (1.5, 1.4)}  # of unmasking and of insertion
LAW = {(A, B): 0.5, (B,): 0.2, (B, A): 0.3}
NODES, WEIGHTS = np.polynomial.legendre.leggauss(40)


def packages(*names):
    return pytest.mark.parametrize("package", names or NAMES, indirect=True)


def clock(package, t):
    """The chance at a scale of 1 that a clock has not fired, and its hazard, by the spec."""
    return (
        (t, 1 / t)
        if package.spec.has("- t**")
        else (1 - (1 - t) ** 2, (2 - 2 * t) / (2 * t - t**2))
    )


def scales_of(package, row):
    """The scales of the tokens of a text: they depend on how many come before, too."""
    both = package.spec.has("poisson(mask)")
    return [
        (SCALES[x][0] * 1.2**i if both else 1.0, SCALES[x][1] * 1.3**i) for i, x in enumerate(row)
    ]


def chances_of(u, w, v):
    """Of a token to be clean, a mask and gone: the closed form of the paper, and its limit."""
    gone = u**v
    masked = v / (v - w) * (u**w - u**v) if w != v else -gone * log(gone)
    return 1 - gone - masked, masked, gone


def state_of(row, fates, scales):
    """A row as it is seen, and what is due there: tokens and scales of masks, sums of gaps."""
    seen, hidden, missing = [], [], [0.0]
    for token, fate, (w, v) in zip(row, fates, scales, strict=True):
        if fate == GONE:
            missing[-1] += v
        else:
            seen.append(MASK if fate == MASKED else token)
            hidden.append((token, w))
            missing.append(0.0)
    return tuple(seen), hidden, missing


def every(row):
    return product((CLEAN, MASKED, GONE), repeat=len(row))


class Known(Flow):
    """Scales of each text, and the exact rates of a law: of a mask to each token, of a gap."""

    def __init__(self, package, law, wrong=0.0):
        super().__init__(package.spec, law, around(package), wrong)
        self.package, self.law = package, law
        self.paces = []

    def clocks(self, x0, attend):
        found = torch.ones(2, *x0.shape, dtype=torch.float64)
        for i, ids in enumerate(x0.tolist()):
            places = [j for j, x in enumerate(ids) if x >= A]
            for j, pair in zip(
                places, scales_of(self.package, [ids[j] for j in places]), strict=True
            ):
                found[:, i, j] = torch.tensor(pair, dtype=torch.float64)
        return self.package.fates.Scales(*found)

    def rates(self, state, t):
        """The mean rates given a state: (place, token), and gap."""
        u, total = clock(self.package, max(t, 1e-12))[0], 0.0  # at 0 as if some were rare
        masks, gaps = np.zeros((len(state), VOCAB.size)), np.zeros(len(state) + 1)
        for row, p in self.law.items():
            scales = scales_of(self.package, row)
            for fates in every(row):
                seen, hidden, missing = state_of(row, fates, scales)
                if seen == state:
                    chance = p * prod(
                        chances_of(u, *pair)[fate] for pair, fate in zip(scales, fates, strict=True)
                    )
                    total += chance
                    gaps += chance * np.array(missing)
                    for i, (token, w) in enumerate(hidden):
                        masks[i, token] += chance * w
        if not total:  # long steps insert too much: nothing is known
            masks[:, A], total = 1.0, 1.0
        return masks / total, gaps / total

    def heads(self, state, t):
        masks, gaps = self.rates(state, t)
        if self.wrong:
            rng = np.random.default_rng([*state, 7])
            masks = masks * np.exp(self.wrong * rng.normal(size=masks.shape))
            gaps = gaps * np.exp(self.wrong * rng.normal(size=gaps.shape))
        self.last = self.around(masks.sum(1))
        return masks / masks.sum(1, keepdims=True).clip(1e-300), gaps

    def around(self, paces):
        """Scales of a body, and some for what is before and after it."""
        return np.concatenate([np.zeros(len(self.before)), paces, np.zeros(len(self.after))])

    def _answer(self, row, t):
        new = (row, t) not in self.known
        found = super()._answer(row, t)
        self.paces += [self.last] if new else []
        return found

    def pace(self, hidden):
        return self._read(self.paces, hidden, ())


def cost_of(package, flow, row, fates, t):
    """The cost of one state at a time, from the definition: of its masks, and of its gaps."""
    state, hidden, missing = state_of(row, fates, scales_of(package, row))
    law, gaps = flow.heads(state, t)
    paces = flow.last[len(flow.before) :]
    if not package.spec.has("poisson(mask)"):
        paces = np.ones(len(state) + 1)
    masks = sum(
        r - w + w * log(w / r) - w * log(law[i, token])
        for i, ((token, w), r) in enumerate(zip(hidden, paces, strict=False))
        if state[i] == MASK
    )
    return masks + sum(
        r - v + (v * log(v / r) if v else 0.0) for v, r in zip(missing, gaps, strict=True)
    )


def mean_cost(package, flow, row, t):
    """The expected cost of a text at a time, over all fates of its tokens."""
    u, scales = clock(package, t)[0], scales_of(package, row)
    shares = [chances_of(u, *pair) for pair in scales]
    return sum(
        prod(share[fate] for share, fate in zip(shares, fates, strict=True))
        * cost_of(package, flow, row, fates, t)
        for fates in every(row)
    )


def path_cost(package, flow, row):
    """The bound of a text: the hazard times the cost, over all times."""
    total = 0.0
    for node, weight in zip(NODES, WEIGHTS, strict=True):
        x = (node + 1) / 2
        t = x**4  # dense near t = 0
        total += weight / 2 * 4 * x**3 * clock(package, t)[1] * mean_cost(package, flow, row, t)
    return total


def given(batch, fates, twins, package, net, t):
    """A batch of one row, whose free tokens have these fates, and those of its twin others."""
    scales = net.clocks(batch.x0, batch.attend)
    u = torch.tensor([[clock(package, t)[0]]], dtype=torch.float64)
    chance = package.fates.chances(u, scales).detach()
    draws = {}
    for stream, own in (("corrupt", fates), ("twin", twins)):
        at = torch.full(batch.x0.shape, 1 - 2.0**-53, dtype=torch.float64)
        for place, fate in zip(batch.free[0].nonzero()[:, 0].tolist(), own, strict=True):
            clean, masked, gone = (float(c[0, place]) for c in chance)
            at[0, place] = {GONE: gone / 2, MASKED: gone + masked / 2, CLEAN: 1 - clean / 2}[fate]
        draws[stream] = at
    times = torch.tensor([t], dtype=torch.float64)
    return package.family.corrupt(batch, times, Scripted(**draws), net)
