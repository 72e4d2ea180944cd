"""A compiled package: the bytes of its files, before they meet a disk."""

import keyword
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from attrs import frozen

from xlmc.diagnostics.failure import Misuse
from xlmc.emit.manifest import MANIFEST, Manifest, flat
from xlmc.emit.pins import confirm
from xlmc.resources import digest

WIDTH = 100


@frozen
class Package:
    """``files`` maps names to contents, ``MANIFEST.json`` included; the package is flat."""

    name: str
    files: Mapping[str, bytes]


def assemble(
    name: str, texts: Mapping[str, str], specs: Mapping[str, str], facts: Mapping[str, Any]
) -> Package:
    """Format rendered files, and add copies of the specs and the manifest.

    Args:
        name: the family, and the name of the directory.
        texts: file name -> text; Python may have any layout.
        specs: file name -> text of the spec and, after it, its parents.
        facts: those of the manifest beside hashes; JSON.
    """
    if not (name.isascii() and name.isidentifier()) or keyword.iskeyword(name):
        raise Misuse(f"{name!r} cannot be the name of a package: Python could not import it")
    rendered = {
        file: python(text) if file.endswith(".py") else text for file, text in texts.items()
    }
    clash = {MANIFEST, *specs} & set(rendered)
    crooked = [file for file in (*rendered, *specs) if not flat(file)]
    if clash or crooked:
        raise ValueError(f"not names of generated files: {sorted([*clash, *crooked])}")
    files = {file: text.encode() for file, text in {**rendered, **specs}.items()}
    outputs = {file: digest(content) for file, content in files.items()}
    manifest = Manifest(name, tuple(specs), outputs)
    return Package(name, {**files, MANIFEST: manifest.text(facts).encode()})


def python(text: str) -> str:
    """Format Python by black with our settings, ignoring the user's configuration.

    Raises Failure if black is not the pinned one.
    """
    import black  # 0.13 s, and an up-to-date build needs none

    confirm("black", black.__version__)
    head, line, rest = text.partition("\n")
    if not head.startswith("# "):
        return _formatted(text)
    return head + line + _formatted(rest)  # the head names the family, the rest may be of many


@lru_cache(maxsize=512)  # half of the text of the packages is in several
def _formatted(text: str) -> str:
    import black

    mode = black.Mode(line_length=WIDTH, target_versions={black.TargetVersion.PY311})
    return black.format_str(text, mode=mode)
