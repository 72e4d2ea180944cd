"""``xlmc pull``: a run that was pushed to the Hub, here again."""

from pathlib import Path

import click

from xlmc.commands.common import runtime
from xlmc.commands.trust import judged


@click.command(short_help="Fetch a run from the Hub.")
@click.argument("repo", metavar="OWNER/NAME")
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder of the run; else runs/FAMILY/TASK/NAME.",
)
def pull(repo: str, to: Path | None) -> int:
    """Fetch a run that `xlmc run PKG --task TASK --job push --repo OWNER/NAME` has sent to the Hub.

    Nothing of it is run: its spec is compiled here, and its code compared with what that makes. A
    private one needs a token: `hf auth login`, or HF_TOKEN.
    """
    with runtime():
        from xlm_runtime.run.share import pull as start

    return start(repo, to, judged)
