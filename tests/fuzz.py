"""Changes shipped specs at random and compiles what results; writes a table into docs/robust.md.

    python tests/fuzz.py                     5,000 specs in one process: ten minutes on one core
    python tests/fuzz.py --count 200 --dry   some of them, and no table
    python tests/fuzz.py --only 1234         one of them: its text, and what becomes of it

A spec is data from anywhere. Whatever it holds, the compiler refuses it with messages that show
places in a file, or makes a package that Python can read; within seconds, and without a traceback.
"""

import ast
import builtins
import resource
import signal
import sys
import traceback
from argparse import ArgumentParser
from collections.abc import Iterable, Mapping
from pathlib import Path
from symtable import SymbolTable, symtable
from tempfile import TemporaryDirectory
from time import process_time
from types import FrameType

from attrs import frozen

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from spec_mutants import KINDS, Mutant, mutant  # noqa: E402  # the path is set above

from xlmc import compiler  # noqa: E402
from xlmc.diagnostics import diagnostic  # noqa: E402
from xlmc.diagnostics.source import Span  # noqa: E402
from xlmc.emit.render import render  # noqa: E402
from xlmc.lower.family import lower  # noqa: E402
from xlmc.resolve.defaults import explicit  # noqa: E402
from xlmc.syntax import printer  # noqa: E402
from xlmc.syntax.format import format_source  # noqa: E402
from xlmc.syntax.marks import marked  # noqa: E402
from xlmc.syntax.parse import parse, read_source  # noqa: E402

PAGE = ROOT / "docs/robust.md"
BEGIN, END = "<!-- fuzz -->", "<!-- end of fuzz -->"
LIMIT = 10.0  # CPU seconds for one spec
WHOLE = 20  # one of so many accepted specs is laid out, which takes longer than all the rest
MEMORY = 6 << 30  # bytes that the process may have


class Late(BaseException):
    """A spec has had its time.  No handler of errors takes it for one."""


@frozen
class Outcome:
    """What became of a spec: accepted or not, its time in CPU seconds, and our fault."""

    mutant: Mutant
    accepted: bool
    seconds: float
    fault: str = ""


def outcome(one: Mutant, folder: Path) -> Outcome:
    """Compile a spec, as far as it can be, and look at all that comes of it."""
    path = folder / f"{one.spec}.xlm"
    path.write_bytes(one.data)
    accepted, fault, began = False, "", process_time()
    signal.setitimer(signal.ITIMER_PROF, LIMIT)
    try:
        fault = _read(path, one.data)
        accepted, more = _compiled(path, whole=one.number % WHOLE == 0)
        fault = fault or more
    except Late:
        fault = f"takes more than {LIMIT:g} s"
    except Exception:  # that there is none is what the fuzz is for
        fault = traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return Outcome(one, accepted, process_time() - began, fault)


def _read(path: Path, data: bytes) -> str:
    """Lay a spec out; the result is laid out already."""
    try:
        laid = format_source(read_source(str(path), data))
    except diagnostic.SpecErrors as refused:
        return _messages(refused.diagnostics)
    again = format_source(read_source(str(path), laid.encode()))
    return "" if again == laid else "`fmt` changes what it has laid out"


def _compiled(path: Path, *, whole: bool) -> tuple[bool, str]:
    """Whether a spec is accepted, and what is wrong with the messages or the package."""
    try:
        family, warnings = compiler.checked(path)
    except diagnostic.SpecErrors as refused:
        fault = _messages(refused.diagnostics)
        return False, fault or ("" if refused.diagnostics else "it is refused without a message")
    files = render(lower(marked(family)))
    fault = unknown(files) or _messages(warnings)
    if whole:
        compiler.compile_spec(path)
    written = explicit(family)
    read = parse(read_source("expanded.xlm", printer.text(written).encode()))
    return True, fault or ("" if read == written else "`expand` prints another family")


