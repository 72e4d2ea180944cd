"""OpenWebText (Gokaslan & Cohen 2019): the web pages of at most 1,024 tokens of GPT-2.

Read from the Parquet files of ``dhruveshpatel/owt-gpt2-1024-split`` on the Hub, the data of Patel
et al. 2025 (arXiv:2505.05755): 10,000 pages drawn from all are for testing.
"""

from collections.abc import Mapping
from typing import ClassVar

from xlm_runtime.tasks.base.sources import Source
from xlm_runtime.tasks.base.splits import Name
from xlm_runtime.tasks.base.task import READING
from xlm_runtime.tasks.base.text import TextTask, hub_source
from xlm_runtime.tasks.lm1b import LM1B

REPO = "dhruveshpatel/owt-gpt2-1024-split"
FILES = {"train": "data/train-*.parquet", "test": "data/validation-*.parquet"}
HELD_OUT: dict[Name, float] = {"validation": 1 / 3000}


class Owt(TextTask):
    """Web pages, each alone in its block."""

    name = "owt"
    title = "OpenWebText, pages of at most 1,024 tokens (quick: Python's documentation)"
    blocks: ClassVar[Mapping[str, int]] = {"paper": 1024, "quick": 48}
    tokenizers: ClassVar[Mapping[str, str]] = {"paper": "gpt2", "quick": "bpe:4096"}
    protocols: ClassVar[Mapping[str, str]] = {
        "paper": "every page alone, none cut; the test split is the published validation split, "
        "validation 1 in 3000 of its training pages, by hash; not wrapped: numbers compare with "
        "those of Patel et al. 2025, not with those on wrapped blocks",
        "data": "every row alone, cut at the block; splits by file or by hash of the row; numbers "
        "compare with no paper's",
        "quick": LM1B.protocols["quick"],
    }
    quick: ClassVar[Mapping[str, float | int | str]] = READING

    def published(self) -> Source:
        """Return the data set on the Hub."""
        return hub_source(REPO, FILES, 27_000_000_000, held_out=HELD_OUT)


OWT = Owt()
