"""``xlmc tasks``: what a package can be run on."""

import click

from xlmc.commands.common import runtime


@click.command()
def tasks() -> None:
    """List the tasks that come with xlmc.

    `xlmc run --task` also takes one of your own, as pkg.module:NAME.
    """
    with runtime():
        from xlm_runtime.tasks import names

    for name in names():
        click.echo(name)
