"""OpenWebText (Gokaslan & Cohen 2019) end to end, in rows of 1,024 tokens of GPT-2.

Read from the Parquet files of ``Skylion007/openwebtext`` on the Hub (8,013,769 web pages), of which
the last 100,000 are held out, as by SEDD (Lou et al. 2024) and MDLM (Sahoo et al. 2024). Unlike
theirs, the pages of a row do not see each other.
"""

from collections.abc import Mapping
from typing import ClassVar

from xlm_runtime.tasks.base.encoding import PACKING
from xlm_runtime.tasks.base.sources import Source
from xlm_runtime.tasks.base.splits import Name
from xlm_runtime.tasks.base.task import READING
from xlm_runtime.tasks.base.text import TextTask, hub_source

REPO = "Skylion007/openwebtext"
FILES = {"train": "plain_text/train-*.parquet"}
HELD_OUT: dict[Name, float] = {"validation": 1 / 3000}
LAST = 100_000


class OwtPacked(TextTask):
    """Web pages, several in each row."""

    name = "owt_packed"
    title = "OpenWebText, pages concatenated into full rows (quick: Python's documentation)"
    packed = True
    blocks: ClassVar[Mapping[str, int]] = {"paper": 1024, "quick": 96}
    tokenizers: ClassVar[Mapping[str, str]] = {"paper": "gpt2", "quick": "bpe:4096"}
    protocols: ClassVar[Mapping[str, str]] = {
        "paper": "test: the last 100,000 pages, as by SEDD and MDLM; validation: 1 in 3000 of the "
        f"others, by hash; {PACKING}; SEDD and MDLM wrap pages in the same way, with 1,022 tokens "
        "between the specials at the edges of a row where there are 1,024 here, and let the pages "
        "of a row see each other, which makes theirs the easier task",
        "data": f"splits by file or by hash of the text; {PACKING}; numbers compare with no "
        "paper's",
        "quick": f"splits by hash of the sentence, so that none is in two of them; {PACKING}; not "
        "the published data: its numbers compare with no paper's",
    }
    quick: ClassVar[Mapping[str, float | int | str]] = READING

    def published(self) -> Source:
        """Return the data set on the Hub."""
        return hub_source(REPO, FILES, 39_800_000_000, held_out=HELD_OUT, last=LAST)


OWT_PACKED = OwtPacked()
