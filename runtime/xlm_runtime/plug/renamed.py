"""Params of a spec whose names a package already uses for its own attributes."""

from collections.abc import Callable
from typing import Any, TypeVar

Made = TypeVar("Made")


def renamed(make: Callable[..., Made], /, **names: str) -> Callable[..., Made]:
    """Return a function or class with other names for some keywords: ``size="size_"``.

    Runs set params by the names that a spec gives them. Where the code of a package has such a name
    for something else, its own param has a `_` behind it.
    """

    def call(*args: Any, **params: Any) -> Made:
        return make(*args, **{names.get(name, name): value for name, value in params.items()})

    return call
