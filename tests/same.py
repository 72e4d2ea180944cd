"""Compares the packages that two versions of the compiler write: do they compute the same?

    python tests/same.py --base main              this tree against a commit or branch
    python tests/same.py --base main ilm mixed    some specs (of spec/ and examples/own) only
    python tests/same.py --base main --quick      fewer values of the decoders' params

The packages of both versions run in this process, on the runtime of this tree, with the same
weights (so the weights of one load into the other), batches and seeds. Compared are:

    claims      claim, samples, params, layouts, specials: equal, or the fields that differ
    loss        total and terms of training batches, relative to the total
    gradient    norm of the difference of the gradients, relative to the norm
    likelihood  one draw for each example, relative to the largest
    decoder     tokens between the brackets, calls of each row, and every state on the way, padding
                apart, for the default params and with one param changed at a time

Numbers may differ by rounding, --bound relative (1e-5); tokens, calls and states have to be equal.
`tokens` counts those that went through the network, padding included. A row whose tokens differ is
printed with the params. The exit code is 1 if anything differs.
"""

import os
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from tarfile import TarFile
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "runtime")]

import numpy as np  # noqa: E402  # the path is set above
import torch  # noqa: E402

from xlm_runtime.packages import package  # noqa: E402
from xlm_runtime.plug import (  # noqa: E402
    Batch,
    Decoded,
    Example,
    Family,
    ModelSize,
    Noise,
    Param,
    Vocabulary,
)

SPECIALS = {"pad": 0, "mask": 1, "bos": 2, "eos": 3, "cls": 4}
VOCAB = Vocabulary(24, SPECIALS)
SIZE = ModelSize(layers=2, width=32, heads=2)
ROOM = 10
LENGTHS = (3, 0, 10, 1, 6, 10, 7, 2)
PROMPTS = (2, 9, 0, 1, 3, 4, 9, 5)
CLAIMS = ("claim", "samples", "params", "specials", "ending", "inserts", "packs")
VALUES: dict[str, tuple[float | int, ...]] = {
    "Count": (1, 3, 8),
    "Chance": (0.0, 0.4, 1.0),
    "Scale": (0.0, 0.5, 2.0),
}
SEEDS = (0, 1)


@dataclass
class Line:
    """A line of the table: how many cases were compared, and how far apart they are."""

    cases: int = 0
    unequal: int = 0
    apart: float = 0.0
    tokens: list[int] = field(default_factory=lambda: [0, 0])


Lines = dict[tuple[str, str, str], Line]


def built(root: Path, specs: list[Path], out: Path) -> None:
    """Builds packages with the compiler of a tree."""
    names = [str(root / spec) for spec in specs if (root / spec).is_file()]
    command = [sys.executable, "-P", "-m", "xlmc", "build", *names, "--out", str(out), "--force"]
    path = {"PYTHONPATH": f"{root}:{root / 'runtime'}"}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ | path)


def checked_out(revision: str, folder: Path) -> Path:
    """The tree of a revision, unpacked into a folder."""
    packed = subprocess.run(
        ["git", "-C", str(ROOT), "archive", revision], check=True, stdout=subprocess.PIPE
    )
    with TarFile(fileobj=BytesIO(packed.stdout)) as tar:
        tar.extractall(folder, filter="data")
    return folder


def examples(layout: str, begins: bool, packed: bool) -> list[Example]:
    """Examples of all lengths for a layout, an empty and a full one among them."""
    rng = np.random.default_rng(3)
    body = range(len(SPECIALS), VOCAB.size)
    made = []
    for i, (size, prompt) in enumerate(zip(LENGTHS, PROMPTS, strict=True)):
        ids = [int(x) for x in rng.choice(body, size)]
        asked = [int(x) for x in rng.choice(body, prompt)] if layout == "seq2seq" else []
        given = [bool(x) for x in rng.random(size) < 0.4] if layout == "infill" else []
        given = sorted(given, reverse=True) if begins else given
        document = sorted(int(x) for x in rng.integers(0, 3, size)) if packed else []
        made.append(Example(10 + 7 * i, ids, asked, given, (), document))
    return made


def network(family: Family, layout: str) -> Any:
    """The network of a family with random weights everywhere."""
    made = family.network(VOCAB, VOCAB.allowed(family.layouts[layout].predicts), SIZE)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weights in made.parameters():
            weights.copy_(0.3 * torch.randn(weights.shape, generator=generator))
    return made


