"""The three splits of every data set."""

from typing import Literal

Name = Literal["train", "validation", "test"]
SPLITS: tuple[Name, ...] = ("train", "validation", "test")
