"""``xlmc runs``: the runs that are there."""

from pathlib import Path

import click

from xlmc.commands.common import runtime


@click.command(short_help="List runs, filtered and sorted.")
@click.argument("folder", metavar="[DIR]", default=Path("runs"), type=click.Path(path_type=Path))
@click.option("--family", metavar="NAME", help="Only runs of this family.")
@click.option("--task", metavar="NAME", help="Only runs on this task.")
@click.option(
    "--where",
    multiple=True,
    metavar="KEY=VALUE",
    help="Only runs with this setting: train.seed=1, decoder=greedy, preset=paper. Repeatable.",
)
@click.option(
    "--sort",
    metavar="[-]NAME",
    help="By a number or a setting, the smallest first; -NAME: the largest first. Otherwise the "
    "newest runs come first.",
)
def runs(
    folder: Path, family: str | None, task: str | None, where: tuple[str, ...], sort: str | None
) -> int:
    """List the runs at or below DIR with their steps, numbers and differing settings.

    The numbers are those of the last evaluation on all test examples, of the run's own package and
    weights. Damaged runs are listed as such.
    """
    with runtime():
        from xlm_runtime.run.reports.listing import list_runs

    return list_runs(folder, family, task, where, sort)
