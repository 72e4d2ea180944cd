"""The only ways for text of a spec into Python: as a literal, a docstring or a comment."""

from textwrap import wrap

from xlmc.syntax.marks import plain

WIDTH = 88


def py(value: object) -> str:
    """Format a literal: of texts, numbers, and tuples of them."""
    return plain(repr(value))


def comment(text: str) -> str:
    """Format text behind a `#`: printable, on one line."""
    return "".join(c if c.isprintable() else " " for c in plain(text)).strip()


def docstring(*paragraphs: str | tuple[str, ...]) -> str:
    """Format a docstring of paragraphs; a tuple is a list of lines that stay as they are.

    Backslashes and quotes are escaped, invisible characters become spaces.
    """
    body = _body(paragraphs)
    body = body.replace("\\", "\\\\").replace('"', '\\"') if _unsafe(body) else body
    return f'"""{body}"""'


def raw_docstring(*paragraphs: str | tuple[str, ...]) -> str:
    r"""Format a docstring of our own formulas, in which backslashes are not escaped.

    Raises ValueError for text that a raw docstring cannot hold.
    """
    body = _body(paragraphs)
    if '"' in body or body.endswith("\\"):
        raise ValueError("a raw docstring cannot hold this text")
    return f'r"""{body}"""' if "\\" in body else f'"""{body}"""'


def math_block(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Format a formula as a block of a docstring; a single line follows its directive."""
    if len(lines) == 1:
        return (f".. math:: {lines[0]}",)
    return (".. math::", "", *(f"    {line}" for line in lines))


def literal_text(text: str) -> str:
    """Format a literal of a long text, in pieces that fit on a line."""
    if len(repr(comment(text))) <= 100 - 12 - 1:  # behind three levels of indentation
        return repr(comment(text))
    pieces = wrap(comment(text), WIDTH - 12, break_long_words=False, drop_whitespace=False)
    return "(" + "\n".join(map(repr, pieces)) + ")"


def _unsafe(body: str) -> bool:
    return "\\" in body or '"""' in body or body.endswith('"')


def _body(paragraphs: tuple[str | tuple[str, ...], ...]) -> str:
    blocks = [_block(paragraph) for paragraph in paragraphs if paragraph]
    if len(blocks) == 1 and "\n" not in blocks[0]:
        return blocks[0]
    return "\n\n".join(blocks) + "\n"


def _block(paragraph: str | tuple[str, ...]) -> str:
    if isinstance(paragraph, tuple):
        return "\n".join(map(_line, paragraph))
    return "\n".join(wrap(comment(paragraph), WIDTH, break_long_words=False))


def _line(line: str) -> str:
    """Return a line with its indentation."""
    inner = line.lstrip(" ")
    return " " * (len(line) - len(inner)) + comment(inner)
