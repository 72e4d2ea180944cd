"""``xlmc explain``: what a message means."""

import inspect
from string import Formatter
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from xlmc.errors import Diagnostic


@click.command()
@click.argument("code", required=False)
def explain(code: str | None) -> None:
    """Explain the message with this CODE (XLM012), or list all codes."""
    known = _messages()
    if code is None:
        for one in known.values():
            click.echo(f"{one.code}  {one.severity:8}{_words(one.title)}")
        return
    found = known.get(code.upper())
    if found is None:
        raise click.UsageError(f"there is no message {code}; `xlmc explain` lists all")
    click.echo(_page(found))


def _messages() -> dict[str, type["Diagnostic"]]:
    """Every message by its code, in the order of the codes."""
    from xlmc import messages, refusals
    from xlmc.errors import Diagnostic

    classes = [*vars(messages).values(), *vars(refusals).values()]
    found = [one for one in classes if inspect.isclass(one) and issubclass(one, Diagnostic)]
    coded = [one for one in found if hasattr(one, "code")]  # their base has none
    return {one.code: one for one in sorted(coded, key=lambda one: one.code)}


def _page(message: type["Diagnostic"]) -> str:
    parts = [
        f"{message.severity}[{message.code}]: {_words(message.title)}",
        inspect.getdoc(message) or "",
        *(f"{word}: {_words(text)}" for word, text in _hints(message) if text),
    ]
    return "\n\n".join(part for part in parts if part)


def _hints(message: type["Diagnostic"]) -> tuple[tuple[str, str], ...]:
    return (("at the place", message.label), ("note", message.note), ("help", message.help))


def _words(template: str) -> str:
    """A format string with ``<name>`` for each field."""
    parts = Formatter().parse(template)
    return "".join(text + (f"<{name}>" if name else "") for text, name, _, _ in parts)
