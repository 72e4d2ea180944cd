"""Compares the packages that two versions of the compiler write: do they compute the same?

    python tests/same.py --base main              this tree against a commit, a branch or a folder
    python tests/same.py --base main ilm mixed    some specs only; random_07 is a random one
    python tests/same.py --base main --quick      20 random specs, not 40, and a smaller grid
    python tests/same.py --base main --code       the files of the packages, byte for byte

The specs are those of spec/ and examples/own, each tree's own, and random ones. Each tree builds
its packages by its own command line and runs them on its own runtime, on one machine, with weights,
batches and seeds that are the same. Compared are:

    claims      every field of the family, with reasons, recipes and layouts
    weights     names, shapes and first values of the network's weights
    batch       examples laid out: plain, cut, without padding, packed
    loss        total, terms and denominator, over the loss's params, with and without dropout
    gradient    two numbers for each weight
    likelihood  one draw for each example
    decoder     tokens between the brackets, calls of each row, and every state on the way, padding
                apart, over a grid of the decoder's params

Numbers may differ by rounding, --bound relative (1e-5); all else has to be equal. The exit code is
1 if anything differs.
"""

import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import random_coverage
import random_specs
import torch
from same_report import Report, compare, shown
from trees import ROOT, environment, unpacked

QUICK = 20  # random specs
GIVEN = ("spec/*.xlm", "examples/own/*.xlm")


def specs(tree: Path, random: Path, names: Sequence[str]) -> list[Path]:
    """The specs that a tree builds: its own, and the random ones."""
    every = [path for pattern in GIVEN for path in sorted(tree.glob(pattern))]
    every += sorted(random.glob("*.xlm"))
    return [path for path in every if not names or path.stem in names]


def build(tree: Path, some: Sequence[Path], out: Path) -> dict[str, str]:
    """Build packages by a tree's command line; returns the names of those refused, and why."""
    command = [sys.executable, "-P", "-m", "xlmc", "build", *map(str, some), "--out", str(out)]
    done = subprocess.run(command, env=environment(tree), capture_output=True, text=True)
    if not done.returncode or not some:
        return {}
    if len(some) == 1:
        return {some[0].stem: done.stderr}
    half = len(some) // 2  # one refused spec is enough that nothing is written
    return build(tree, some[:half], out) | build(tree, some[half:], out)


def record(
    tree: Path, packages: Path, quick: bool
) -> dict[str, dict[tuple[str, str, str], object]]:
    """What packages compute on a tree's runtime."""
    result = packages.with_suffix(".pt")
    script = str(Path(__file__).with_name("same_record.py"))
    command = [sys.executable, script, str(packages), str(result), *["--quick"] * quick]
    subprocess.run(command, check=True, env=environment(tree))
    made = torch.load(result, weights_only=False)  # written one line above
    if not Path(made["runtime"]).is_relative_to(tree):
        raise RuntimeError(f"the runtime is {made['runtime']}, which is not of {tree}")
    tables: dict[str, dict[tuple[str, str, str], object]] = made["tables"]
    return tables


def texts(packages: Path) -> Iterator[tuple[str, dict[tuple[str, str, str], object]]]:
    """The files of packages, by their names."""
    for folder in sorted(packages.iterdir() if packages.is_dir() else []):
        yield (
            folder.name,
            {("file", "", one.name): one.read_bytes() for one in sorted(folder.iterdir())},
        )


def refusals(report: Report, base: Mapping[str, str], here: Mapping[str, str]) -> None:
    """Report the specs that one of the two refuses."""
    for name in sorted(base.keys() - here.keys()):
        print(f"{name}: the base refuses it, and this tree does not")
    for name in sorted(here.keys() - base.keys()):
        report.differs(name, "build", "", f"this tree refuses it\n{here[name]}")
    for name in sorted(base.keys() & here.keys()):
        print(f"{name}: both refuse it")


def compared(options: Namespace, folder: Path) -> Report:
    """Build and record both sides, and compare them."""
    trees = (unpacked(options.base, folder / "tree"), options.tree.resolve())
    random = folder / "random"
    random.mkdir()
    count = QUICK if options.quick and not options.names else random_specs.COUNT
    for number in range(min(count, options.random)):
        path = random / f"{random_specs.name(number)}.xlm"
        path.write_text(random_specs.spec(number), encoding="utf-8")
    outs = (folder / "base", folder / "here")
    given = [specs(tree, random, options.names) for tree in trees]
    if not any(given):
        raise SystemExit(f"no spec is called {' or '.join(options.names)}")
    refused = [build(*one) for one in zip(trees, given, outs, strict=True)]
    report = Report(options.bound, options.history, {path.stem for path in given[0]})
    refusals(report, *refused)
    if options.code:
        tables = [dict(texts(out)) for out in outs]
    else:
        tables = [record(tree, out, options.quick) for tree, out in zip(trees, outs, strict=True)]
    compare(report, *tables)
    accepted = [p.read_text(encoding="utf-8") for p in random.iterdir() if p.stem in tables[0]]
    if accepted and not options.names:
        print(random_coverage.summary(accepted))
    return report


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, and print what was."""
    parser = ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="specs, by their names; all of them by default")
    parser.add_argument("--base", required=True, help="a commit, a branch or a folder")
    parser.add_argument("--tree", type=Path, default=ROOT, help="another folder than this tree")
    parser.add_argument("--bound", type=float, default=1e-5, help="of rounding, relative")
    parser.add_argument("--quick", action="store_true", help="fewer specs, seeds and params")
    parser.add_argument("--code", action="store_true", help="compare files, and run nothing")
    parser.add_argument("--random", type=int, default=random_specs.COUNT, help="at most so many")
    parser.add_argument(
        "--history",
        choices=["exact", "settled"],
        default="exact",
        help="settled: a state that equals the one before it counts once",
    )
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder:
        report = compared(options, Path(folder))
    print(shown(report))
    return int(report.failed)


if __name__ == "__main__":
    sys.exit(main())
