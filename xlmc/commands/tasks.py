"""``xlmc tasks``: the tasks on which a package can be run."""

from pathlib import Path

import click

from xlmc.commands.common import runtime, some_path, task_names


@click.group(invoke_without_command=True)
@click.pass_context
def tasks(context: click.Context) -> None:
    """List the tasks that come with xlmc, or show one.

    `xlmc run --task` also takes one of your own, as pkg.module:NAME.
    """
    if context.invoked_subcommand is None:
        with runtime():
            from xlm_runtime.run.show import listed

        for line in listed():
            click.echo(line)


@tasks.command(short_help="Describe a task and its data.")
@click.argument("name", shell_complete=task_names)
@click.option(
    "--preset", type=click.Choice(["quick", "paper"]), default="quick", show_default=True,
    help="Whose data to tell of.",
)  # fmt: skip
@click.option("--data", type=some_path, metavar="PATH", help="Your own data, as for `xlmc run`.")
@click.option("--columns", default="", metavar="ROLE=COLUMN,...", help="What to read from --data.")
@click.option(
    "--examples",
    type=click.IntRange(min=0, max=1_000_000),
    help="How many to render; with preset paper none, since they may need a download.",
)
def show(name: str, preset: str, data: Path | None, columns: str, examples: int | None) -> int:
    """Describe the data of NAME: their origin, processing, and how answers are judged.

    A few examples are rendered. Nothing is fetched unless --examples requests published data.
    """
    with runtime():
        from xlm_runtime.run.show import show as start

    return start(name, preset=preset, data=data, columns=columns, examples=examples)
