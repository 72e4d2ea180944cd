"""What a recipe may say: the tasks and settings of a run.

The compiler does not import the runtime; a test keeps these lists equal to the runtime's own.
"""

TASKS = ("lm1b", "star_easy", "star_hard", "star_medium")

# setting -> the type of what it takes (Size: an integer >= 1, Positive: a number > 0), or words
SETTINGS: dict[str, str | tuple[str, ...]] = {
    "batch": "Size",
    "block": "Count",
    "dropout": "Chance",
    "ema": "Chance",
    "learning_rate": "Positive",
    "schedule": ("constant", "cosine", "linear"),
    "steps": "Size",
    "warmup": "Count",
    "weight_decay": "Scale",
}
