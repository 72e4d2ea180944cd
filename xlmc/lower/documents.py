"""Docstrings whose first line refers to the spec."""

LINE = 88  # columns of a class's docstring
METHOD = LINE - 4


def referring(what: str, spec: str, way: str = "", columns: int = LINE) -> tuple[str, ...]:
    """A sentence and the place of the spec that it comes from, in one line where they fit."""
    if len(line := f"{what}{way} (spec: {spec}).") <= columns:
        return (line,)
    if len(line := f"{what}{way}.") <= columns:
        return line, f"spec: {spec}"
    rest = way.strip(", ")
    return f"{what}.", f"{rest[:1].upper()}{rest[1:]}.", f"spec: {spec}"
