"""``xlmc report``: one page on some runs."""

from pathlib import Path

import click

from xlmc.commands.common import runtime, some_path


@click.command(short_help="Write a page on runs: curves, numbers, samples, decoding.")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", type=some_path)
@click.option(
    "--out",
    type=some_path,
    default=Path("report.html"),
    show_default=True,
    metavar="FILE",
    help="The page; an earlier one of this name is replaced.",
)
def report(runs: tuple[Path, ...], out: Path) -> int:
    """Write one HTML page on RUNs, which opens offline and needs no other files.

    It has the curves of training, a table of numbers with the reasons why some do not compare,
    quality by calls of the network for every sweep, samples, decoding to step through, specs, data
    and settings.
    """
    with runtime():
        from xlm_runtime.run.reports.report import report as start

    return start(runs, out)
