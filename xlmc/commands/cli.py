"""The command line: which commands there are, and what their failures look like.

Each command imports what it needs when it runs, so that ``--help`` and completion are instant.

Exit codes: 0 ok, 1 messages about a spec or a refuted claim, 2 usage, 3 drift, unformatted or
edited by hand, 4 a run or the machine failed, 70 a bug in xlmc, 130 interrupted.
"""

import os
import sys
import traceback
from collections.abc import Sequence

import click

from xlmc import __version__
from xlmc.commands.build import build
from xlmc.commands.chat import chat
from xlmc.commands.check import check
from xlmc.commands.compare import compare
from xlmc.commands.doc import doc
from xlmc.commands.expand import expand
from xlmc.commands.explain import explain
from xlmc.commands.fmt import fmt
from xlmc.commands.generate import generate
from xlmc.commands.lm_eval import lm_eval
from xlmc.commands.pull import pull
from xlmc.commands.report import report
from xlmc.commands.run import run
from xlmc.commands.runs import runs
from xlmc.commands.tasks import tasks
from xlmc.commands.verify import verify
from xlmc.diagnostics.failure import Failure

ABOUT = """Compile specs of language-model families into PyTorch packages, and run them.

\b
xlmc build spec/ilm.xlm              a spec becomes the package out/ilm
xlmc run out/ilm --task star_easy    prepare, train, evaluate, generate
"""
TRACEBACK = "XLMC_TRACEBACK"
BUG = 70
INTERRUPTED = 130


def _show_traceback(_: click.Context, __: click.Parameter, wanted: bool) -> None:
    if wanted:
        os.environ[TRACEBACK] = "1"


class InOrder(click.Group):
    """Lists its commands in the order in which they are used."""

    def list_commands(self, _: click.Context) -> list[str]:
        """Return the names in the order in which they were added."""
        return list(self.commands)


@click.group(cls=InOrder, help=ABOUT, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.option(
    "--traceback",
    is_flag=True,
    expose_value=False,
    callback=_show_traceback,
    help=f"Show where xlmc itself failed (or set {TRACEBACK}=1).",
)
def xlmc() -> None:
    """Define the command line."""


COMMANDS = (
    *(build, check, fmt, expand, explain, doc, verify),
    *(run, generate, chat, lm_eval, runs, compare, report, pull, tasks),
)
for command in COMMANDS:
    xlmc.add_command(command)


def execute(arguments: Sequence[str]) -> int:
    """Run a command line, print failures to stderr, and return the exit code."""
    try:
        code = xlmc.main(list(arguments), prog_name="xlmc", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except Failure as failure:
        click.echo(f"error: {failure}", err=True)
        return failure.code
    except OSError as error:
        click.echo(f"error: {_reason(error)}", err=True)
        return Failure.code
    except Exception as error:  # the last resort: whatever is not said above is our mistake
        _confess(error)
        return BUG
    return code if isinstance(code, int) else 0


def _reason(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"


def _confess(error: Exception) -> None:
    if os.environ.get(TRACEBACK):
        traceback.print_exception(error)
    summary = " ".join(f"{type(error).__name__}: {error}".split())
    click.echo(
        f"bug in xlmc: {summary}\n"
        "  this is not your mistake: please report it with the command and the spec\n"
        f"  {TRACEBACK}=1 shows where it happened",
        err=True,
    )
