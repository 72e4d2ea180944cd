"""Drug-like molecules as bracket SAFE (`molecules.safe`): fragments, and the bonds between them.

Read from the Parquet files of ``datamol-io/safe-gpt`` on the Hub (Noutahi et al. 2024,
arXiv:2310.10773), column ``safe`` or ``input``, and written anew as GenMol does (Lee et al. 2025,
arXiv:2501.06158): atoms and fragments in random order, here one that the row itself fixes. Of its
1,182,796,783 rows for training the first 102,400,000 are read, as many as GenMol's 50,000 steps of
2,048 see, which reads them in their order. With ``--preset quick`` molecules are made
(`molecules.grow`). Rows of ``--data`` may be SMILES or SAFE.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from xlm_runtime.data import hub
from xlm_runtime.data.commits import Repo
from xlm_runtime.data.rows import Dropped, Place, fault
from xlm_runtime.data.stream import HubRows
from xlm_runtime.tasks.base.molecules import known
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared
from xlm_runtime.tasks.base.published import hub_read
from xlm_runtime.tasks.base.sources import HEAD, Reading, Row, Source, mapped
from xlm_runtime.tasks.base.splits import SPLITS
from xlm_runtime.tasks.base.text import INSTEAD, TextTask, instead
from xlm_runtime.tasks.qm9 import QM9, made
from xlm_runtime.tokenizers import Tokenizer, molecules
from xlm_runtime.tokenizers.molecules import notation, tokens

if TYPE_CHECKING:
    from torchmetrics import MetricCollection

REPO = "datamol-io/safe-gpt"
FILES = {name: f"data/{name}-*.parquet" for name in ("train", "validation", "test")}
COLUMNS = ("safe", "input")  # the first that there is
ROWS = {"train": 50_000 * 2_048, "validation": 10_000, "test": 10_000}  # the first ones
TOKENIZER = "datamol-io/safe-gpt"
DRAWS = 12_000  # of `quick`
ATOMS = 8, 20
LABELS = 20  # tokens <1> to <20>, of `quick`
MOST_KNOWN = 1_000_000  # training molecules that novelty is asked of
_VERSION = 1  # of what is done to a row
JUDGED = (
    "valid: the whole text is one molecule that RDKit can sanitize, with both ends of every bond; "
    "genmol_*: what cannot be read is left out, open bonds are closed and the longest part is taken"
    " first, as published; quality: distinct, QED at least 0.6, SA at most 4, of all texts"
)


class Safe(TextTask):
    """Molecules, each alone in its block."""

    name = "safe"
    title = "molecules as bracket SAFE (quick: made ones)"
    shipped = "molecules of our own making"
    blocks: ClassVar[Mapping[str, int]] = {"paper": 256, "quick": 64}
    tokenizers: ClassVar[Mapping[str, str]] = {"paper": TOKENIZER, "quick": "safe"}
    protocols: ClassVar[Mapping[str, str]] = {
        "paper": "the first 102,400,000 published training rows and 10,000 of each other split, as "
        f"bracket SAFE, one order for each row; {JUDGED}",
        "data": "every row alone as bracket SAFE, cut at the block; splits by file or by hash of "
        f"the row; {JUDGED}",
        "quick": "molecules of our own making, each once, splits by hash; not the published data: "
        f"its numbers compare with no paper's; {JUDGED}",
    }
    quick: ClassVar[Mapping[str, float | int | str]] = QM9.quick

    def prepare(self, options: DataOptions) -> Prepared:
        """Prepare the molecules.  Raises UsageError if RDKit is not installed."""
        molecules.check(f"task {self.name}")
        found = super().prepare(options)
        return replace(found, facts={**found.facts, "notation": notation.SAFE})

    def published(self) -> Source:
        """Return the data set on the Hub."""
        key = {"files": dict(FILES), "columns": list(COLUMNS), "rows": dict(ROWS)}
        repo = Repo(REPO)
        training = HubRows(repo, FILES["train"], COLUMNS, INSTEAD, most=ROWS["train"])
        beginning = partial(_published, repo, {**ROWS, "train": HEAD})
        return hub_read(
            repo, key, 6_000_000_000, partial(_published, repo, ROWS),
            Reading(training, beginning, size=2_000_000),
        )  # fmt: skip

    def metrics(self, prepared: Prepared) -> "MetricCollection":
        """Return `metrics.molecules`, for texts as they are and after GenMol's repairs."""
        from xlm_runtime.metrics import collection
        from xlm_runtime.metrics.molecules import Molecules
        from xlm_runtime.tokenizers.molecules.safe import lenient, strict

        few = len(prepared.train) <= MOST_KNOWN
        trained = (lambda: known(prepared)) if few else None
        return collection(Molecules(strict, trained), Molecules(lenient, prefix="genmol_"))

    def tokenizer(self, name: str, options: DataOptions) -> Tokenizer | None:
        """Return our own tokenizer (``safe``), or the published one."""
        if name == "safe":
            return tokens.own(options.specials, LABELS)
        if name == TOKENIZER:
            return tokens.published(name, options.specials, instead(options))
        return None

    def quick_texts(self, options: DataOptions) -> Source:
        """Return molecules of our own making."""
        return made(options.seed, DRAWS, *ATOMS)

    def _source(self, options: DataOptions) -> Source:
        return bracketed(super()._source(options))


def _published(repo: Repo, most: Mapping[str, int], dropped: Dropped) -> Iterator[Row]:
    """Yield the first rows of each split, at most so many."""
    with hub.reaching(f"the data set {repo.name}", INSTEAD):
        data: Any = hub.dataset(repo.name, FILES, repo.at, INSTEAD, streaming=True)
        for split in SPLITS:
            column = hub.first(data[split], COLUMNS, repo.name, INSTEAD)
            for number, row in enumerate(data[split].take(most[split]), 1):
                if found := fault(row[column]):
                    dropped.note(f"{found} in {split}", Place(split, number))
                else:
                    yield split, Place(split, number), (row[column],)


def bracketed(source: Source) -> Source:
    """Convert the rows of a source to bracket SAFE; drop and count those that are no molecule."""
    return mapped(source, {"bracket SAFE": _VERSION}, _bracketed, "no molecule that RDKit can read")


def _bracketed(text: str) -> str | None:
    """Write a molecule as bracket SAFE, in an order that its hash fixes; return None for none."""
    from xlm_runtime.tokenizers.molecules.safe import encode

    seed = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
    return encode(text, np.random.default_rng(seed))


SAFE = Safe()
