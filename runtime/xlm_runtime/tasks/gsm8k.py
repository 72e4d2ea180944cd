"""Word problems of grade school, answered by a program (``tinygsm``) or in words (``gsm8k``).

``tinygsm`` learns from TinyGSM (Liu et al. 2023, arXiv:2312.09241: questions and Python functions
that answer them) and is tested on GSM8K (Cobbe et al. 2021, arXiv:2110.14168), whose answers are
numbers: the program of an answer is run (see `metrics.sandbox`). ``gsm8k`` learns from the training
split of GSM8K itself, and its answer is the number behind ``####``. Read from the Parquet files
that the Hub keeps of ``TinyGSM/TinyGSM`` and of ``openai/gsm8k`` (``main``). Preset quick has
problems of our own making (`word_problems`).
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from xlm_runtime.data.rows import Dropped, Place
from xlm_runtime.tasks.base.pairs import PairTask, hub_pairs
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared
from xlm_runtime.tasks.base.sources import Row, Source, by_hash, joined
from xlm_runtime.tasks.base.splits import Name
from xlm_runtime.tasks.base.task import READING
from xlm_runtime.tasks.base.word_problems import problems

if TYPE_CHECKING:
    from torchmetrics import MetricCollection

TINY, TINY_FILES = "TinyGSM/TinyGSM", {"train": "**/*.parquet"}
GSM, GSM_FILES = "openai/gsm8k", {"train": "main/train-*", "test": "main/test-*"}
_QWEN = "Qwen/Qwen2-0.5B"
_MADE = 20_000
_SHARES: dict[Name, float] = {"validation": 0.02, "test": 0.02}
_DATA = "splits by file or by hash of the prompt; numbers compare with no paper's"
_NOTE = re.compile(r"<<[^<>]*>>")  # a calculator's notes, as in `2 * 3 = <<2*3=6>>6`


def _made(what: Literal["program", "solution"], seed: int) -> Source:
    """Make problems of our own; a question is in one split only."""

    def rows(_: Dropped) -> Iterator[Row]:
        for number, one in enumerate(problems(seed, _MADE), 1):
            split = by_hash(one.question, _SHARES)
            yield split, Place("", number), (f"{one.question}\n", getattr(one, what))

    key = {"word problems": [1, seed, _MADE, what], "shares": dict(_SHARES)}
    return Source(f"word problems made with seed {seed}", key, 280 * _MADE, rows)


class WordProblems(PairTask):
    """Questions and their answers in one form."""

    snug: ClassVar[Collection[str]] = ("quick",)
    blocks: ClassVar[Mapping[str, int]] = {"paper": 256, "quick": 96}
    prompts: ClassVar[Mapping[str, int]] = {"paper": 256, "quick": 96}
    tokenizers: ClassVar[Mapping[str, str]] = {"paper": _QWEN, "quick": "bpe:1024"}
    quick: ClassVar[Mapping[str, float | int | str]] = {**READING, "train.steps": 2000}


class TinyGsm(WordProblems):
    """Programs, tested on GSM8K."""

    name = "tinygsm"
    title = (
        "TinyGSM: word problems answered by programs, tested on GSM8K (quick: of our own making)"
    )
    _PROGRAMS = (
        "solved: the program of the answer is run for at most 1 s (the last function, or "
        "simple_math_problem) and its number differs from the gold one by less than 1e-3"
    )
    protocols: ClassVar[Mapping[str, str]] = {
        "paper": f"{_PROGRAMS}; prompt: the question and a line end; the 1,319 questions of the "
        "test split of GSM8K, zero-shot, less those dropped for their length; validation is 5 % of "
        "TinyGSM by hash of the question; loss and likelihood are of validation",
        "data": f"{_PROGRAMS}; a target is a program or a number; {_DATA}",
        "quick": f"{_PROGRAMS}; not the published data: its numbers compare with no paper's",
    }

    def loss(self, options: DataOptions) -> Literal["test", "validation", "none"]:
        """Return ``validation`` as published: the test split of GSM8K has no programs."""
        return "validation" if options.preset == "paper" and not options.data else "test"

    def published(self) -> Source:
        """Return both data sets on the Hub."""
        columns = ("question", "code")
        test = {"test": GSM_FILES["test"]}
        return joined(
            hub_pairs(TINY, TINY_FILES, columns, 9_000_000_000, held_out={"validation": 0.05}),
            hub_pairs(GSM, test, ("question", "answer"), 500_000),
        )

    def clean(self, split: Name, prompt: str, target: str) -> tuple[str, str]:
        """Add a line end to the question; keep only the number after ``####`` of GSM8K."""
        return f"{prompt.strip()}\n", gold(target) if split == "test" else target

    def made(self, seed: int) -> Source:
        """Generate word problems that programs answer."""
        return _made("program", seed)

    def metrics(self, _: Prepared) -> "MetricCollection":
        """Return the metric that runs the programs of answers."""
        from xlm_runtime.metrics import collection
        from xlm_runtime.metrics.arithmetic import Programs

        return collection(Programs())


class Gsm8k(WordProblems):
    """Solutions in words."""

    name = "gsm8k"
    title = "GSM8K: word problems answered in words and a number (quick: of our own making)"
    _NUMBER = "solved: the number behind #### (else the last one) differs by less than 1e-3"
    protocols: ClassVar[Mapping[str, str]] = {
        "paper": f"{_NUMBER}; prompt: the question and a line end; the 1,319 questions of the test "
        "split, zero-shot, less those dropped for their length; the calculator's notes are taken "
        "out of solutions; validation is 5 % of the training split by hash of the question",
        "data": f"{_NUMBER}; {_DATA}",
        "quick": f"{_NUMBER}; not the published data: its numbers compare with no paper's",
    }

    def published(self) -> Source:
        """Return the data set on the Hub."""
        columns = ("question", "answer")
        return hub_pairs(GSM, GSM_FILES, columns, 5_000_000, held_out={"validation": 0.05})

    def clean(self, _: Name, prompt: str, target: str) -> tuple[str, str]:
        """Add a line end to the question; remove the calculator's notes (``<<2*3=6>>``)."""
        return f"{prompt.strip()}\n", _NOTE.sub("", target)

    def made(self, seed: int) -> Source:
        """Return problems with solutions in words."""
        return _made("solution", seed)

    def metrics(self, _: Prepared) -> "MetricCollection":
        """Return the metric that compares the numbers at the end."""
        from xlm_runtime.metrics import collection
        from xlm_runtime.metrics.arithmetic import Number

        return collection(Number())


def gold(answer: str) -> str:
    """Return the number that a solution of GSM8K ends with."""
    return answer.rpartition("####")[2].strip().replace(",", "")


TINYGSM, GSM8K = TinyGsm(), Gsm8k()
