"""Counts what a rebuilt compiler should have less of, and what it should accept more of.

    python tests/counts.py                    this tree
    python tests/counts.py --base main        a commit, a branch or a folder, beside this tree
    python tests/counts.py --cells            and which features are accepted for which noise

Of a tree its files are read, wherever in xlmc/, runtime/ and templates/ they are, and its own
command line is asked what it accepts.
"""

import builtins
import json
import keyword
import re
import subprocess
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import counting
import features
from trees import ROOT, environment, unpacked

LONG = 400  # lines of a file
STUDIED = ("flexmdm", "arlm", "remdm", "llada", "ilm", "dream")
NAMED = {  # what an author names, by the section in which many of them are tried
    "params of the loss": ("loss", "param {name} : Scale = 1.0"),
    "params of a decoder": ("decoder", "param {name} : Scale = 1.0"),
    "lets": ("loss", "let {name} = 1"),
    "heads": ("network", "head {name} : logits"),
}
OWN = {"alpha", "token"}  # names of the family in which they are tried

Row = tuple[str, str]


def texts(tree: Path, *patterns: str) -> dict[Path, str]:
    """The files of some patterns, by their paths in a tree."""
    paths = sorted({path for pattern in patterns for path in tree.glob(pattern)})
    return {path.relative_to(tree): path.read_text("utf-8") for path in paths if path.is_file()}


def asks(tree: Path) -> Iterator[Row]:
    """Sites that ask the kind of noise."""
    python, templates = texts(tree, "xlmc/**/*.py"), texts(tree, "templates/**/*.j2")
    for what, count, names in (
        ("sites that ask `chain`", counting.asks_chain, False),
        ("sites that compare with a kind or state of noise", counting.names_noise, True),
    ):
        found = [count(text) for text in python.values()]
        yield f"{what}: Python", f"{sum(found)} in {sum(map(bool, found))} files"
        found = [counting.template_asks(text, names) for text in templates.values()]
        yield f"{what}: templates", f"{sum(found)} in {sum(map(bool, found))} files"


def templates(tree: Path) -> Iterator[Row]:
    """Templates: all of them, and those of decoders."""
    every = texts(tree, "templates/**/*.j2")
    yield "templates: files, lines", f"{len(every)}, {sum(map(_lines, every.values()))}"
    yield "templates: lines with control", str(sum(map(counting.controls, every.values())))
    yield (
        "templates: lines with an inline condition",
        str(sum(map(counting.inline, every.values()))),
    )
    longest = max((len(line) for text in every.values() for line in text.splitlines()), default=0)
    yield "templates: longest line", str(longest)
    wide = [line for text in every.values() for line in text.splitlines() if len(line) > 110]
    yield "templates: lines over 110 characters", str(len(wide))
    yield "templates: uses of `~` and `replace`", str(sum(map(counting.glue, every.values())))


def _lines(text: str) -> int:
    return len(text.splitlines())


def fields(tree: Path) -> Iterator[Row]:
    """Fields of the IR and of code."""
    for what in ("ir", "code"):
        found = texts(tree, f"xlmc/**/{what}.py", f"xlmc/**/{what}/*.py").values()
        every, typed, held = (sum(n) for n in zip(*map(counting.text_fields, found), strict=True))
        yield f"fields in {what}: all, as text, code as text", f"{every}, {typed}, {held}"


def check(tree: Path, specs: Sequence[Path]) -> list[dict[str, str]]:
    """The messages of a tree about specs."""
    command = [sys.executable, "-P", "-m", "xlmc", "check", "--format", "json", *map(str, specs)]
    done = subprocess.run(command, env=environment(tree), capture_output=True, text=True)
    messages: list[dict[str, str]] = json.loads(done.stderr)
    return messages


