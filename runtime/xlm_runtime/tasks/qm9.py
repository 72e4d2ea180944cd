"""QM9 (Ramakrishnan et al. 2014): molecules of at most nine atoms of C, N, O and F, as SMILES.

Read from the Parquet files of ``yairschiff/qm9`` on the Hub, column ``canonical_smiles``. 5 % of
them are for testing, those that `datasets` splits off with seed 42, as Schiff et al. 2025
(arXiv:2412.10193) did; 1 in 100 of the others is for validation, by hash. With ``--preset quick``
molecules are made (`molecules.grow`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from xlm_runtime.data import hub
from xlm_runtime.data.commits import Repo
from xlm_runtime.data.rows import Dropped, Place
from xlm_runtime.tasks.base.molecules import known
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared
from xlm_runtime.tasks.base.published import hub_read
from xlm_runtime.tasks.base.sources import Row, Source, by_hash, mapped
from xlm_runtime.tasks.base.splits import Name
from xlm_runtime.tasks.base.task import SMALL
from xlm_runtime.tasks.base.text import INSTEAD, TextTask, instead
from xlm_runtime.tokenizers import Tokenizer, molecules
from xlm_runtime.tokenizers.molecules import tokens
from xlm_runtime.tokenizers.molecules.notation import SMILES

if TYPE_CHECKING:
    from torchmetrics import MetricCollection

REPO = "yairschiff/qm9"
FILES = {"train": "data/train-*.parquet"}
COLUMN = "canonical_smiles"
TOKENIZER = "yairschiff/qm9-tokenizer"
SHARE, SEED = 0.05, 42  # of the published split
HELD_OUT: dict[Name, float] = {"validation": 0.01}
DRAWS = 40_000  # of `quick`; what comes again is left out
SHARES: dict[Name, float] = {"validation": 0.05, "test": 0.05}
ATOMS = 3, 9


class Qm9(TextTask):
    """Small molecules, each alone in its block."""

    name = "qm9"
    title = "QM9, molecules of at most nine heavy atoms (quick: made ones)"
    shipped = "molecules of our own making"
    blocks: ClassVar[Mapping[str, int]] = {"paper": 32, "quick": 32}
    tokenizers: ClassVar[Mapping[str, str]] = {"paper": TOKENIZER, "quick": "smiles"}
    protocols: ClassVar[Mapping[str, str]] = {
        "paper": "canonical SMILES as published; the test split is the published 5 %; valid: one "
        "molecule that RDKit can sanitize; uniqueness of valid, novelty of distinct ones against "
        "the training split",
        "data": "every row alone, cut at the block; splits by file or by hash of the row; valid: "
        "one molecule that RDKit can sanitize; numbers compare with no paper's",
        "quick": "molecules of our own making, each once, splits by hash; valid: one molecule that "
        "RDKit can sanitize; not the published data: its numbers compare with no paper's",
    }
    quick: ClassVar[Mapping[str, float | int | str]] = {
        **SMALL,
        "model.width": 96,
        "model.heads": 4,
        "model.rotary_base": 100.0,
    }

    def prepare(self, options: DataOptions) -> Prepared:
        """Prepare the molecules.  Raises UsageError if RDKit is not installed."""
        molecules.check(f"task {self.name}")
        found = super().prepare(options)
        return replace(found, facts={**found.facts, "notation": SMILES})

    def published(self) -> Source:
        """Return the data set on the Hub."""
        split = {"split": [SHARE, SEED], "held out": dict(HELD_OUT)}
        key = {"files": dict(FILES), "columns": [COLUMN], **split}
        repo = Repo(REPO)
        return hub_read(repo, key, 2_000_000, partial(_published, repo))

    def metrics(self, prepared: Prepared) -> "MetricCollection":
        """Return `metrics.molecules`."""
        from xlm_runtime.metrics import collection
        from xlm_runtime.metrics.molecules import Molecules
        from xlm_runtime.tokenizers.molecules.smiles import whole

        return collection(Molecules(whole, lambda: known(prepared)))

    def tokenizer(self, name: str, options: DataOptions) -> Tokenizer | None:
        """Return our own tokenizer (``smiles``), or the published one."""
        if name == "smiles":
            return tokens.own(options.specials)
        if name == TOKENIZER:
            return tokens.published(name, options.specials, instead(options))
        return None

    def quick_texts(self, options: DataOptions) -> Source:
        """Return molecules of our own making."""
        return made(options.seed, DRAWS, *ATOMS)

    def _source(self, options: DataOptions) -> Source:
        found = super()._source(options)
        return molecular(found) if options.data else found


def molecular(source: Source) -> Source:
    """Keep the rows of a source that are one molecule; drop and count others."""
    return mapped(source, {"molecules": 1}, _molecule, "not one molecule that RDKit can read")


def _molecule(text: str) -> str | None:
    """Return a text that is one molecule without spaces around it; None for another."""
    from xlm_runtime.tokenizers.molecules.smiles import whole

    return None if whole(text) is None else text.strip()


def _published(repo: Repo, dropped: Dropped) -> Iterator[Row]:
    """Yield rows, numbered in each part in the order of `datasets`' split."""
    every: Any = hub.dataset(repo.name, FILES, repo.at, INSTEAD)["train"]
    hub.has(every, (COLUMN,), repo.name, INSTEAD)
    parts = every.select_columns(COLUMN).train_test_split(test_size=SHARE, seed=SEED)
    for split in ("train", "test"):
        for place, (text,) in hub.cells(parts[split], (COLUMN,), split, dropped):
            yield (by_hash(text, HELD_OUT) if split == "train" else "test"), place, (text,)


def made(seed: int, draws: int, least: int, most: int) -> Source:
    """Make distinct molecules of ``least`` to ``most`` heavy atoms, each from its own seed."""
    from rdkit import rdBase

    from xlm_runtime.tokenizers.molecules.grow import PIECES, grow

    key = {
        "made": [seed, draws, least, most, dict(SHARES)],
        "pieces": PIECES,
        "rdkit": rdBase.rdkitVersion,
    }

    def rows(_: Dropped) -> Iterator[Row]:
        seen: set[str] = set()
        for index in range(draws):
            smiles = grow(np.random.default_rng([seed, index]), least, most)
            if smiles not in seen:
                seen.add(smiles)
                yield by_hash(smiles, SHARES), Place("", 1 + index), (smiles,)

    return Source(f"molecules made with seed {seed}", key, draws * (least + most) // 2, rows)


QM9 = Qm9()
