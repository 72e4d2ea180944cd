"""The vocabulary of recipes: the tasks and settings of a run.

The compiler does not import the runtime; a test keeps these lists and ranges equal to the runtime's
own, which give a reason for each (`xlm_runtime.system.bounds`).
"""

from attrs import frozen

TASKS = (
    "cfg",
    "graph_coloring_10",
    "graph_coloring_8",
    "gsm8k",
    "jsonl",
    "lm1b",
    "math500",
    "n_queens_10",
    "n_queens_8",
    "owt",
    "owt_packed",
    "qm9",
    "safe",
    "safe_linker",
    "safe_motif",
    "safe_scaffold",
    "safe_superstructure",
    "star_back",
    "star_easy",
    "star_hard",
    "star_medium",
    "sudoku",
    "sudoku_extreme",
    "tinygsm",
    "uniref50",
)


@frozen
class Range:
    """The numbers from ``low`` to ``high``, whole ones or any, and also 0 if ``zero``."""

    low: float
    high: float
    whole: bool = False
    zero: bool = False

    def __contains__(self, value: float) -> bool:
        if self.whole and value != int(value):
            return False
        return self.low <= value <= self.high or (self.zero and value == 0)

    def __str__(self) -> str:
        noun = "an integer" if self.whole else "a number"
        return f"{'0 or ' * self.zero}{noun} from {self.low:,g} to {_end(self.high)}"


def _end(value: float) -> str:
    """Format an end of a range as a spec writes it: ``1_000_000``, ``1e+09``."""
    return f"{value:_}" if isinstance(value, int) else f"{value:g}"


# Of params, and of the options of heads and actions
TYPES = {
    "Count": Range(0, 1_000_000, whole=True),
    "Size": Range(1, 1_000_000, whole=True),  # a Count that is a number of steps, or a length
    "Chance": Range(1e-9, 1, zero=True),
    "Scale": Range(1e-9, 1e9, zero=True),
}

# Of params of the noise: beyond these ends a clock leaves next to no time for one of its own
OF_NOISE = TYPES | {
    "Count": Range(0, 10, whole=True),
    "Size": Range(1, 10, whole=True),
    "Scale": Range(0.1, 10),
}

# setting -> the numbers that it takes, or its words
SETTINGS: dict[str, Range | tuple[str, ...]] = {
    "attention_dropout": Range(0, 0.99),
    "batch": Range(1, 1_048_576, whole=True),
    "block": Range(0, 1_048_576, whole=True),
    "dropout": Range(0, 0.99),
    "ema": Range(0, 1),
    "layers": Range(1, 1000, whole=True),
    "learning_rate": Range(1e-12, 1e3),
    "min_rate": Range(0, 1),
    "precision": ("fp32", "bf16", "fp16"),
    "schedule": ("constant", "cosine", "linear"),
    "size": ("tiny", "small", "base"),
    "steps": Range(1, 1_000_000_000, whole=True),
    "warmup": Range(0, 1_000_000_000, whole=True),
    "weight_decay": TYPES["Scale"],
}