def forbidden(tree: Path, folder: Path) -> Iterator[Row]:
    """Names of the generated code and of Python that an author may not give to anything."""
    found = set(dir(builtins)).union(*map(counting.words, texts(tree, "examples/*/*.py").values()))
    tried = {one for one in found - OWN if re.fullmatch(r"[A-Za-z]\w*", one)}
    tried = {one for one in tried if not keyword.iskeyword(one)}
    path = folder / "named.xlm"
    refused = {}
    for what, (section, line) in NAMED.items():
        while True:
            more = {section: tuple(line.format(name=one) for one in sorted(tried))}
            base = features.merged(features.BASES["mask"], "mask", more)
            path.write_text(features.written("named", base), encoding="utf-8")
            messages = check(tree, [path])
            language = {_quoted(one) for one in messages if one["code"] == "XLM016"}
            if not tried & language:
                break
            tried -= language  # words of the language, which no name can be
        refused[what] = {_quoted(one) for one in messages if one["code"] == "XLM042"}
    total = set().union(*refused.values())
    parts = ", ".join(f"{len(some)} {what}" for what, some in refused.items())
    yield "names forbidden to authors", f"{len(total)} of {len(tried)}"
    yield "    of them", parts


def _quoted(message: dict[str, str]) -> str:
    return message["title"].partition("`")[2].partition("`")[0]


def folders(tree: Path) -> Iterator[Row]:
    """Entries of folders."""
    for name in ("xlmc", "runtime/xlm_runtime", "runtime/xlm_runtime/tasks"):
        yield f"entries of {name}", str(len(entries(tree / name)))
    inner = [
        p for n in ("xlmc", "runtime/xlm_runtime") for p in (tree / n).rglob("*") if p.is_dir()
    ]
    sizes = {path: len(entries(path)) for path in inner if path.name != "__pycache__"}
    most = max(sizes, key=sizes.__getitem__)
    yield "entries of the fullest folder inside", f"{sizes[most]} ({most.relative_to(tree)})"


def entries(folder: Path) -> list[str]:
    """The names in a folder, without hidden ones."""
    return [path.name for path in folder.iterdir() if not path.name.startswith((".", "__py"))]


def lengths(tree: Path) -> Iterator[Row]:
    """Lengths of functions and files."""
    for what, pattern in (("compiler", "xlmc/**/*.py"), ("runtime", "runtime/xlm_runtime/**/*.py")):
        found = texts(tree, pattern)
        sizes = [n for text in found.values() for n in counting.functions(text)]
        files = [_lines(text) for text in found.values()]
        yield f"{what}: files, lines, functions", f"{len(files)}, {sum(files)}, {len(sizes)}"
        yield f"{what}: length of a function, median and p90", counting.middle(sizes)
        yield f"{what}: length of a file, median and p90", counting.middle(files)
        many = [path.name for path, text in found.items() if _lines(text) > LONG]
        yield (
            f"{what}: files over {LONG} lines",
            f"{len(many)} ({', '.join(many)})" if many else "0",
        )
    tests = [path for path, text in texts(tree, "tests/**/*.py").items() if _lines(text) > LONG]
    yield f"tests: files over {LONG} lines", str(len(tests))


def decoders(tree: Path) -> Iterator[Row]:
    """Decoders of the generated packages."""
    found = {path.parent.name: text for path, text in texts(tree, "examples/*/decoder.py").items()}
    sizes = {name: _lines(found.get(name, "")) for name in STUDIED}
    parts = ", ".join(f"{name} {size}" for name, size in sizes.items())
    yield "lines of the six decoders", str(sum(sizes.values()))
    yield "    of them", parts
    again, runs = (sum(n) for n in zip(*map(counting.repeated, found.values()), strict=True))
    yield "lines that decoders of a package repeat: all, in runs of 3", f"{again}, {runs}"
    packages = texts(tree, "examples/*/*.py")
    loose = sum(map(counting.loose, packages.values()))
    yield "`Callable[..., ...]` and `tuple[object, ...]` in packages", str(loose)
    yield "lines of all packages", str(sum(map(_lines, packages.values())))


