"""``xlmc build``: specs become packages, or are compared with them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xlmc.commands.common import (
    DRIFT,
    Format,
    distinct,
    each,
    format_option,
    specs_argument,
)

if TYPE_CHECKING:
    from xlmc.compiler import Compiled
    from xlmc.diagnostics.diagnostic import Diagnostic


@click.command()
@specs_argument
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("out"),
    show_default=True,
    metavar="DIR",
    help="The packages become DIR/NAME.",
)
@click.option(
    "--check",
    is_flag=True,
    help="Write nothing; fail unless DIR holds exactly what these specs make.",
)
@click.option("--force", is_flag=True, help="Overwrite packages that were edited by hand.")
@click.option("--print", "stage", type=click.Choice(["ast", "ir"]), help="Print a stage as JSON.")
@format_option
def build(
    specs: tuple[Path, ...], out: Path, check: bool, force: bool, stage: str | None, form: Format
) -> int:
    """Compile each SPEC into the package DIR/NAME.

    A package is replaced as a whole or not at all. Files that xlmc did not write stay; a package
    that was edited by hand is left alone unless --force is given.
    """
    if check and (force or stage):
        raise click.UsageError("--check writes nothing: it goes with neither --force nor --print")
    if stage:
        return _print(specs, stage, form)
    return _check(specs, out, form) if check else _build(specs, out, force, form)


def _print(specs: Sequence[Path], stage: str, form: Format) -> int:
    from xlmc import compiler
    from xlmc.syntax.plain import dump, plain

    work = compiler.tree if stage == "ast" else compiler.lowered
    for result in each(specs, work, form):
        click.echo(dump(plain(result)), nl=False)
    return 0


def _build(specs: Sequence[Path], out: Path, force: bool, form: Format) -> int:
    from xlmc import resources
    from xlmc.output import stamp

    compiler = resources.compiler_digest()
    known = {} if force else {spec: stamp.fresh(spec, out, compiler) for spec in specs}
    current = [(spec, name) for spec, name in known.items() if name]
    rest = [spec for spec in specs if not known.get(spec)]
    compiled = _compile(rest, form) if rest else []
    distinct([*current, *((one.path, one.package.name) for one in compiled)])
    for _, name in current:
        click.echo(f"{out / name}: up to date")
    for one in compiled:
        _write(one, out, force)
        if not one.warnings:  # a stamp would keep the next build from repeating them
            stamp.remember(one.path, out, compiler, one.read, one.package)
    return 0


def _compile(specs: Sequence[Path], form: Format) -> list["Compiled"]:
    from xlmc import compiler

    def work(spec: Path) -> tuple["Compiled", Sequence["Diagnostic"]]:
        compiled = compiler.compile_spec(spec)
        return compiled, compiled.warnings

    return each(specs, work, form)


def _write(compiled: "Compiled", out: Path, force: bool) -> None:
    from xlmc.output.write import write

    written = write(compiled.package, out, force=force)
    counts = {"written": len(written.changed), "removed": len(written.removed)}
    said = ", ".join(f"{_files(n)} {what}" for what, n in counts.items() if n)
    click.echo(f"{written.path}: {said or 'up to date'}")


def _files(number: int) -> str:
    return f"{number} file{'s' if number != 1 else ''}"


def _check(specs: Sequence[Path], out: Path, form: Format) -> int:
    """Compile in memory by the same function as a build does, without reading a stamp."""
    from xlmc.output.drift import command, compare, strangers

    compiled = _compile(specs, form)
    distinct([(one.path, one.package.name) for one in compiled])
    drifts = [drift for one in compiled for drift in compare(one.package, out)]
    drifts += strangers([one.package.name for one in compiled], out)
    for drift in drifts:
        click.echo(drift.diff, nl=False)
    for drift in drifts:
        click.echo(_line(f"{drift.path} {drift.why}", drift.path, form), err=True)
    if not drifts:
        return 0
    mend = command(drifts, [str(spec) for spec in specs], out)
    todo = f" To mend it:\n  {mend}" if mend else ""
    click.echo(f"{len(drifts)} of the paths differ.{todo}", err=True)
    return DRIFT


def _line(text: str, path: Path, form: Format) -> str:
    from xlmc.diagnostics.excerpt import printable

    return printable(f"::error file={path}::{text}" if form == "github" else text)
