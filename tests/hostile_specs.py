"""Specs that try to become code: every place of a text, times texts that break out of one."""

from collections.abc import Iterator
from pathlib import Path

from xlm_runtime.packages import package
from xlm_runtime.packages.contents import Contents
from xlmc.diagnostics.diagnostic import SpecErrors
from xlmc.emit.render import render
from xlmc.lower.family import lower
from xlmc.resolve.defaults import complete
from xlmc.resolve.inherit import flatten
from xlmc.syntax.marks import marked
from xlmc.syntax.parse import parse, read_source

SPEC = """# «comment»
family «family» "«title»" «extends»{
  paper "«citation»" arxiv "«arxiv»"
  noise { clean -> mask  survival «survival»(t) = «formula» }
  network { backbone «backbone»; head «head» : logits }
  loss { «head» : cross_entropy(x0) on mask  weight bound; mean over tokens }
  decoder { start masks; param «param» : Count = «number»; grid uniform(«param»)
    step { unmask chance reveal(«survival»); draw «head» greedy } }
  collate { text : bos [body] eos }
  recipe «task» { «setting» «value» }
}
"""
PLAIN = {
    "comment": "a note", "family": "covered", "title": "Covered words", "extends": "",
    "citation": "Nobody 2024", "arxiv": "2406.07524", "survival": "alpha", "formula": "1 - t",
    "backbone": "rotary", "head": "token", "param": "steps", "number": "8", "task": "lm1b",
    "setting": "warmup", "value": "10",
}  # fmt: skip
TEXTS = ("comment", "title", "citation", "arxiv")
WORDS = ("family", "survival", "head", "param", "task", "setting", "value", "number", "formula")
CODE = "__import__('pathlib').Path({!r}).touch()"
BREAKS = (
    "{code}", "'''\n{code}\n'''", "'\n{code}\n#", "\\\"\\n{code}", '\\"\\"\\"\\n{code}\\n\\"\\"\\"',
    "\\\\\\\\\n{code}", "' + str({code}) + '", "\\' + str({code}) + \\'", "{{{{ {code} }}}}",
    "{{% set x = {code} %}}", "{{{code}}}", "${{{code}}}", "%({code})s", "\\N{{BULLET}}{code}",
    "\\x0a{code}", "\\u000a{code}", "\u2028{code}", "\x85{code}", "\x0c{code}", "\r{code}",
    "\x00{code}", "# coding: utf-7\n+AAo-{code}", "\u202e{code}", ")\n{code}\n(", "];{code};[",
    "x := {code}", "lambda: {code}", "`{code}`", ":math:`{code}`", "\\\n{code}", "{code}#noqa",
    "*/{code}/*", "<!--{code}-->", "\ufeff{code}",
)  # fmt: skip
PATHS = (
    "os:system", "os.path:join", "os:system({code})", "os:{code}", "{code}:x", "os; {code}:x",
    "os:x\n{code}", "os import path\n{code}#:x", "..os:system", "os:system as x; {code}", ":",
    "__main__:{code}", "os:__import__", "class:def", "os .path:x", "os:x, y", "os:*",
)  # fmt: skip
NAMES = (
    "a.xlm\n{code}", "'''{code}'''.xlm", '"""{code}.xlm', "\\n{code}.xlm", "\u2028{code}.xlm",
    "../../{code}.xlm", "{{{{ {code} }}}}.xlm", "\x1b[2J{code}.xlm", "x.py", "__init__.xlm",
    "family.py.xlm", "\r{code}.xlm",
)  # fmt: skip
PARENTS = ("../../etc/passwd", "os", "__init__", "{code}", "mdlm\n{code}", "covered", "''", "a/b")


def every() -> Iterator[tuple[str, str, str, str]]:
    """Group, name, text and file name of each; ``{canary}`` stands for code that leaves one."""
    for place in TEXTS:
        for number, broken in enumerate(BREAKS):
            yield "texts and comments of a spec", f"{place} {number}", _with(place, broken), "x.xlm"
    for place in WORDS:
        for number, broken in enumerate(BREAKS):
            yield "names, numbers and formulas", f"{place} {number}", _with(place, broken), "x.xlm"
    for path in PATHS:
        text = _with("backbone", f'python "{path}"')
        yield "paths to Python", ascii(path), text, "x.xlm"
    for name in NAMES:
        yield "names of files", ascii(name), _with("comment", "a note"), name
    for parent in PARENTS:
        yield "parents", ascii(parent), _with("extends", f"extends {parent} "), "x.xlm"


def _with(place: str, text: str) -> str:
    """The spec with a text in a place, which is still to be formatted with the code."""
    found = SPEC.replace("{", "{{").replace("}", "}}")
    for name, plain in PLAIN.items():
        found = found.replace(f"«{name}»", text if name == place else plain)
    return found


def tried(text: str, file: str, canary: Path, folder: Path) -> str:
    """Compiles a spec, as far as black, and imports what it makes."""
    code = CODE.format(str(canary))
    source = text.format(code=code).encode("utf-8", "surrogatepass")
    try:
        family = complete(
            flatten(parse(read_source(file.format(code=code), source)), lambda _: None)
        )
        made = render(lower(marked(_checked(family))))
    except SpecErrors:
        return "refused"
    files = {name: content.encode() for name, content in made.items()}
    for name, content in files.items():
        compile(content, name, "exec")
    if 'python "' in text:  # what it names is imported; nothing else of the text may be
        return "a text"
    package.load(Contents(folder / "made", files))
    return "a text"


def _checked(family):  # type: ignore[no-untyped-def]
    from xlmc.check.family import check

    check(family)
    return family
