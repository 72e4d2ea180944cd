"""What a recipe may say: the tasks and settings of a run.

The compiler does not import the runtime; a test keeps these lists equal to the runtime's own.
"""

TASKS = ("lm1b", "star_easy", "star_hard", "star_medium")

# setting -> what it takes: "count" (integer >= 1), "scale" (number >= 0), "chance", or words
SETTINGS: dict[str, str | tuple[str, ...]] = {
    "batch": "count",
    "block": "count",
    "dropout": "chance",
    "ema": "chance",
    "learning_rate": "scale",
    "schedule": ("constant", "cosine", "linear"),
    "steps": "count",
    "warmup": "scale",
    "weight_decay": "scale",
}
