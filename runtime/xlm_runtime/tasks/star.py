"""Star graphs: find the path from a source to a goal.  Generated, by index, without end.

``degree`` lines of nodes cross in one centre, all edges pointing the same way. A line has between
``shortest`` and ``longest`` nodes, at least ``ahead`` of them behind the centre. The path to find
is the first line: source is its first node, goal its last. With ``ahead = longest - 1`` every line
starts in the centre: the symmetric star of Bachmann & Nagarajan 2024 (arXiv:2403.06963); else it
is the asymmetric one of Patel et al. 2025 (arXiv:2505.05755), whose three sizes these are.

The prompt is the list of edges, shuffled, then source and goal; the body is the path, as pairs of
nodes (``edges``, as published) or node by node (``nodes``). For small models an edge of the prompt
is one word, so that its two ends need not be matched first. A model that follows the edges and
chooses a line at random at the centre is right in 1 of ``degree`` cases: the rate of a guess, and
all that a model learns that writes from left to right and must begin with the hard choice. With
``backward`` the path is written from goal to source. In a symmetric star each of its steps is
forced, so that it can be decided from left to right.

With ``--preset paper`` graphs are read from the Hub (`PUBLISHED`; the columns are ``edge_list``, a
list of pairs of nodes, ``source``, ``goal`` and ``path``, a list of nodes); ``star_back`` is made.
Tables of one's own (``--data``) have the same columns.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from xlm_runtime.data import store
from xlm_runtime.data.store import Block, Examples, Ints, Writer
from xlm_runtime.plug import Noise
from xlm_runtime.shapes import Int, Tensor
from xlm_runtime.system.cache import cached
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.system.progress import Watch
from xlm_runtime.tasks.base import tables
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared, roomy
from xlm_runtime.tasks.base.problem import Problem
from xlm_runtime.tasks.base.sources import Source
from xlm_runtime.tasks.base.splits import SPLITS, Name
from xlm_runtime.tasks.base.task import SMALL, Task
from xlm_runtime.tokenizers import Tokenizer, words

_VERSION = 3
_SIZES = {"easy": "small", "medium": "medium", "hard": "hard"}
_SHARES = 16  # of all problems, one in so many is for testing, and as many for validation
_CHUNK = 4096
COLUMNS = ("edge_list", "source", "goal", "path")
PUBLISHED = {f"star_{ours}": f"dhruveshpatel/star-{theirs}" for ours, theirs in _SIZES.items()}
FILES = {str(name): f"**/{name}-*.parquet" for name in SPLITS}
_DRAWS = 512  # at one in 16, so many draws without a hit have a chance of 1e-14


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


class StarTask(Task):
    """Star graphs of one size: as published, and small enough to be learned in minutes."""

    layout = "seq2seq"
    makes = True

    def __init__(
        self, name: str, paper: Star, quick_star: Star, quick: Mapping[str, float | int | str]
    ) -> None:
        self.name = name
        few, many = quick_star.degree, paper.degree
        lines = f"{many} lines" + (f" (quick: {few})" if few < many else "")
        what = "the path, backwards, one" if paper.backward else "the path, one"
        self.title = f"Star graphs: {what} of {lines} that meet"
        self.quick = quick  # type: ignore[misc]
        self._stars = {"paper": paper, "quick": quick_star}
        self._sizes: dict[str, dict[Name, int]] = {
            "paper": {"train": 50_000, "validation": 100, "test": 5_000},
            "quick": {"train": 4_000 * 64, "validation": 256, "test": 512},
        }

    def star(self, preset: str) -> Star:
        """Return the kind of star of a preset."""
        return self._stars[preset]

    def about(self, options: DataOptions) -> Mapping[str, Any]:
        """Describe the source, the kind of star, and the protocol."""
        table = self._published(options)
        star = self.star("paper" if options.data or table else options.preset)
        words = f"{star.labels} nodes" + (" and their edges, a word each" if star.joined else "")
        facts = {**_kind(star), "tokenizer": words}
        if options.data:
            return {"source": str(options.data), "columns": list(COLUMNS), **facts, **_TABLE}
        if table:
            return {"source": table.title, **table.key, **facts, **_TABLE}
        return {**facts, **_facts(star, self._sizes[options.preset], options.seed)}

    def published(self) -> Source | None:
        """Return the data set on the Hub; None if there is none."""
        repo = PUBLISHED.get(self.name)
        return tables.published(repo, FILES, COLUMNS, 15_000_000) if repo else None

    def prepare(self, options: DataOptions) -> Prepared:
        """Generate the graphs, or read them, or find them in the cache."""
        table = tables.own(options, COLUMNS) if options.data else self._published(options)
        if table is not None:
            return self._read(table.fixed(options.cache), options)
        star, sizes = self.star(options.preset), self._sizes[options.preset]
        tokenizer = words(star.words, options.specials)
        key = {
            "task": [self.name, _VERSION, store.VERSION],
            "star": asdict(star),
            "sizes": dict(sizes),
            "seed": options.seed,
            "tokenizer": tokenizer.fingerprint,
        }
        vocab = tokenizer.vocabulary.size

        def build(folder: Path) -> dict[str, Any]:
            for split, size in sizes.items():
                _write(folder / split, star, split, size, options.seed, vocab)
            return _facts(star, sizes, options.seed)

        self._room(star, options)
        built = cached(options.cache, self.name, key, build)
        return self._prepared(built.folder, built.facts, options, tokenizer, star)

    def row(self, *texts: str) -> Problem | str:
        """Parse the graph of a row as a problem, or return its fault."""
        star, read = self.star("paper"), [tables.numbers(text) for text in texts]
        for name, found in zip(COLUMNS, read, strict=True):
            if not found:
                return f"no numbers in '{name}'"
            if max(found) >= star.labels:
                return f"a node beyond {star.labels - 1} in '{name}'"
        flat, source, goal, path = (found or [] for found in read)
        edges = set(zip(flat[::2], flat[1::2], strict=False))
        if len(flat) % 2 or len(flat) + 2 > star.prompt or len(path) > star.longest:
            return f"a graph that is not of lines of at most {star.longest} nodes"
        if [path[:1], path[-1:]] != [source, goal] or not edges.issuperset(pairwise(path)):
            return "a path that does not lead from source to goal"
        if len(path) < 2:
            return "a path without an edge"
        walk = path[::-1] if star.backward else path
        body = [node for pair in pairwise(walk) for node in pair]
        return Problem(body, prompt=[*flat, *source, *goal])

    def _published(self, options: DataOptions) -> Source | None:
        return self.published() if options.preset == "paper" and not options.made else None

    def _read(self, table: Source, options: DataOptions) -> Prepared:
        """Prepare the graphs of a table, as with preset paper whatever the preset."""
        star = self.star("paper")
        tokenizer = words(star.words, options.specials)
        size = tokenizer.vocabulary.size
        key = {"table": [tables.VERSION, store.VERSION], **table.key, "star": asdict(star)}
        key["vocabulary"] = size
        self._room(star, options)
        built = cached(
            options.cache, self.name, key, lambda at: tables.written(table, at, size, self.row)
        )
        facts = {**table.facts, **built.facts, **_kind(star), **_TABLE}
        return self._prepared(built.folder, facts, options, tokenizer, star)

    def _prepared(
        self,
        folder: Path,
        facts: Mapping[str, Any],
        options: DataOptions,
        tokenizer: Tokenizer,
        star: Star,
    ) -> Prepared:
        return Prepared(
            train=Examples(folder / "train"),
            validation=Examples(folder / "validation"),
            test=Examples(folder / "test"),
            tokenizer=tokenizer,
            body=self._room(star, options),
            prompt=roomy("prompt", options.prompt, star.prompt, self.name),
            facts={**facts, "cache": str(folder)},
        )

    def _room(self, star: Star, options: DataOptions) -> int:
        """Return the capacity of a body.  Raises UsageError for options without a meaning here."""
        if options.tokenizer:
            raise UsageError(
                f"{self.name} has one id per node: neither data.tokenizer nor weights with one fit"
            )
        return roomy("block", options.block, star.body, self.name)


def _write(folder: Path, star: Star, split: Name, size: int, seed: int, vocab: int) -> None:
    make = (_fresh if split == "train" else _distinct)(star, split, size, seed)
    with Writer(folder, vocab) as writer, Watch(f"graphs for {split}", size) as watch:
        for made in make:
            walk = made.turned if star.backward else made
            path = walk.pairs if star.path == "edges" else walk.path
            prompt = Block.padded(_array(made.prompts(star)))
            writer.add(body=Block.padded(_array(path)), prompt=prompt)
            watch.at(writer.rows)


def _array(x: Tensor) -> Ints:
    return x.numpy().astype(np.int64)


def _fresh(star: Star, split: Name, size: int, seed: int) -> Iterator[Graphs]:
    """Yield graphs 0 .. size - 1."""
    for start in range(0, size, _CHUNK):
        yield graphs(star, split, torch.arange(start, min(start + _CHUNK, size)), seed)


def _distinct(star: Star, split: Name, size: int, seed: int) -> Iterator[Graphs]:
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


_TABLE = {
    "protocol": "exact match of the whole path; splits as published or by file, else by hash of "
    "the edges as they stand; repeated problems are not detected"
}


def _facts(star: Star, sizes: Mapping[Name, int], seed: int) -> dict[str, Any]:
    return {
        "source": f"generated with seed {seed}",
        "sizes": dict(sizes),
        **_kind(star),
        "protocol": "exact match of the whole path; no problem (edges, source, goal) of one split "
        "is in another, whatever the order of its edges; held-out problems are distinct",
    }


def _kind(star: Star) -> dict[str, Any]:
    same = star.shortest == star.longest
    nodes = f"{star.longest}" if same else f"{star.shortest} to {star.longest}"
    body = f"{star.path}, from goal to source" if star.backward else star.path
    blind = {
        "guess": 1 / star.degree,
        "guess_means": "follow the edges, choose a line at random at the centre",
    }
    return {
        "problem": f"{star.degree} lines of {nodes} nodes, {star.labels} labels; body: {body}",
        **({} if star.backward else blind),
    }


_QUICK = {**SMALL, "model.layers": 4, "train.steps": 4000}

EASY = StarTask(
    "star_easy",
    Star(degree=3, shortest=5, longest=5, ahead=4, labels=20, path="edges"),
    Star(degree=2, shortest=4, longest=4, ahead=3, labels=8, path="nodes", joined=True),
    _QUICK,
)
MEDIUM = StarTask(
    "star_medium",
    Star(degree=3, shortest=3, longest=6, ahead=2, labels=20, path="edges"),
    Star(degree=2, shortest=3, longest=5, ahead=2, labels=10, path="nodes", joined=True),
    _QUICK,
)
HARD = StarTask(
    "star_hard",
    Star(degree=5, shortest=6, longest=12, ahead=5, labels=56, path="edges"),
    Star(degree=3, shortest=3, longest=5, ahead=2, labels=14, path="nodes", joined=True),
    _QUICK,
)
BACK = StarTask(
    "star_back",
    replace(EASY.star("paper"), backward=True),
    replace(EASY.star("quick"), backward=True),
    _QUICK | {"train.steps": 500},
)
