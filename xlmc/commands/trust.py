"""The decision to run the code of a package: it is what its spec makes, or its user agrees."""

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from xlm_runtime.packages.trust import Trust

_NAMED = 5  # files in a message

trust_option = click.option(
    "--trust",
    is_flag=True,
    help="Let the code of a pulled run be run although xlmc did not make it of its spec.",
)


def trust(agreed: bool, say: Callable[[str], None]) -> "Trust":
    """Return a command's trust: the compiler's judgement, and --trust or a terminal's answer."""
    from xlm_runtime.packages.trust import Trust

    return Trust(judge=judged, agree=(lambda _: True) if agreed else _ask, say=say)


def _ask(found: str) -> bool:
    """Return the user's answer on a terminal; anywhere else it is no."""
    from xlmc.diagnostics.excerpt import printable

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    click.echo(printable(found), err=True)
    return click.confirm("Run this code here?", default=False, err=True)


def judged(files: Mapping[str, bytes]) -> str:
    """Explain why a package may do more than its spec; return "" if it cannot.

    The specs that lie in it are compiled in memory, and every byte is compared.
    """
    from xlmc.compiler import compile_held
    from xlmc.diagnostics.diagnostic import SpecErrors
    from xlmc.diagnostics.failure import Failure
    from xlmc.emit.manifest import MANIFEST, parsed

    manifest = parsed(files.get(MANIFEST, b""))
    if manifest is None:
        return f"it has no {MANIFEST} that xlmc wrote, so nothing can be compared"
    specs = {name: data for name, data in files.items() if name.endswith(".xlm")}
    try:
        made = compile_held(specs, manifest.family, manifest.source)
    except SpecErrors as errors:
        first = errors.diagnostics[0]
        return f"its spec is none that this xlmc compiles ({first.code})"
    except (Failure, KeyError, ValueError, RecursionError) as error:
        return f"its spec cannot be compiled here ({type(error).__name__}: {error})"
    return _compared(files, made.package.files) or _named(made.code)


def _compared(files: Mapping[str, bytes], made: Mapping[str, bytes]) -> str:
    names = sorted(name for name in {*files, *made} if files.get(name) != made.get(name))
    if not names:
        return ""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return (
        f"it is not what this xlmc makes of its spec: {', '.join(names[:_NAMED])}{more} "
        f"{'differ' if len(names) > 1 else 'differs'}; another version may have made it, or a hand"
    )


def _named(code: tuple[str, ...]) -> str:
    if not code:
        return ""
    return (
        "it is what xlmc makes of its spec, but the spec names Python of its own, "
        f"{', '.join(code)}, which is imported from here or from what is installed"
    )
