"""``xlmc explain``: the meaning of a message or of a word of the language."""

import inspect
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from xlmc.diagnostics.diagnostic import Diagnostic


@click.command()
@click.argument("topic", required=False, metavar="[CODE | WORD]")
def explain(topic: str | None) -> None:
    """Explain the message with this CODE (XLM012) or a WORD of specs (quota), or list all codes."""
    known = catalogue()
    if topic is None:
        for one in known.values():
            click.echo(f"{one.code}  {one.severity:8}{_first_line(one)}")
        return
    found = known.get(topic.upper())
    page = _page(found) if found is not None else _word(topic)
    if not page:
        from xlmc.words import reference

        hint = reference.nearest(topic)
        raise click.UsageError(
            f"there is no message {topic}, and no such word{f' ({hint})' if hint else ''}; "
            "`xlmc explain` lists all messages, and `xlmc doc --page language` all words"
        )
    click.echo(page)


def _word(name: str) -> str:
    """Return the page of a word, from its class if it has one, else from the entries about it."""
    from xlmc.commands.pages.language import explained
    from xlmc.commands.pages.vocabulary import vocabulary
    from xlmc.words import reference

    return reference.page(name) or explained(name, vocabulary())


def catalogue() -> dict[str, type["Diagnostic"]]:
    """Return every message by its code, in the order of the codes."""
    from xlmc.diagnostics import semantic_errors, syntax_errors
    from xlmc.diagnostics.diagnostic import Diagnostic

    classes = [*vars(syntax_errors).values(), *vars(semantic_errors).values()]
    found = [one for one in classes if inspect.isclass(one) and issubclass(one, Diagnostic)]
    coded = [one for one in found if hasattr(one, "code")]  # their base has none
    return {one.code: one for one in sorted(coded, key=lambda one: one.code)}


def _page(message: type["Diagnostic"]) -> str:
    from xlmc.commands.example import after, before

    return "\n\n".join(
        (
            f"{message.code}: {_first_line(message)}",
            "For example:",
            before(message.code).rstrip(),
            "What is right:",
            after(message.code),
        )
    )


def _first_line(message: type["Diagnostic"]) -> str:
    """Return the subject of a message."""
    return (inspect.getdoc(message) or "").partition("\n")[0]
