"""Decoders, run on copies of one canvas, with the exact table of a law: what they make of it."""

import itertools
from collections import Counter

import numpy as np
import pytest
from laws import zoo
from laws.build import VOCAB, A, B
from laws.costs import row_of
from laws.examples import around, examples, network, one
from laws.flow import exact
from laws.prefix import Prefixes, nexts
from laws.scripted import draw, repeat
from laws.table import Table, conditionals, insertion_heads

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
APART = {(x, y): p * q for x, p in ((A, 0.8), (B, 0.2)) for y, q in ((A, 0.3), (B, 0.7))}
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
    """Count how often each body was made."""
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
            return exact(package, law)
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


def cases(package):
    """Every layout with a batch and a network of its own."""
    for name in package.family.layouts:
        layout = package.layout(name, 5)
        made = layout(examples(name, begins=layout.begins))
        yield name, made, network(package, name)


def takes_back(spec, name):
    """Return whether a decoder of a spec may turn a token back into a mask."""
    return "remask" in spec.says(name, r"step *[{][^}]*")[0]


def name_of_chain(package):
    if not package.has("noise"):
        return "none"
    if package.spec.two:
        return "both"
    return "gone" if package.has("noise.close") else "mask"


def made(decoded):
    """Return the body that a decoder made of each row, and its calls."""
    rows = zip(decoded.x, decoded.body, decoded.nfe, strict=True)
    return [(x[body].tolist(), int(nfe)) for x, body, nfe in rows]


def grown(package, name, law, rows, body=(A,), limit=LIMIT, record=True, **params):
    """The exact heads, and many rows that begin as the masks of a body."""
    flow = exact(package, law)
    batch = repeat(one(package, body), rows)
    return flow, package.sampler(name, **params)(flow, batch, draw(batch, 41), limit, record)
