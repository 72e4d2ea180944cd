"""Star graphs: lines of nodes that cross in one centre, and a path from a source to a goal.

``degree`` lines of nodes cross in one centre, all edges pointing the same way. A line has between
``shortest`` and ``longest`` nodes, at least ``ahead`` of them behind the centre. The path to find
is the first line: source is its first node, goal its last. With ``ahead = longest - 1`` every line
starts in the centre: the symmetric star of Bachmann & Nagarajan 2024 (arXiv:2403.06963); else it
is the asymmetric one of Patel et al. 2025 (arXiv:2505.05755).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

import torch

from xlm_runtime.plug import Noise
from xlm_runtime.shapes import Int, Tensor
from xlm_runtime.system.errors import RunError
from xlm_runtime.tasks.base.splits import Name

_SHARES = 16  # of all problems, one in so many is for testing, and as many for validation
_DRAWS = 512  # at one in 16, so many draws without a hit have a chance of 1e-14
_CHUNK = 4096


@dataclass(frozen=True)
class Star:
    """A kind of star graph; see the module."""

    degree: int
    shortest: int
    longest: int
    ahead: int
    labels: int
    path: Literal["edges", "nodes"]
    joined: bool = False  # an edge of the prompt is one word, `3>5`
    backward: bool = False  # the path is written from goal to source

    @property
    def prompt(self) -> int:
        """The largest number of tokens of a prompt."""
        return (1 if self.joined else 2) * self.degree * (self.longest - 1) + 2

    @property
    def words(self) -> list[str]:
        """The words of prompts and bodies, in the order of their ids."""
        nodes = range(self.labels)
        edges = [f"{tail}>{head}" for tail in nodes for head in nodes] if self.joined else []
        return [*map(str, nodes), *edges]

    @property
    def body(self) -> int:
        """The largest number of tokens of a body."""
        return 2 * (self.longest - 1) if self.path == "edges" else self.longest


@dataclass(frozen=True)
class Graphs:
    """Graphs of one kind; -1 fills the places of lines that are shorter than the longest."""

    edges: Int[Tensor, "graphs edges 2"]
    path: Int[Tensor, "graphs nodes"]

    @property
    def ends(self) -> Int[Tensor, "graphs 2"]:
        """Source and goal."""
        last = (self.path >= 0).sum(1, keepdim=True) - 1
        return torch.cat([self.path[:, :1], self.path.gather(1, last)], 1)

    def prompts(self, star: Star) -> Int[Tensor, "graphs tokens"]:
        """Return edges, source and goal, as ids of the words of a kind of star."""
        edges = self.edges.flatten(1)
        if star.joined:
            tail, head = self.edges.unbind(-1)
            edges = torch.where(tail >= 0, star.labels * (1 + tail) + head, -1)
        return torch.cat([edges, self.ends], 1)

    @property
    def pairs(self) -> Int[Tensor, "graphs tokens"]:
        """The path as edges."""
        pairs = torch.stack([self.path[:, :-1], self.path[:, 1:]], -1)
        return torch.where(pairs[..., 1:] >= 0, pairs, -1).flatten(1)

    @property
    def turned(self) -> "Graphs":
        """The same graphs with their paths from goal to source."""
        last = (self.path >= 0).sum(1, keepdim=True) - 1
        place = last - torch.arange(self.path.shape[1])
        return Graphs(
            self.edges, self.path.gather(1, place.clamp(min=0)).masked_fill(place < 0, -1)
        )

    def problems(self) -> list[bytes]:
        """Return a digest of each problem: the set of its edges, its source and its goal."""
        tail, head = self.edges.unbind(-1)
        code = torch.where(tail >= 0, tail << 16 | head, -1).sort(1).values
        rows = torch.cat([code, self.ends], 1).numpy().astype("<i8")
        return [blake2b(row.tobytes(), digest_size=16).digest() for row in rows]


def draw(star: Star, noise: Noise, stream: str) -> Graphs:
    """Draw a graph for each row of ``noise``, from its seed, its example and ``stream``."""

    def uniform(what: str, positions: int) -> Tensor:
        return noise.uniform(f"{stream} {what}", positions)

    spread = star.longest - star.shortest + 1
    length = star.shortest + _integers(uniform("length", star.degree), spread)  # graphs lines
    centre = _integers(uniform("centre", star.degree), length - star.ahead)  # its place in a line
    labels = uniform("label", star.labels).argsort(1)
    place = torch.arange(star.longest)
    before = (length - 1).cumsum(1) - (length - 1)  # nodes of earlier lines, the centre apart
    node = 1 + before[..., None] + place - (place > centre[..., None]).long()  # graphs lines nodes
    node = torch.where(place == centre[..., None], 0, node)
    there = place < length[..., None]
    node = torch.where(there, node, 0)
    line = torch.where(there, labels.gather(1, node.flatten(1)).view_as(node), -1)
    return Graphs(_shuffled(line, uniform("order", star.degree * (star.longest - 1))), line[:, 0])


def _shuffled(line: Int[Tensor, "graphs lines nodes"], order: Tensor) -> Tensor:
    """List the edges along the lines by ascending ``order``, missing ones (-1) last."""
    edges = torch.stack([line[..., :-1], line[..., 1:]], -1).flatten(1, 2)
    missing = edges[..., 1] < 0
    place = order.masked_fill(missing, 2.0).argsort(1)
    return edges.masked_fill(missing[..., None], -1).gather(1, place[..., None].expand_as(edges))


def split_of(problem: bytes) -> Name:
    """Return the split of a problem: a function of the problem, so that splits share none."""
    share = problem[0] % _SHARES
    return "test" if share == 0 else "validation" if share == 1 else "train"


def graphs(star: Star, split: Name, index: Int[Tensor, " graphs"], seed: int) -> Graphs:
    """Draw the graphs of a split at these places, repeatedly until they belong to the split.

    Raises RunError for a kind of star with so few problems that the split has none.
    """
    edges = torch.empty(len(index), star.degree * (star.longest - 1), 2, dtype=torch.long)
    path = torch.empty(len(index), star.longest, dtype=torch.long)
    waiting, at_once = torch.arange(len(index)), 1 if split == "train" else _SHARES
    for first in range(0, _DRAWS, at_once):
        tries = torch.arange(first, first + at_once) << 40  # beyond every place
        made = draw(star, Noise(seed, (index[waiting, None] + tries).flatten()), split)
        right = torch.tensor([split_of(p) == split for p in made.problems()]).view(-1, at_once)
        hit = right.any(1)
        row = (right.int().argmax(1) + torch.arange(len(waiting)) * at_once)[hit]
        edges[waiting[hit]], path[waiting[hit]] = made.edges[row], made.path[row]
        waiting = waiting[~hit]
        if not len(waiting):
            return Graphs(edges, path)
    raise RunError(f"none of {_DRAWS} star graphs belongs to {split}: too few differ ({star})")


def _integers(uniform: Tensor, below: Tensor | int) -> Tensor:
    """Map U[0, 1) to integers from 0 to ``below - 1``."""
    return (uniform * below).long()


def fresh(star: Star, split: Name, size: int, seed: int) -> Iterator[Graphs]:
    """Yield graphs 0 .. size - 1."""
    for start in range(0, size, _CHUNK):
        yield graphs(star, split, torch.arange(start, min(start + _CHUNK, size)), seed)


def distinct(star: Star, split: Name, size: int, seed: int) -> Iterator[Graphs]:
    """Yield the first ``size`` distinct problems.  Raises RunError if there are not so many."""
    seen: set[bytes] = set()
    for start in range(0, 100 * size, size):
        made = graphs(star, split, torch.arange(start, start + size), seed)
        new = []
        for row, problem in enumerate(made.problems()):
            if problem not in seen and len(seen) < size:
                seen.add(problem)
                new.append(row)
        yield Graphs(made.edges[new], made.path[new])
        if len(seen) == size:
            return
    raise RunError(f"there are fewer than {size} such star graphs for {split}: {star}")
