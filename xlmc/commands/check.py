"""``xlmc check``: everything that is wrong with specs."""

from pathlib import Path

import click

from xlmc.commands.common import Format, each, format_option, specs_argument


@click.command()
@specs_argument
@format_option
def check(specs: tuple[Path, ...], form: Format) -> None:
    """Check each SPEC and print every mistake; write nothing."""
    from xlmc import compiler

    each(specs, compiler.checked, form)
    if form == "text":
        for spec in dict.fromkeys(specs):
            click.echo(f"{spec}: ok")
