"""``xlmc doc``: a table of families, from their specs."""

from pathlib import Path

import click

from xlmc.commands.common import DRIFT, Format, each, format_option, save, specs_argument
from xlmc.diagnostics.failure import Misuse


@click.command()
@specs_argument
@click.option(
    "--into",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Write the table into this Markdown file, between its two marks.",
)
@click.option("--check", is_flag=True, help="Write nothing; fail if the file is out of date.")
@format_option
def doc(specs: tuple[Path, ...], into: Path | None, check: bool, form: Format) -> int:
    """Print a Markdown table of the families that each SPEC describes."""
    from xlmc import compiler
    from xlmc.commands.table import BEGIN, END, inserted, table

    if check and into is None:
        raise Misuse("--check compares a file with the specs: name it by --into FILE")
    made = table(each(specs, compiler.checked, form))
    if into is None:
        click.echo(made, nl=False)
        return 0
    old = into.read_text(encoding="utf-8")
    new = inserted(old, made)
    if new is None:
        raise Misuse(f"{into} has no place for the table: add the lines\n{BEGIN}\n{END}")
    if new == old:
        return 0
    if check:
        click.echo(f"{into}: out of date; mend it by: xlmc doc SPEC... --into {into}", err=True)
        return DRIFT
    save(into.resolve(), new)
    click.echo(f"{into}: table written")
    return 0
