"""``xlmc doc``: a table of families, and the pages of the documentation that are generated."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xlmc.commands.common import DRIFT, Format, each, format_option, runtime, save, spec_path
from xlmc.diagnostics.failure import Misuse

if TYPE_CHECKING:
    from xlmc.commands.pages.families import Shown
    from xlmc.emit.package import Package
    from xlmc.syntax.ast import Family

PAGES = ("table", "families", "settings", "language")
OF_SPECS = ("table", "families")


@click.command()
@click.argument("specs", nargs=-1, type=spec_path, metavar="[SPEC...]")
@click.option(
    "--page",
    type=click.Choice(PAGES),
    default="table",
    show_default=True,
    help="table: one row for each SPEC; families: each SPEC at work; settings: the keys of --set; "
    "language: the words of specs.",
)
@click.option(
    "--into",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Write it into this Markdown file, between its two marks.",
)
@click.option("--check", is_flag=True, help="Write nothing; fail if the file is out of date.")
@format_option
def doc(specs: tuple[Path, ...], page: str, into: Path | None, check: bool, form: Format) -> int:
    """Print a page of documentation as Markdown: on the families of each SPEC, or on xlmc.

    The pages `table` and `families` are about specs; the others take none.
    """
    if check and into is None:
        raise Misuse("--check compares a file with the specs: name it by --into FILE")
    if (page in OF_SPECS) != bool(specs):
        wanted = "name at least one SPEC" if page in OF_SPECS else "leave the SPECs out"
        raise Misuse(f"--page {page}: {wanted}")
    made = _made(page, specs, form)
    if into is None:
        click.echo(made, nl=False)
        return 0
    again = " ".join(
        ["xlmc doc", *_option(page), *(["SPEC..."] if specs else []), f"--into {into}"]
    )
    return _insert(made, into, check, again)


def _option(page: str) -> Sequence[str]:
    return [] if page == "table" else [f"--page {page}"]


def _insert(made: str, into: Path, check: bool, again: str) -> int:
    """Write a page between the marks of a file, or compare."""
    from xlmc.commands.pages.table import BEGIN, END, inserted

    old = into.read_text(encoding="utf-8")
    new = inserted(old, made)
    if new is None:
        raise Misuse(f"{into} has no place for the page: add the lines\n{BEGIN}\n{END}")
    if new == old:
        return 0
    if check:
        click.echo(f"{into}: out of date; mend it by: {again}", err=True)
        return DRIFT
    save(into.resolve(), new)
    click.echo(f"{into}: written")
    return 0


def _made(page: str, specs: Sequence[Path], form: Format) -> str:
    """Make a page as Markdown."""
    from xlmc import compiler

    match page:
        case "table":
            from xlmc.commands.pages.table import table

            return table(each(specs, compiler.checked, form))
        case "families":
            return _families(specs, form)
        case "settings":
            return _settings()
        case _:
            return _language(form)


def _language(form: Format) -> str:
    """Make the page of the language, with lines of the packages of shipped specs."""
    from xlmc import compiler, resources
    from xlmc.commands.pages import language
    from xlmc.commands.pages.vocabulary import Line, vocabulary

    known = vocabulary()
    named = sorted({word.line.family for word in known.words if word.line is not None})
    specs = [resources.folder("spec") / f"{name}.xlm" for name in named]
    compiled = each(specs, lambda spec: (compiler.compile_spec(spec).package, ()), form)
    packages = {package.name: package.files for package in compiled}

    def show(line: Line) -> str:
        return language.quoted(packages[line.family][line.file].decode(), line.start)

    return language.page(known, show)


def _families(specs: Sequence[Path], form: Format) -> str:
    """Make the page of families, each compiled in memory and run."""
    from xlmc import compiler
    from xlmc.commands.pages import families

    compiled = each(specs, lambda spec: (compiler.compile_spec(spec), ()), form)
    trees = each(specs, compiler.checked, form)
    return families.page(
        (tree, _shown(one.package, tree)) for tree, one in zip(trees, compiled, strict=True)
    )


def _shown(package: "Package", tree: "Family") -> "Shown":
    """Run a family on the example."""
    from xlmc.commands.pages import families

    with runtime():
        from xlm_runtime.verify.shown import of_files

    made = of_files(Path(package.name), package.files, families.heads(tree))
    rows, shares = made.noised(families.HALF, families.counted(tree))
    states, steps = made.sample()
    return families.Shown(rows, shares, states, steps, made.params, made.objective, made.law)


def _settings() -> str:
    """Make the page of settings, from the configuration of the runtime."""
    from xlmc.commands.pages import settings

    with runtime():
        from xlm_runtime.config.described import described

    return settings.page(described())
