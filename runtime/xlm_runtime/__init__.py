"""The runtime of xlmc: data, training, evaluation and generation for any generated package.

From Python: ``xlm_runtime.load("runs/ilm/star_easy/quick-seed1").generate(["..."])``.
"""

from importlib import import_module

__all__ = ["load"]


def __getattr__(name: str) -> object:
    """`load`, imported when it is asked for: who imports the plug alone does not pay for it."""
    if name != "load":
        raise AttributeError(f"module {__name__} has no attribute '{name}'")
    return import_module("xlm_runtime.load").load
