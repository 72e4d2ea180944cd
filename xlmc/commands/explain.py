"""``xlmc explain``: what a message means."""

import inspect
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from xlmc.diagnostics.diagnostic import Diagnostic


@click.command()
@click.argument("code", required=False)
def explain(code: str | None) -> None:
    """Explain the message with this CODE (XLM012), or list all codes."""
    known = catalogue()
    if code is None:
        for one in known.values():
            click.echo(f"{one.code}  {one.severity:8}{_first_line(one)}")
        return
    found = known.get(code.upper())
    if found is None:
        raise click.UsageError(f"there is no message {code}; `xlmc explain` lists all")
    click.echo(_page(found))


def catalogue() -> dict[str, type["Diagnostic"]]:
    """Every message by its code, in the order of the codes."""
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
    """What a message is about."""
    return (inspect.getdoc(message) or "").partition("\n")[0]
