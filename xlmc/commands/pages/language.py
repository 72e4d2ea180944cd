"""The page of the language: every word with its form, meaning, values, default and example.

The words come from a `Vocabulary`; nothing here knows one.
"""

from collections.abc import Callable, Iterable, Iterator

from xlmc.commands.pages.vocabulary import Line, Vocabulary, Word

Show = Callable[[Line], str]


def page(known: Vocabulary, show: Show) -> str:
    """Write the reference; ``show`` gives the line of a package that an entry becomes."""
    lines = [" | ".join(f"[{name}](#{name})" for name in (*known.sections, "glossary")), ""]
    for name, prose in known.sections.items():
        lines += [f"## {name}", "", prose, ""]
        lines += [line for one in known.words if one.section == name for line in entry(one, show)]
    terms = [f"- **{name}**: {meaning}" for name, meaning in known.glossary.items()]
    return "\n".join([*lines, "## glossary", "", *terms]) + "\n"


def entry(word: Word, show: Show) -> Iterator[str]:
    """Write about one word."""
    yield from (f"### {', '.join(f'`{name}`' for name in word.names)}", "")
    yield from ("```", *word.form, "```", "", word.meaning, "")
    if word.values:
        yield from (f"- `{value}`: {meaning}" for value, meaning in word.values.items())
        yield ""
    if word.default:
        yield from (f"Default: {word.default}.", "")
    if word.example:
        yield from (f"Example: `{word.example}`", "")
    if word.line is not None:
        yield f"A line that it makes (`{word.line.family}/{word.line.file}`):"
        yield from ("", "```python", show(word.line), "```", "")


def explained(name: str, known: Vocabulary) -> str:
    """Explain a word or a term on a terminal; empty if it is neither."""
    own = [word for word in known.words if name in word.names]
    others = [word for word in known.words if word not in own and word.mentions(name)]
    terms = [
        f"{term}: {meaning}".replace("`", "")
        for term, meaning in (*known.sections.items(), *known.glossary.items())
        if name in (term, term.partition(" (")[0])
    ]
    return "\n\n".join([*map(_text, own), *map(_text, others), *terms])


def _text(word: Word) -> str:
    """Explain one word on a terminal."""
    parts = [f"{', '.join(word.names)} (in {word.section})"]
    parts += ["\n".join(f"  {form}" for form in word.form), word.meaning]
    if word.values:
        width = max(map(len, word.values))
        parts.append("\n".join(f"  {value:{width}}  {what}" for value, what in word.values.items()))
    parts += [f"Default: {word.default}"] if word.default else []
    parts += [f"Example: {word.example}"] if word.example else []
    return "\n\n".join(part.replace("`", "") for part in parts)


def quoted(text: str, start: str) -> str:
    """Return the statement of a Python file that begins so, in full.

    Raises ValueError where there is none.
    """
    lines = text.splitlines()
    place = next((i for i, line in enumerate(lines) if line.startswith(start)), None)
    if place is None:
        raise ValueError(f"no line begins with {start!r}")
    whole = [lines[place]]
    while _open(whole) and len(whole) < len(lines) - place:
        whole.append(lines[place + len(whole)])
    indent = len(whole[0]) - len(whole[0].lstrip())
    return "\n".join(line[indent:] for line in whole)


def _open(lines: Iterable[str]) -> bool:
    """Return whether a bracket is still open."""
    written = "".join(lines)
    return sum(map(written.count, "([{")) > sum(map(written.count, ")]}"))
