"""Compares the numbers and samples that one seed gives on several kinds of processor.

    python tests/seeds.py            a table: equal results have the same letter
    python tests/seeds.py --json     the same for programs

This machine takes the place of others: environment variables keep torch, MKL and oneDNN from using
instructions that an older processor lacks (MKL ignores them on processors that are not Intel's).
Each row runs in a process of its own, on weights that were written once. Compared are

    start     the weights that new networks get from a seed
    logits    the answers of networks, bit for bit
    gradient  those of a training step, bit for bit
    samples   generated rows, of a family of each kind (filling, inserting, left to right)

`cpu` is processor time relative to the first row. The settings are those of docs/seeds.md: kernels
is ATEN_CPU_CAPABILITY=default, products is MKL_CBWR=COMPATIBLE.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[1]

AVX2 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
}
OLD = {
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
}
PROCESSORS = {"this one": {}, "with AVX2": AVX2, "with SSE4.2": OLD}
KERNELS, PRODUCTS = {"ATEN_CPU_CAPABILITY": "default"}, {"MKL_CBWR": "COMPATIBLE"}
EQUAL = KERNELS | PRODUCTS  # the settings of docs/seeds.md
WAYS = {"none": {}, "kernels": KERNELS, "products": PRODUCTS, "both": EQUAL}
THREADS = "OMP_NUM_THREADS"
FAMILIES = {"mdlm": "default", "ilm": "sampled", "arlm": "default"}
ROWS, ROOM, VOCABULARY = 16, 24, 512
COMPARED = ("start", "logits", "gradient", "samples")

Answers = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--weights", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.weights is not None:
        print(json.dumps(answers(options.weights)))
        return 0
    rows = table()
    print(json.dumps(rows, indent=1) if options.json else "\n".join(lines(rows)))
    return 0


def table() -> list[Answers]:
    """The rows of the table: each way on each processor with one thread, and two with two."""
    cases = [(way, processor, "1") for way in WAYS for processor in PROCESSORS]
    cases += [("none", "this one", "2"), ("both", "this one", "2")]
    with TemporaryDirectory() as folder:
        weights = Path(folder, "weights.pt")
        return [
            {"settings": way, "processor": processor, "threads": threads}
            | asked(weights, PROCESSORS[processor] | WAYS[way] | {THREADS: threads})
            for way, processor, threads in cases
        ]


def asked(weights: Path, settings: dict[str, str]) -> Answers:
    """The answers of a process with some settings; the first one writes the weights."""
    known = {*AVX2, *EQUAL, THREADS}
    clean = {name: value for name, value in os.environ.items() if name not in known}
    command = [sys.executable, str(Path(__file__)), "--weights", str(weights)]
    path = {"PYTHONPATH": f"{ROOT}:{ROOT / 'runtime'}"}
    made = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, env=clean | path | settings, text=True
    )
    answered: Answers = json.loads(made.stdout)
    return answered


def answers(path: Path) -> Answers:
    """Digests of what this process computes, and the processor time that it took."""
    import torch

    from xlm_runtime.packages import package

    families = {name: package.load(ROOT / "examples" / name).family for name in FAMILIES}
    networks = {name: network(family) for name, family in families.items()}
    start = digest(w for made in networks.values() for w in made.parameters())
    if not path.exists():
        for made in networks.values():
            _spread(made)
        torch.save({name: made.state_dict() for name, made in networks.items()}, path)
    weights = torch.load(path, weights_only=True)
    before = time.process_time()
    parts = []
    for name, made in networks.items():
        made.load_state_dict(weights[name])
        parts.append(computed(families[name], made, FAMILIES[name]))
    found = {key: digest(t for part in parts for t in part[key]) for key in COMPARED[1:]}
    return {"start": start, **found, "cpu": time.process_time() - before}


def vocabulary() -> Any:
    from xlm_runtime.plug import Vocabulary

    return Vocabulary(VOCABULARY, {"pad": 0, "mask": 1, "bos": 2, "eos": 3, "cls": 4})


def network(family: Any) -> Any:
    """The network of a family as a seed makes it."""
    import torch

    from xlm_runtime.plug import ModelSize

    torch.manual_seed(1)
    allowed = vocabulary().allowed(family.layouts["text"].predicts)
    return family.network(vocabulary(), allowed, ModelSize(layers=2, width=128, heads=4)).eval()


def computed(family: Any, made: Any, decoder: str) -> dict[str, list[Any]]:
    """The logits of a batch, the gradient of a training step, and generated rows."""
    import torch

    from xlm_runtime.plug import Noise

    batch = family.layouts["text"](vocabulary(), ROOM)(_examples())
    noise = Noise(3, batch.example)
    with torch.no_grad():
        hidden = made.trunk(batch.x0, batch.attend)
        logits = (made.token if hasattr(made, "to_token") else made.slot)(hidden)
    noised = ()
    if family.corrupt is not None:
        noised = (family.corrupt(batch, family.amount(batch, noise), noise, vocabulary()),)
    family.loss(made, *noised, batch).total.backward()
    gradient = [w.grad for w in made.parameters() if w.grad is not None]
    steps = {"steps": ROOM} if any(p.name == "steps" for p in family.params[decoder]) else {}
    rows = family.decoders[decoder](**steps)(made, batch, noise, ROOM).x
    return {"logits": [logits], "gradient": gradient, "samples": [rows]}


def _spread(made: Any) -> None:
    """Random weights everywhere, so that answers differ from token to token."""
    import torch

    with torch.no_grad():
        for weights in made.parameters():
            weights.copy_(torch.randn(weights.shape) * 0.08)


def _examples() -> list[Any]:
    """Rows of random tokens."""
    import numpy as np

    from xlm_runtime.plug import Example

    rng = np.random.default_rng(3)
    return [Example(i, rng.integers(5, VOCABULARY, ROOM).tolist()) for i in range(ROWS)]


def digest(tensors: Iterable[Any]) -> str:
    """A hash of the bits of tensors."""
    made = hashlib.sha256()
    for tensor in tensors:
        made.update(tensor.detach().contiguous().numpy().tobytes())
    return made.hexdigest()[:16]


def lines(rows: list[Answers]) -> Iterator[str]:
    """The table as text; numbers that are equal have the same letter."""
    heads = "".join(f"{one:10}" for one in COMPARED)
    yield f"{'settings':10}{'processor':13}{'threads':9}{heads}cpu"
    known: dict[str, list[str]] = {one: [] for one in COMPARED}
    for row in rows:
        cells = ""
        for one, seen in known.items():
            seen += [row[one]] if row[one] not in seen else []
            cells += f"{chr(ord('a') + seen.index(row[one])):10}"
        cpu = row["cpu"] / rows[0]["cpu"]
        yield f"{row['settings']:10}{row['processor']:13}{row['threads']:9}{cells}{cpu:.2f}"


if __name__ == "__main__":
    sys.exit(main())
