"""A network whose law at each place is given, and laws of rows by all tokens that it may draw."""

from collections import Counter
from itertools import product

import torch
from laws.build import VOCAB, A, B, C

LAWS = ({A: 0.5, B: 0.45, C: 0.05}, {A: 0.1, B: 0.9}, {A: 0.2, B: 0.3, C: 0.5})


class Fixed:
    """A network whose law at each place is given, whatever the row."""

    def __init__(self, *laws) -> None:
        self.vocab, self.law = VOCAB, torch.full((len(laws) + 2, VOCAB.size), -torch.inf).double()
        for place, law in enumerate(laws, 1):
            for token, chance in law.items():
                self.law[place, token] = torch.tensor(chance).double().log()
        self.law[0, A] = self.law[-1, A] = 0.0

    def trunk(self, xt, attend):
        return self.law[: xt.shape[1]].expand(len(xt), -1, -1)

    def token(self, hidden):
        return hidden


def enumerated(body, takes):
    """The law of a row after a step, by all tokens that may be drawn; `takes` gives the places."""
    law = Counter()
    for fresh in product(*(one.items() for one in LAWS)):
        chance, tokens = 1.0, [token for token, _ in fresh]
        for _, p in fresh:
            chance *= p
        other = [i for i in range(3) if tokens[i] != body[i]]
        taken = takes(tokens, other)
        law[tuple(tokens[i] if i in taken else body[i] for i in range(3))] += chance
    return dict(law)