def cells(tree: Path, folder: Path) -> dict[tuple[str, str], str]:
    """Why each cell is refused; empty if it is accepted."""
    places: dict[tuple[str, str], list[str]] = {}
    for number, (feature, kind) in enumerate(features.cells()):
        for way, specs in enumerate(features.cell(feature, kind, f"cell_{number}")):
            home = folder / f"way_{way}"
            home.mkdir(exist_ok=True)
            for name, text in specs.items():
                (home / f"{name}.xlm").write_text(text, encoding="utf-8")
            places.setdefault((feature, kind), []).append(str(home / f"cell_{number}.xlm"))
    every = [Path(one) for some in places.values() for one in some]
    wrong: dict[str, str] = {}
    for one in check(tree, every):
        if one["severity"] == "error":
            wrong.setdefault(one["file"], f"{one['code']} {one['title']}: {one['label']}")
    parents = {file.replace("_parent.xlm", ".xlm"): text for file, text in wrong.items()}
    wrong |= {file: text for file, text in parents.items() if file not in wrong}
    return {
        cell: "" if any(one not in wrong for one in some) else wrong[some[0]]
        for cell, some in ((one, places.get(one, [])) for one in features.cells())
        if some
    } | {one: "it cannot be stated" for one in features.cells() if one not in places}


def accepted(found: dict[tuple[str, str], str]) -> Iterator[Row]:
    """Numbers of cells."""
    good = [cell for cell, why in found.items() if not why]
    per = Counter(feature for feature, _ in good)
    kinds = Counter(kind for _, kind in good)
    yield "cells accepted", f"{len(good)} of {len(found)}"
    yield "    of them", ", ".join(f"{kinds[kind]} {kind}" for kind in features.KINDS)
    every, once = (sum(n == wanted for n in per.values()) for wanted in (len(features.KINDS), 1))
    yield "features accepted for all kinds of noise, for one", f"{every}, {once}"


READ: tuple[Callable[[Path], Iterator[Row]], ...] = (
    asks,
    templates,
    fields,
    folders,
    lengths,
    decoders,
)


def column(tree: Path, show: bool) -> dict[str, str]:
    """All rows of one tree; names that come again are those of the row before."""
    rows: list[Row] = [row for count in READ for row in count(tree)]
    with TemporaryDirectory() as folder:
        rows += forbidden(tree, Path(folder))
        found = cells(tree, Path(folder))
    if show:
        print("\n".join(matrix(found)))
    made: dict[str, str] = {}
    before = ""
    for name, value in [*rows, *accepted(found)]:
        made[f"{before}:{name}" if name.startswith(" ") else name] = value
        before = before if name.startswith(" ") else name
    return made


def matrix(found: dict[tuple[str, str], str]) -> Iterator[str]:
    """Features by kinds of noise, and why those that are refused are."""
    yield " ".join(features.KINDS)
    for feature in features.names():
        marks = ["x" if not found[feature, kind] else "." for kind in features.KINDS]
        yield "    ".join(marks) + f"  {feature}"
        for kind in features.KINDS:
            if why := found[feature, kind]:
                yield f"{'':18}{kind}: {why}"


def table(columns: dict[str, dict[str, str]]) -> Iterator[str]:
    """The rows, one column a tree; long values on lines of their own."""
    names = list(dict.fromkeys(name for one in columns.values() for name in one))
    yield f"{'':60}" + "".join(f"{title:>22}" for title in columns)
    for name in names:
        values = [one.get(name, "-") for one in columns.values()]
        if max(map(len, values)) > 20:
            yield name.partition(":    ")[0] + ":"
            yield from (f"    {title:>10}  {v}" for title, v in zip(columns, values, strict=True))
        else:
            yield f"{name:60}" + "".join(f"{value:>22}" for value in values)


def main() -> None:
    """Print the table."""
    parser = ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--base", help="a commit, a branch or a folder")
    parser.add_argument("--tree", type=Path, default=ROOT, help="another folder than this tree")
    parser.add_argument("--cells", action="store_true", help="print the cells of each tree")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        trees = {"this tree": options.tree.resolve()}
        if options.base:
            trees = {options.base: unpacked(options.base, Path(folder))} | trees
        columns = {title[:12]: column(tree, options.cells) for title, tree in trees.items()}
    print("\n".join(table(columns)))


if __name__ == "__main__":
    main()
