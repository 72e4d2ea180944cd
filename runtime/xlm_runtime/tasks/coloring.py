"""Graph colouring: give each vertex one of three colours so that no edge joins two of a kind.

A graph is made around a hidden colouring: each pair of vertices of different colours is an edge
with a chance drawn anew for each graph, so that sparse and dense ones occur. The prompt is the list
of edges, shuffled, an edge a word (`2-5`); the body the colour of each vertex. Any proper colouring
is right.

With ``--preset paper`` graphs are read from ``brozonoyer/gram-graph-coloring`` on the Hub, where
graphs of all sizes are listed pair of vertices by pair (``input``, the upper triangle row by row:
1 no edge, 2 an edge; ``target``: the colours 3, 4 and 5 of the vertices); graphs of another size
are left out. Tables of one's own (``--data``) have the same two columns.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import ClassVar

import numpy as np

from xlm_runtime.plug import Example
from xlm_runtime.tasks.base import tables
from xlm_runtime.tasks.base.made import MadeTask
from xlm_runtime.tasks.base.problem import Problem
from xlm_runtime.tasks.base.sources import Source
from xlm_runtime.tasks.base.splits import Name
from xlm_runtime.tasks.base.task import SMALL

COLOURS = 3
REPO = "brozonoyer/gram-graph-coloring"
FILES = {name: f"data/{name}-*.parquet" for name in ("train", "test")}
HELD_OUT: dict[Name, float] = {"validation": 0.05}
EDGE, FIRST = 2, 3  # an edge, and the first colour, in tables


class Coloring(MadeTask):
    """Three colours for n vertices."""

    layout = "seq2seq"
    columns: ClassVar[Sequence[str]] = ("input", "target")
    train_size: ClassVar[Mapping[str, int]] = {"quick": 64_000, "paper": 200_000}
    held_out: ClassVar[Mapping[str, int]] = {"quick": 256, "paper": 1_000}
    quick: ClassVar[Mapping[str, float | int | str]] = {**SMALL, "train.steps": 3000}

    def __init__(self, n: int) -> None:
        self.n = n
        self.pairs = list(combinations(range(n), 2))
        self.longest_prompt = len(self.pairs)
        self.name = f"graph_coloring_{n}"
        self.title = f"Colour the {n} vertices of a graph with {COLOURS} colours"

    def published(self) -> Source:
        """Return the data set on the Hub."""
        return tables.published(REPO, FILES, self.columns, 10_000_000, held_out=HELD_OUT)

    def row(self, *texts: str) -> Problem | str:
        """Parse the edges of a graph, in their order, and a colouring."""
        pairs, colours = (tables.numbers(text) for text in texts)
        if pairs is None or len(pairs) != len(self.pairs):
            return f"no {len(self.pairs)} pairs of vertices in 'input'"
        if colours is None or len(colours) != self.n:
            return f"no {self.n} colours in 'target'"
        if set(pairs) - {1, EDGE} or set(colours) - set(range(FIRST, FIRST + COLOURS)):
            return f"a number that is no edge (1, {EDGE}) or no colour (3, 4, 5)"
        body = [colour - FIRST for colour in colours]
        edges = [i for i, pair in enumerate(pairs) if pair == EDGE]
        if not edges:
            return "a graph without an edge"
        if any(body[a] == body[b] for a, b in (self.pairs[i] for i in edges)):
            return "an answer that breaks the rules"
        return Problem(body, prompt=[COLOURS + i for i in edges])

    def words(self, _: str) -> list[str]:
        """List the words: the colours, then the edges."""
        return [*"rgb", *(f"{a}-{b}" for a, b in self.pairs)]

    def draw(self, _: str, rng: np.random.Generator) -> Problem:
        """Draw a graph with at least two edges, and the colouring that it was made around."""
        colours = rng.permuted(np.arange(self.n) % COLOURS)
        while True:
            wanted = rng.random(len(self.pairs)) < rng.uniform(0.3, 0.9)
            edges = [
                i for i, (a, b) in enumerate(self.pairs) if wanted[i] and colours[a] != colours[b]
            ]
            if len(edges) > 1:
                break
        prompt = COLOURS + rng.permutation(edges)
        return Problem(colours.tolist(), prompt=prompt.tolist())

    def right(self, answer: Sequence[int], example: Example) -> bool:
        """Return whether every vertex has a colour and no edge joins two of a kind."""
        proper = all(answer[a] != answer[b] for a, b in self._edges(example))
        return max(answer, default=0) < COLOURS and proper

    def chance(self, example: Example) -> float:
        """Return the number of proper colourings over that of all colourings."""
        before: list[list[int]] = [[] for _ in range(self.n)]  # neighbours of smaller numbers
        for a, b in self._edges(example):
            before[b].append(a)

        def proper(colours: list[int]) -> int:
            if len(colours) == self.n:
                return 1
            taken = {colours[a] for a in before[len(colours)]}
            return sum(proper([*colours, c]) for c in range(COLOURS) if c not in taken)

        return float(proper([]) / COLOURS**self.n)

    def _edges(self, example: Example) -> Iterator[tuple[int, int]]:
        return (self.pairs[word - COLOURS] for word in example.prompt)


EIGHT, TEN = Coloring(8), Coloring(10)
