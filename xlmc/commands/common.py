"""The common part of commands: their arguments, and the printing of messages."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import click

from xlmc.diagnostics.failure import Failure, Misuse

if TYPE_CHECKING:
    from xlmc.diagnostics.diagnostic import Diagnostic

T = TypeVar("T")
Format = Literal["text", "json", "github"]

ERRORS = 1
DRIFT = 3

some_path = click.Path(path_type=Path)  # the runtime says what is wrong with one
spec_path = click.Path(exists=True, dir_okay=False, path_type=Path)
specs_argument = click.argument("specs", nargs=-1, required=True, type=spec_path, metavar="SPEC...")
format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="How messages about specs are written.",
)


def each(
    specs: Sequence[Path], work: Callable[[Path], tuple[T, Sequence["Diagnostic"]]], form: Format
) -> list[T]:
    """Work on every spec, report all messages of all specs, and return the results.

    ``work`` gives a result and warnings, or raises SpecErrors. Ends the command with code 1 if any
    spec has errors.
    """
    from xlmc.diagnostics.diagnostic import SpecErrors

    found: list[Diagnostic] = []
    results = []
    for spec in dict.fromkeys(specs):
        try:
            result, warnings = work(spec)
        except SpecErrors as errors:
            found += errors.diagnostics
        else:
            found += warnings
            results.append(result)
    report(found, form)
    if any(one.severity == "error" for one in found):
        raise click.exceptions.Exit(ERRORS)
    return results


def report(diagnostics: Sequence["Diagnostic"], form: Format) -> None:
    """Write messages to stderr; as JSON even if there are none."""
    from xlmc.diagnostics.diagnostic import in_order, render

    colour = form == "text" and not os.environ.get("NO_COLOR")  # click removes it from files
    click.echo(render(in_order(diagnostics), form, colour=colour), nl=False, err=True)


@contextmanager
def runtime() -> Iterator[None]:
    """Import parts of the runtime; report a package that is not installed as a failure."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise Failure(
            f"{error.name} is not installed, which running a package needs: pip install xlmc"
        ) from error


def distinct(families: Sequence[tuple[Path, str]]) -> None:
    """Refuse two specs that would be compiled into the same package.  Raises Misuse."""
    makers: dict[str, Path] = {}
    for spec, family in families:
        if (first := makers.setdefault(family, spec)) != spec:
            raise Misuse(
                f"{first} and {spec} both describe the family '{family}': "
                "rename one of them, or build them with different --out"
            )


def save(path: Path, text: str) -> None:
    """Replace a file in one step, so that a crash cannot lose its old content."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_bytes(text.encode())
        part.chmod(path.stat().st_mode & 0o7777)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def task_names(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Return the tasks that begin with the input so far."""
    with runtime():
        from xlm_runtime.tasks import names

    return [name for name in names() if name.startswith(incomplete)]
