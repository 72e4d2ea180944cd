"""The One Billion Word Benchmark (Chelba et al. 2013, arXiv:1312.3005): single sentences of news.

Read from the Parquet files that the Hub keeps of its data set ``billion-word-benchmark/lm1b``
(30,301,028 sentences for training, 306,688 for testing; `datasets` no longer runs the loading
script). Sentences come with spaces around punctuation; the detokenizer is that of SEDD (Lou et al.
2024) and MDLM (Sahoo et al. 2024), which published numbers depend on.
"""

import re
from collections.abc import Mapping
from typing import ClassVar

from xlm_runtime.tasks.base.sources import Source
from xlm_runtime.tasks.base.splits import Name
from xlm_runtime.tasks.base.task import READING
from xlm_runtime.tasks.base.text import TextTask, hub_source

REPO = "billion-word-benchmark/lm1b"
REVISION = "refs/convert/parquet"
FILES = {"train": "plain_text/train/*.parquet", "test": "plain_text/test/*.parquet"}
HELD_OUT: dict[Name, float] = {"validation": 1 / 3000}
_RULES = [  # in this order; each acts on what the ones before it have left
    (re.compile(pattern), by)
    for pattern, by in (
        (r"(https?) : / / ", r"\1://"),
        (r" '(\w+)", r"'\1"),
        (r" (\w+) \. ", r" \1. "),
        (r" (\w+) \.$", r" \1."),
        (r" \? ", "? "),
        (r" \?$", "?"),
        (r" ! ", "! "),
        (r" !$", "!"),
        (r" , ", ", "),
        (r" : ", ": "),
        (r" ; ", "; "),
        (r" / ", "/"),
        (r'" ([^"]+) "', r'"\1"'),
        (r"' ([^']+) '", r"'\1'"),
        (r"\( ([^()]+) \)", r"(\1)"),
        (r"\[ ([^\[\]]+) \]", r"[\1]"),
        (r"([$£]) ", r"\1"),
    )
]


def detokenize(text: str) -> str:
    """Take out the spaces that the benchmark has around punctuation."""
    for pattern, by in _RULES:
        text = pattern.sub(by, text)
    return text


class Lm1b(TextTask):
    """Sentences, each alone in its block."""

    name = "lm1b"
    title = "One Billion Word Benchmark: sentences of news (quick: Python's documentation)"
    blocks: ClassVar[Mapping[str, int]] = {"paper": 128, "quick": 48}
    tokenizers: ClassVar[Mapping[str, str]] = {"paper": "bert-base-uncased", "quick": "bpe:4096"}
    protocols: ClassVar[Mapping[str, str]] = {
        "paper": "detokenized as by SEDD and MDLM; every sentence alone, cut at the block; the "
        "test split is the published one, validation 1 in 3000 of its training sentences, by hash",
        "data": "every row alone, cut at the block (with --preset paper first detokenized as by "
        "SEDD and MDLM); splits by file or by hash of the row; numbers compare with no paper's",
        "quick": "every sentence alone, cut at the block; splits by hash of the sentence, so that "
        "none is in two of them; not the published data: its numbers compare with no paper's",
    }
    quick: ClassVar[Mapping[str, float | int | str]] = READING

    def published(self) -> Source:
        """Return the data set on the Hub."""
        return hub_source(REPO, FILES, 4_280_000_000, revision=REVISION, held_out=HELD_OUT)

    def clean(self, text: str) -> str:
        """Undo the published tokenization of a text."""
        return detokenize(text)


LM1B = Lm1b()
