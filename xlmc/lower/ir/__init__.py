"""The intermediate representation: what the templates may read, with every decision made.

A field is `code` (made by our own printers), a `name` (a checked identifier), a word of a fixed
set, or else text, which the templates escape.
"""

from xlmc.lower.ir.decoding import Decoder, Decoders, Reading
from xlmc.lower.ir.package import Collate, Family, Init, Layout, Package, Recipe, Samples, made
from xlmc.lower.ir.params import PYTHON, TAKEN, Param
from xlmc.lower.ir.steps import (
    Blocks,
    Edit,
    Grid,
    Guide,
    Insert,
    Keep,
    Order,
    Pace,
    Sampler,
    Several,
    Size,
    Stop,
    Substitute,
    Unmask,
)
from xlmc.lower.ir.training import (
    Bisection,
    Constant,
    Function,
    Head,
    Likelihood,
    Loss,
    Network,
    Noise,
    Rollout,
    Schedule,
    Term,
    Told,
    Used,
)

__all__ = [
    "PYTHON",
    "TAKEN",
    "Bisection",
    "Blocks",
    "Collate",
    "Constant",
    "Decoder",
    "Decoders",
    "Edit",
    "Family",
    "Function",
    "Grid",
    "Guide",
    "Head",
    "Init",
    "Insert",
    "Keep",
    "Layout",
    "Likelihood",
    "Loss",
    "Network",
    "Noise",
    "Order",
    "Pace",
    "Package",
    "Param",
    "Reading",
    "Recipe",
    "Rollout",
    "Sampler",
    "Samples",
    "Schedule",
    "Several",
    "Size",
    "Stop",
    "Substitute",
    "Term",
    "Told",
    "Unmask",
    "Used",
    "made",
]
