"""``xlmc fmt``: specs in their canonical layout."""

from collections.abc import Sequence
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xlmc.commands.common import DRIFT, Format, each, format_option, save, specs_argument

if TYPE_CHECKING:
    from xlmc.diagnostics.diagnostic import Diagnostic


@click.command()
@specs_argument
@click.option("--check", is_flag=True, help="Write nothing; fail if a spec would change.")
@click.option("--diff", is_flag=True, help="Write nothing; print what would change, and fail.")
@format_option
def fmt(specs: tuple[Path, ...], check: bool, diff: bool, form: Format) -> int:
    """Lay out each SPEC in the canonical way, keeping its comments.

    A spec with errors is refused, and then none is written.
    """
    texts = each(specs, _format, form)
    changed = [(spec, old, new) for spec, old, new in texts if old != new.encode()]
    for spec, old, new in changed:
        if diff:
            click.echo(_diff(spec, old, new), nl=False)
        elif check:
            click.echo(f"{spec}: would be laid out anew", err=True)
        else:
            save(spec.resolve(), new)
            click.echo(f"{spec}: laid out anew")
    return DRIFT if changed and (check or diff) else 0


def _format(spec: Path) -> tuple[tuple[Path, bytes, str], Sequence["Diagnostic"]]:
    from xlmc.resolve.library import content
    from xlmc.syntax.format import format_source
    from xlmc.syntax.parse import read_source
    from xlmc.words.slots import verbs

    data = content(spec)
    return (spec, data, format_source(read_source(str(spec), data), verbs())), ()


def _diff(spec: Path, old: bytes, new: str) -> str:
    before = old.decode(errors="replace").splitlines(keepends=True)
    lines = unified_diff(before, new.splitlines(keepends=True), str(spec), f"{spec} (laid out)")
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)
