"""Star graphs: find the path from a source to a goal.  Generated, by index, without end.

The graphs are those of `xlm_runtime.tasks.base.stars`, in the three sizes of Patel et al. 2025
(arXiv:2505.05755).

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

from collections.abc import Mapping
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from xlm_runtime.data import store
from xlm_runtime.data.store import Block, Examples, Ints, Writer
from xlm_runtime.shapes import Tensor
from xlm_runtime.system.cache import cached
from xlm_runtime.system.errors import UsageError
from xlm_runtime.system.progress import Watch
from xlm_runtime.tasks.base import tables
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared, roomy
from xlm_runtime.tasks.base.problem import Problem
from xlm_runtime.tasks.base.sources import Source
from xlm_runtime.tasks.base.splits import SPLITS, Name
from xlm_runtime.tasks.base.stars import Star, distinct, fresh
from xlm_runtime.tasks.base.task import SMALL, Task
from xlm_runtime.tokenizers import Tokenizer, words

_VERSION = 3
_SIZES = {"easy": "small", "medium": "medium", "hard": "hard"}
COLUMNS = ("edge_list", "source", "goal", "path")
PUBLISHED = {f"star_{ours}": f"dhruveshpatel/star-{theirs}" for ours, theirs in _SIZES.items()}
FILES = {str(name): f"**/{name}-*.parquet" for name in SPLITS}


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
        """Prepare the graphs of a table, always with the star size of ``--preset paper``."""
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
        """Return the capacity of a body.  Raises UsageError for options that it lacks."""
        if options.tokenizer:
            raise UsageError(
                f"{self.name} has one id per node: neither data.tokenizer nor weights with one fit"
            )
        return roomy("block", options.block, star.body, self.name)


def _write(folder: Path, star: Star, split: Name, size: int, seed: int, vocab: int) -> None:
    make = (fresh if split == "train" else distinct)(star, split, size, seed)
    with Writer(folder, vocab) as writer, Watch(f"graphs for {split}", size) as watch:
        for made in make:
            walk = made.turned if star.backward else made
            path = walk.pairs if star.path == "edges" else walk.path
            prompt = Block.padded(_array(made.prompts(star)))
            writer.add(body=Block.padded(_array(path)), prompt=prompt)
            watch.at(writer.rows)


def _array(x: Tensor) -> Ints:
    return x.numpy().astype(np.int64)


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