def trained(family: Family, made: Any, batch: Batch, seed: int) -> tuple[Any, list[torch.Tensor]]:
    """The loss of a batch and its gradient."""
    made.zero_grad()
    noise, noised = Noise(seed, batch.example, 5), ()
    if family.corrupt is not None and family.amount is not None:
        noised = (family.corrupt(batch, family.amount(batch, noise), noise, VOCAB),)
    losses = family.loss(made, *noised, batch)
    losses.total.backward()
    return losses, [torch.zeros_like(w) if w.grad is None else w.grad for w in made.parameters()]


def ways(params: tuple[Param, ...], quick: bool) -> Iterator[dict[str, Any]]:
    """The default params, and those with one of them changed."""
    yield {}
    for param in params:
        values = param.options if param.kind == "Choice" else VALUES[param.kind]
        small = param.name in ("steps", "block_length")
        for value in values[:1] if quick else values:
            if value != param.default and (value or not small):
                yield {param.name: value}


class Counting:
    """Counts the tokens that go through a network, padding included."""

    def __init__(self, made: Any) -> None:
        self.seen = 0
        inner = made.backbone.embed
        inner.register_forward_hook(self._add)

    def _add(self, _: Any, inputs: tuple[torch.Tensor, ...], __: torch.Tensor) -> None:
        self.seen += inputs[0].numel()


def states(made: Decoded) -> list[Any]:
    """The tokens of a sample, calls, and the states on the way without padding."""
    pad = SPECIALS["pad"]
    bodies = [row[own].tolist() for row, own in zip(made.x, made.body, strict=True)]
    rows = [[[i for i in row if i != pad] for row in state.tolist()] for state in made.history]
    return [bodies, made.nfe.tolist(), rows]


class Comparison:
    """Two packages of one spec, and the lines of the table about them."""

    def __init__(self, name: str, base: Family, here: Family, options: Namespace) -> None:
        self.name, self.families, self.options = name, (base, here), options
        self.lines: Lines = {}

    def line(self, layout: str, what: str) -> Line:
        return self.lines.setdefault((self.name, layout, what), Line())

    def near(self, layout: str, what: str, pair: list[torch.Tensor], scale: float) -> None:
        """Notes how far two tensors are apart, relative to a scale."""
        one, line = self.line(layout, what), (pair[0] - pair[1]).double().norm().item()
        one.cases += 1
        one.apart = max(one.apart, line / max(scale, 1e-12))
        one.unequal += not line <= self.options.bound * max(scale, 1e-12)

    def claims(self) -> None:
        for name in CLAIMS:
            base, here = (told(getattr(family, name)) for family in self.families)
            one = self.line("", "claims")
            one.cases += 1
            if base != here:
                one.unequal += 1
                print(f"{self.name}: {name} was {base}\n    and is {here}")

    def layout(self, layout: str) -> None:
        """Everything of one layout."""
        base, here = self.families
        nets = [network(family, layout) for family in self.families]
        nets[1].load_state_dict(nets[0].state_dict())  # strict: checkpoints stay compatible
        begins = base.layouts[layout].begins
        for packed in (False, True) if base.packs and here.packs and layout == "text" else (False,):
            made = base.layouts[layout](VOCAB, ROOM)(examples(layout, begins, packed))
            for seed in SEEDS:
                self.losses(layout, nets, made, seed)
                if not packed and base.nelbo is not None and here.nelbo is not None:
                    self.likelihood(layout, nets, made, seed)
        whole = base.layouts[layout](VOCAB, ROOM)(examples(layout, begins, False))
        for decoder in base.decoders:
            for seed in SEEDS:
                self.decoder(layout, decoder, nets, whole, seed)

    def losses(self, layout: str, nets: list[Any], batch: Batch, seed: int) -> None:
        results = [
            trained(family, net.train(), batch, seed)
            for family, net in zip(self.families, nets, strict=True)
        ]
        totals = [losses.total.detach() for losses, _ in results]
        terms = [torch.stack([*losses.terms.values()]).detach() for losses, _ in results]
        flat = [torch.cat([part.flatten() for part in gradient]) for _, gradient in results]
        self.near(layout, "loss", totals, float(totals[0].abs()))
        self.near(layout, "loss", terms, float(totals[0].abs()))
        self.near(layout, "gradient", flat, float(flat[0].norm()))

    def likelihood(self, layout: str, nets: list[Any], batch: Batch, seed: int) -> None:
        draws = [
            family.nelbo(net.eval(), batch, Noise(seed, batch.example, 3)).nats
            for family, net in zip(self.families, nets, strict=True)
        ]
        self.near(layout, "likelihood", draws, float(draws[0].abs().max()))

    def decoder(self, layout: str, name: str, nets: list[Any], batch: Batch, seed: int) -> None:
        one = self.line(layout, f"decoder {name}")
        counters = [Counting(net) for net in nets]
        for params in ways(tuple(self.families[0].params.get(name, ())), self.options.quick):
            made = []
            for family, net in zip(self.families, nets, strict=True):
                fewer = {"steps": 6} if stepped(family, name) else {}
                decode = family.decoders[name](**fewer | params)
                noise = Noise(seed, batch.example)
                made.append(states(decode(net.eval(), batch, noise, ROOM, True)))
            one.cases += 1
            if made[0] != made[1]:
                one.unequal += 1
                parts = [
                    part
                    for part, a, b in zip(("tokens", "calls", "states"), *made, strict=True)
                    if a != b
                ]
                print(
                    f"{self.name} {layout} {name} {params} seed {seed}: {', '.join(parts)} differ"
                )
        for i, counter in enumerate(counters):
            one.tokens[i] += counter.seen


