"""Tables that answer by a law, exactly or wrongly, and likelihoods of packages by them."""

import numpy as np
import torch
from laws.build import VOCAB
from laws.costs import row_of
from laws.examples import around, one
from laws.scripted import every_count
from laws.table import Table, conditionals, drops, insertion_heads, scrambled


def whole(package, law):
    """A law over bodies as one over rows, and the free places."""
    rows = {row_of(package, body)[0]: p for body, p in law.items()}
    return rows, row_of(package, next(iter(law)))[1]


def mask_table(package, law, wrong=False, tilt=0.0):
    tables = conditionals(*whole(package, law))
    tables = scrambled(tables) if wrong else tables
    return tables, Table(tables, tilt=tilt, shift=package.spec.shift)


def gone_table(package, law, weighted, wrong=False):
    """The heads that weight 1, or weight L + 1, trains on a law; or wrong ones."""
    before, after = around(package)
    logits, odds = insertion_heads(
        law, (lambda n: n + 1) if weighted else lambda n: 1, before, after
    )
    if wrong:
        rng = np.random.default_rng(4)
        logits = scrambled(logits)
        odds = {s: z if abs(z) == 40 else float(rng.normal()) for s, z in odds.items()}
    return logits, odds, Table(logits, odds)


def nelbo(package, table, body):
    """The likelihood bound of one body, over all that its noise can do."""
    batch, noise = every_count(one(package, body))
    found = package.family.nelbo(table, batch, noise)
    return float(found.nats.double().mean())


def uniform(package, body):
    """A network that knows nothing but which tokens there are."""
    allowed = torch.zeros(VOCAB.size).masked_fill(~VOCAB.allowed(()), -torch.inf).numpy()
    row, free = row_of(package, body)
    if package.has("noise.close"):
        before, after = around(package)
        states = {before + left + after for left, _, _ in drops(body)}
        return Table({s: np.tile(allowed, (len(s), 1)) for s in states})
    states = conditionals({row: 1.0}, free)
    return Table({s: np.tile(allowed, (len(s), 1)) for s in states}, shift=package.spec.shift)
