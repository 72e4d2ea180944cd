"""What a recipe may say: the tasks and settings of a run.

The compiler does not import the runtime; a test keeps these lists equal to the runtime's own.
"""

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

# setting -> the type of what it takes (Size: an integer >= 1, Positive: a number > 0), or words
SETTINGS: dict[str, str | tuple[str, ...]] = {
    "attention_dropout": "Chance",
    "batch": "Size",
    "block": "Count",
    "dropout": "Chance",
    "ema": "Chance",
    "layers": "Size",
    "learning_rate": "Positive",
    "min_rate": "Chance",
    "precision": ("fp32", "bf16", "fp16"),
    "schedule": ("constant", "cosine", "linear"),
    "size": ("tiny", "small", "base"),
    "steps": "Size",
    "warmup": "Count",
    "weight_decay": "Scale",
}
