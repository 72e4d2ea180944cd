r"""MATH-500: 500 problems of the MATH test set, for judging published weights.

MATH is of Hendrycks et al. 2021 (arXiv:2103.03874), the choice of 500 of Lightman et al. 2023
(arXiv:2305.20050). Read from ``test.jsonl`` of ``HuggingFaceH4/MATH-500`` on the Hub. Each problem
follows four solved ones, which are our own (`math_problems.SHOTS`), and the answer is the
expression in the last ``\boxed{}``. There is nothing to train on: preset paper evaluates weights
that others have published (``--job eval --set model.pretrained=...``); pairs of one's own come by
``--data``, and preset quick has small problems of our own making.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from xlm_runtime.data.rows import Dropped, Place
from xlm_runtime.tasks.base.math_problems import SHOTS, asked, made
from xlm_runtime.tasks.base.pairs import PairTask, hub_pairs
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared
from xlm_runtime.tasks.base.sources import Row, Source, by_hash
from xlm_runtime.tasks.base.splits import Name
from xlm_runtime.tasks.base.task import READING

if TYPE_CHECKING:
    from torchmetrics import MetricCollection

REPO, FILES = "HuggingFaceH4/MATH-500", {"test": "test.jsonl"}
_MADE = 20_000
_SHARES: dict[Name, float] = {"validation": 0.02, "test": 0.02}
_SOLVED = (
    "solved: the expression in the last \\boxed{} equals the gold one by math-verify; an answer "
    "without a box is wrong; what comes after `Problem:` does not count"
)


class Math500(PairTask):
    """Problems and solutions."""

    name = "math500"
    title = "MATH-500: mathematics, for judging published weights (quick: small problems)"
    snug: ClassVar[Collection[str]] = ("quick",)
    prompts: ClassVar[Mapping[str, int]] = {"paper": 2048, "quick": 96}
    blocks: ClassVar[Mapping[str, int]] = {"paper": 512, "quick": 96}
    tokenizers: ClassVar[Mapping[str, str]] = {"paper": "Qwen/Qwen2-0.5B", "quick": "bpe:1024"}
    protocols: ClassVar[Mapping[str, str]] = {
        "paper": f"{_SOLVED}; 500 problems, 4-shot with solved problems of our own, not those of "
        "Minerva, so that numbers may differ by them; prompt: Problem, Solution",
        "data": f"{_SOLVED}; splits by file or by hash of the prompt; compares with no paper's",
        "quick": f"{_SOLVED}; zero-shot; not the published data: compares with no paper's",
    }
    quick: ClassVar[Mapping[str, float | int | str]] = {**READING, "train.steps": 2000}

    def only_judged(self, options: DataOptions) -> str:
        """Explain that MATH-500 has only a test set."""
        if options.data or options.preset == "quick":
            return ""
        return (
            "math500 has nothing to train on: judge published weights with --job eval --set "
            "model.pretrained=..., or train on pairs of your own with --data FILE, or on small "
            "problems with --preset quick"
        )

    def loss(self, options: DataOptions) -> Literal["test", "validation", "none"]:
        """Return ``none`` as published: bodies are bare answers."""
        return "none" if self.only_judged(options) else "test"

    def published(self) -> Source:
        """Return the data set on the Hub."""
        return hub_pairs(REPO, FILES, ("problem", "answer"), 700_000)

    def clean(self, _: Name, prompt: str, target: str) -> tuple[str, str]:
        """Put four solved problems of our own before each; the target is the bare answer."""
        return asked(prompt, SHOTS), target

    def made(self, seed: int) -> Source:
        """Return small problems of our own making."""

        def rows(_: Dropped) -> Iterator[Row]:
            for number, (problem, solution) in enumerate(made(seed, _MADE), 1):
                yield by_hash(problem, _SHARES), Place("", number), (asked(problem), solution)

        key = {"math problems": [1, seed, _MADE], "shares": dict(_SHARES)}
        return Source(f"problems made with seed {seed}", key, 150 * _MADE, rows)

    def prepare(self, options: DataOptions) -> Prepared:
        """Read and tokenize the problems.  Raises UsageError without math-verify."""
        from xlm_runtime.metrics import mathematics

        mathematics.check()  # now, not after the training
        return super().prepare(options)

    def metrics(self, _: Prepared) -> "MetricCollection":
        """Return the metric that compares boxed expressions."""
        from xlm_runtime.metrics import collection
        from xlm_runtime.metrics.mathematics import MathAnswers

        return collection(MathAnswers())


MATH500 = Math500()
