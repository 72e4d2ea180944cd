"""``xlmc expand``: a spec with all that it leaves out."""

from pathlib import Path

import click

from xlmc.commands.common import Format, each, format_option, spec_path


@click.command()
@click.argument("spec", type=spec_path)
@format_option
def expand(spec: Path, form: Format) -> None:
    """Print SPEC with every default and every parent written out."""
    from xlmc import compiler
    from xlmc.resolve.defaults import explicit
    from xlmc.syntax import printer

    for family in each([spec], compiler.checked, form):
        click.echo(printer.text(explicit(family)), nl=False)
