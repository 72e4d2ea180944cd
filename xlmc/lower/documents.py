"""First lines of docstrings in packages."""

LINE = 88  # columns of a class's docstring
METHOD = LINE - 4


def referring(what: str, spec: str, way: str = "", columns: int = LINE) -> tuple[str, ...]:
    """Format a sentence and its reference to the spec, in one line if they fit."""
    if len(line := f"{what}{way} (spec: {spec}).") <= columns:
        return (line,)
    if len(line := f"{what}{way}.") <= columns:
        return line, f"spec: {spec}"
    rest = way.strip(", ")
    more = [f"{rest[:1].upper()}{rest[1:]}."] if rest else []
    return (f"{what}.", *more, f"spec: {spec}")


def returning(meaning: str) -> str:
    """Return the first line of a function that returns what a noun phrase names."""
    phrase = meaning.removeprefix("The ")
    return f"Return the {phrase[:1].lower()}{phrase[1:]}"
