"""UniRef50 (Suzek et al. 2015): proteins end to end, a letter for each residue.

Read from the Parquet files of ``airkingbd/uniref50`` on the Hub, the clusters that EvoDiff
(Alamdari et al. 2023) prepared and DPLM (Wang et al. 2024, arXiv:2402.18567) trains on: about 42
million proteins in the column ``seq``. The tokenizer is ESM-2's (Lin et al. 2023), which is
published as a list of 33 tokens.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from xlm_runtime.data.rows import Dropped, Place
from xlm_runtime.tasks.base import chain
from xlm_runtime.tasks.base.encoding import PACKING, Encoding, Packing
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared
from xlm_runtime.tasks.base.sources import Row, Source, by_hash
from xlm_runtime.tasks.base.splits import Name
from xlm_runtime.tasks.base.task import READING
from xlm_runtime.tasks.base.text import TextTask, hub_source
from xlm_runtime.tokenizers import Tokenizer

if TYPE_CHECKING:
    from torchmetrics import MetricCollection

REPO = "airkingbd/uniref50"
FILES = {"train": "**/train-*.parquet", "test": "**/valid*.parquet"}
HELD_OUT: dict[Name, float] = {"validation": 1 / 3000}
COUNT = 6000  # proteins of the quick data
SHARES: dict[Name, float] = {"validation": 0.05, "test": 0.05}
LONG = (
    "of a protein that is longer than a row a window of that size is taken, from a place that a "
    "hash of the protein determines; it is a row of its own, without the end of a protein"
)


class Uniref50(TextTask):
    """Proteins, several in each row."""

    name = "uniref50"
    title = "UniRef50: proteins concatenated into full rows (quick: made ones)"
    shipped = "proteins of our own making"
    packed = True
    packing = 3
    blocks: ClassVar[Mapping[str, int]] = {"paper": 1024, "quick": 128}
    tokenizers: ClassVar[Mapping[str, str]] = {
        "paper": "facebook/esm2_t30_150M_UR50D",
        "quick": "letters:LAGVSERTIDPKQNFYMHWCXBUZO",
    }
    protocols: ClassVar[Mapping[str, str]] = {
        "paper": "test: the published validation split; validation: 1 in 3000 of the training "
        f"proteins, by hash; {LONG} (DPLM draws another each time); {PACKING}",
        "data": f"splits by file or by hash of the protein; {LONG}; {PACKING}; numbers compare "
        "with no paper's",
        "quick": "letters of a Markov chain whose entropy is known, 30 to 90 in a protein; splits "
        f"by hash; {PACKING}; not the published data: its numbers compare with no paper's",
    }
    quick: ClassVar[Mapping[str, float | int | str]] = READING

    def published(self) -> Source:
        """Return the data set on the Hub."""
        return hub_source(REPO, FILES, 11_800_000_000, "seq", held_out=HELD_OUT)

    def quick_texts(self, options: DataOptions) -> Source:
        """Return proteins drawn from the chain."""
        key = {"chain": chain.VERSION, "seed": options.seed, "count": COUNT, "shares": SHARES}

        def rows(_: Dropped) -> Iterator[Row]:
            drawn = enumerate(chain.chain().proteins(options.seed, COUNT), 1)
            return ((by_hash(one, SHARES), Place("", number), (one,)) for number, one in drawn)

        title = f"proteins of our own making, with seed {options.seed}"
        return Source(title, key, 60 * COUNT, rows)

    def encoding(self, tokenizer: Tokenizer, block: int, clean: Callable[[str], str]) -> Encoding:
        """Pack proteins; a long one is cropped to a window, so that none fills several rows."""
        return Packing(tokenizer, block, clean, crop=True)

    def prepare(self, options: DataOptions) -> Prepared:
        """Prepare the proteins, with the entropy of made ones."""
        found = super().prepare(options)
        if options.data or options.preset == "paper":
            return found
        law = chain.chain()
        known = {"chain": law.entropy_rate, "letters": law.letter_entropy}
        means = (
            "nats per residue, without the first of a protein: of the chain, which the best "
            "model reaches, and of its letters, which a model without order reaches; likelihoods "
            "add the ends of proteins"
        )
        facts = {**found.facts, "entropy": known, "entropy_means": means}
        return replace(found, facts=facts)

    def metrics(self, prepared: Prepared) -> "MetricCollection":
        """Return validity and length of proteins, and the likelihood of made ones."""
        from xlm_runtime.metrics import collection
        from xlm_runtime.metrics.proteins import LawNats, ProteinLength, ValidProteins

        law = [LawNats(chain.chain().nats)] if "entropy" in prepared.facts else []
        return collection(ValidProteins(), ProteinLength(), *law)


UNIREF50 = Uniref50()