def stepped(family: Family, decoder: str) -> bool:
    """Tells if a decoder takes a number of steps (the default of 128 or more is long)."""
    return any(param.name == "steps" for param in family.params.get(decoder, ()))


def told(value: Any) -> Any:
    """A field of a family in a form that can be compared: functions by their values."""
    if isinstance(value, Mapping):
        return {key: told(one) for key, one in value.items()}
    if hasattr(value, "tilt"):
        tilt = None if value.tilt is None else [value.tilt(length) for length in range(6)]
        return (value.value, value.why, value.trained, tilt)
    return value


def compared(base: Path, here: Path, options: Namespace) -> Lines:
    """All lines of the table."""
    lines: Lines = {}
    for path in sorted(here.iterdir()):
        if not (base / path.name).is_dir():
            print(f"{path.name}: the base has no such package")
            continue
        families = [package.load(folder / path.name).family for folder in (base, here)]
        one = Comparison(path.name, *families, options)
        one.claims()
        for layout in families[0].layouts:
            one.layout(layout)
        lines |= one.lines
    return lines


def table(lines: Lines) -> Iterator[str]:
    """The lines as text."""
    yield f"{'package':14}{'layout':9}{'compared':22}{'cases':>6}{'differ':>8}{'apart':>10}  tokens"
    for (name, layout, what), one in lines.items():
        apart = f"{one.apart:10.1e}" if one.apart else f"{'0':>10}"
        tokens = f"  {one.tokens[0]} -> {one.tokens[1]}" if any(one.tokens) else ""
        yield f"{name:14}{layout:9}{what:22}{one.cases:6}{one.unequal:8}{apart}{tokens}"


def main() -> int:
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="specs, by their names; all of them by default")
    parser.add_argument("--base", required=True, help="a commit or branch to compare with")
    parser.add_argument("--bound", type=float, default=1e-5, help="of rounding, relative")
    parser.add_argument("--quick", action="store_true", help="fewer values of params")
    options = parser.parse_args()
    torch.set_num_threads(1)
    specs = [*sorted(ROOT.glob("spec/*.xlm")), *sorted(ROOT.glob("examples/own/*.xlm"))]
    specs = [p.relative_to(ROOT) for p in specs if not options.names or p.stem in options.names]
    with TemporaryDirectory() as folder:
        base, here = Path(folder, "base"), Path(folder, "here")
        built(checked_out(options.base, Path(folder, "tree")), specs, base)
        built(ROOT, specs, here)
        lines = compared(base, here, options)
    print("\n".join(table(lines)))
    unequal = sum(one.unequal for one in lines.values())
    print(f"{sum(one.cases for one in lines.values())} cases, {unequal} differ")
    return int(bool(unequal))


if __name__ == "__main__":
    sys.exit(main())
