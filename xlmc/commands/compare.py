"""``xlmc compare``: the differences between runs, and their numbers."""

from pathlib import Path

import click

from xlmc.commands.common import runtime


@click.command(short_help="Compare runs: spec, settings, data, numbers.")
@click.argument("runs", nargs=-1, metavar="RUN RUN...", type=click.Path(path_type=Path))
def compare(runs: tuple[Path, ...]) -> int:
    """Show the differences of RUNs in spec, settings and data, and their numbers with errors.

    Runs that differ in the seed alone share a column. Numbers that do not compare with those of the
    first column have a star, and the reason is given.
    """
    with runtime():
        from xlm_runtime.run.reports.compare import compare as start

    return start(runs)