def unknown(files: Mapping[str, str]) -> str:
    """Names that a package reads and nothing defines; empty where there are none."""
    tables = {name: symtable(text, name, "exec") for name, text in files.items()}
    trees = {name: ast.parse(text) for name, text in files.items()}
    defined = {
        name: {
            one.get_name()
            for one in table.get_symbols()
            if one.is_assigned() or one.is_imported() or one.is_namespace()
        }
        for name, table in tables.items()
    }
    for name, table in tables.items():
        compile(trees[name], name, "exec")
        strange = _globals(table) - defined[name] - vars(builtins).keys() - {"__file__", "__name__"}
        if strange:
            return f"{name} reads {sorted(strange)}, which nothing defines"
        for node in ast.walk(trees[name]):
            if isinstance(node, ast.ImportFrom) and node.level:
                lacks = {one.name for one in node.names} - defined.get(f"{node.module}.py", set())
                if lacks:
                    return f"{name} imports {sorted(lacks)} from {node.module}, which has none"
    return ""


def _globals(table: SymbolTable) -> set[str]:
    """The global names that a module, its classes and functions read."""
    own = {
        one.get_name()
        for one in table.get_symbols()
        if one.is_referenced() and (one.is_global() or table.get_type() == "module")
    }
    return own.union(*map(_globals, table.get_children()))


def _messages(found: Iterable[diagnostic.Diagnostic]) -> str:
    """What is wrong with messages: a place outside of its file, or an empty text."""
    found = tuple(found)
    for form in ("text", "json", "github"):
        diagnostic.render(found, form)
    for one in found:
        spans = [one.span, *(other.span for other in one.related)]
        if not all(map(_inside, spans)):
            return f"{one.code} points outside of the file"
        if not one.say(one.title) or (one.label and not one.say(one.label)):
            return f"{one.code} has an empty text"
    return ""


def _inside(span: Span) -> bool:
    return 0 <= span.start <= span.end <= len(span.source.text)


def fuzz(numbers: Iterable[int], seed: int = 1) -> list[Outcome]:
    """The outcomes of the specs of some numbers, all in this process."""

    def late(_: int, __: FrameType | None) -> None:
        raise Late

    before = signal.signal(signal.SIGPROF, late)
    try:
        with TemporaryDirectory() as folder:
            return [outcome(mutant(number, seed), Path(folder)) for number in numbers]
    finally:
        signal.signal(signal.SIGPROF, before)


def table(found: list[Outcome]) -> str:
    """The section of the page: what happened, by the kinds of changes."""
    faults = [one for one in found if one.fault]
    slowest = max(found, key=lambda one: one.seconds)
    spent = sorted(one.seconds for one in found)
    lines = [
        f"{len(found):,} specs in one process: {sum(one.accepted for one in found):,} accepted, "
        f"{sum(not one.accepted for one in found):,} refused, {len(faults)} faults. CPU seconds: "
        f"median {spent[len(spent) // 2]:.2f}, 99 of 100 within "
        f"{spent[len(spent) * 99 // 100]:.2f}, "
        f"the slowest {slowest.seconds:.1f} (number {slowest.mutant.number}). "
        f"Memory at its peak: {_peak()} MB.",
        "",
        "| change | specs | refused | accepted | faults | slowest, s |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for kind in KINDS:
        some = [one for one in found if kind in one.mutant.kinds]
        accepted, wrong = sum(one.accepted for one in some), sum(bool(one.fault) for one in some)
        longest = max((one.seconds for one in some), default=0.0)
        counts = f"{len(some):,} | {len(some) - accepted:,} | {accepted:,} | {wrong}"
        lines.append(f"| {kind} | {counts} | {longest:.1f} |")
    return "\n".join(lines)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1 << 10)


def _write(text: str) -> None:
    """Replaces the table on the page, between its two marks."""
    page = PAGE.read_text(encoding="utf-8")
    head, tail = page.partition(BEGIN)[0], page.partition(END)[2]
    PAGE.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}", encoding="utf-8")


def main() -> int:
    """Fuzz, report every fault, and write the table; the exit code is 1 if there is any fault."""
    options = ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--count", type=int, default=5000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--only", type=int, help="the number of one spec")
    options.add_argument("--dry", action="store_true", help="write no table")
    given = options.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.RLIM_INFINITY))
    if given.only is not None:
        print(mutant(given.only, given.seed).data.decode("utf-8", "backslashreplace"))
    numbers = range(given.count) if given.only is None else [given.only]
    found = fuzz(numbers, given.seed)
    for one in found:
        if one.fault:
            print(f"{one.mutant.number} {one.mutant.spec} {one.mutant.kinds}: {one.fault}")
    print(table(found))
    if given.only is None and not given.dry:
        _write(table(found))
    return int(any(one.fault for one in found))


if __name__ == "__main__":
    sys.exit(main())
