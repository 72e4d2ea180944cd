"""Records what packages compute, for `tests/same.py`: run once a revision, on its own runtime.

    python tests/same_record.py PACKAGES RESULT.pt [--quick]

Of a package nothing is read but its family, and of the runtime nothing but `xlm_runtime.plug`. A
result holds a table `(kind, layout, case) -> value` for every package. Values are numbers, texts,
lists and tensors, as they are.
"""

import importlib.util
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from same_inputs import (
    LEAKY,
    ROOM,
    SECRET,
    SIZE,
    SPECIALS,
    VOCAB,
    claims,
    examples,
    plain,
    projection,
    ways,
    weighted,
)
from torch import nn

import xlm_runtime
from xlm_runtime.plug import Batch, Family, ModelSize, Noise

PATIENCE = 30.0  # CPU seconds for one case

Table = dict[tuple[str, str, str], Any]


class Late(Exception):
    """A case has had its time."""


def _late(_: int, __: FrameType | None) -> None:
    raise Late(f"takes more than {PATIENCE:g} CPU seconds")


class Recorder:
    """The table of one package."""

    def __init__(self, family: Family, quick: bool) -> None:
        self.family, self.quick = family, quick
        self.table: Table = {}

    def put(self, kind: str, layout: str, case: str, made: Callable[[], Any]) -> None:
        """Record a value, or the error that came in its place: that is a result, too."""
        signal.setitimer(signal.ITIMER_PROF, PATIENCE)
        try:
            self.table[kind, layout, case] = made()
        except Exception as error:  # the other revision may have the same
            self.table[kind, layout, case] = f"error: {type(error).__name__}: {error}"
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)

    def whole(self) -> Table:
        """Record everything."""
        for name, value in claims(self.family):
            self.table["claims", "", name] = value
        for layout in self.family.layouts:
            self.layout(layout)
        return self.table

    def network(self, layout: str, size: ModelSize) -> Any:
        """The network with the weights that it has before training."""
        torch.manual_seed(0)
        allowed = VOCAB.allowed(self.family.layouts[layout].predicts)
        return self.family.network(VOCAB, allowed, size)

    def layout(self, layout: str) -> None:
        """Record everything of one layout."""
        made = self.network(layout, SIZE)
        for kind, one in (("weights", made.named_parameters()), ("buffers", made.named_buffers())):
            own = dict(one)
            shapes = {name: [*one.shape, str(one.dtype)] for name, one in sorted(own.items())}
            self.table["weights", layout, kind] = [shapes, projection(own)]
        weighted(made)
        packed = self.family.packs and layout == "text"
        for kind in ("plain", "cut", "whole", *["packed"] * packed):
            batch = self.batch(layout, kind)
            for name, value in plain(batch).items():
                self.table["batch", layout, f"{kind}.{name}"] = value
            self.numbers(layout, kind, made, batch)
        batch = self.batch(layout, "plain")
        self.dropout(layout, batch)
        for decoder in self.family.decoders:
            self.decodings(layout, decoder, made, batch)

    def batch(self, layout: str, kind: str) -> Batch:
        """Examples of a kind, laid out."""
        law = self.family.layouts[layout]
        return law(VOCAB, ROOM)(examples(layout, kind, law.begins))

    def numbers(self, layout: str, kind: str, made: Any, batch: Batch) -> None:
        """Record loss, gradient and likelihood of a batch."""
        for seed in (0,) if self.quick or kind in ("cut", "whole") else (0, 1):
            self.loss(layout, f"{kind}, seed {seed}", made, batch, seed)
            if kind != "packed" and self.family.nelbo is not None:
                nats = partial(self.nats, made, batch, seed)
                self.put("likelihood", layout, f"{kind}, seed {seed}", nats)
        for params in ways(self.family.params.get("loss", ()), self.quick, layout):
            if kind == "plain" and params:
                self.loss(layout, f"{kind}, {params}", made, batch, 2, **params)

    def nats(self, made: Any, batch: Batch, seed: int) -> torch.Tensor:
        """One draw of the likelihood for each example."""
        if self.family.nelbo is None:
            raise ValueError("the family has no likelihood")
        return self.family.nelbo(made.eval(), batch, Noise(seed, batch.example, 3)).nats.detach()

    def loss(
        self, layout: str, case: str, made: Any, batch: Batch, seed: int, **params: Any
    ) -> None:
        """Record the loss of a batch, and its gradient."""
        made.train().zero_grad()
        self.put("loss", layout, case, lambda: self.trained(made, batch, seed, params))
        gradients = {
            name: torch.zeros_like(one) if one.grad is None else one.grad
            for name, one in made.named_parameters()
        }
        self.table["gradient", layout, case] = projection(gradients)

    def trained(self, made: Any, batch: Batch, seed: int, params: dict[str, Any]) -> Any:
        """The loss and its terms; the weights have its gradient then."""
        family, noise, noised = self.family, Noise(seed, batch.example, 5), ()
        if family.corrupt is not None and family.amount is not None:
            noised = (family.corrupt(batch, family.amount(batch, noise), noise, VOCAB),)
        losses = family.loss(made, *noised, batch, **params)
        losses.total.backward()
        terms = {name: one.detach() for name, one in losses.terms.items()}
        return {"total": losses.total.detach(), **terms, "over": torch.as_tensor(losses.over)}

    def dropout(self, layout: str, batch: Batch) -> None:
        """Record the loss of a network with dropout."""
        made = weighted(self.network(layout, LEAKY))
        torch.manual_seed(1)
        self.loss(layout, "with dropout", made, batch, 0)

    def decodings(self, layout: str, decoder: str, made: Any, batch: Batch) -> None:
        """Record what a decoder makes, over a grid of its params."""
        params = tuple(self.family.params.get(decoder, ()))
        fewer = {"steps": 6} if any(one.name == "steps" for one in params) else {}
        for i, changed in enumerate(ways(params, self.quick, f"{layout} {decoder}")):
            for seed in (0, 1) if not (i or self.quick) else (i % 2,):
                case = f"{decoder}, {changed}, seed {seed}"
                self.decoding(layout, decoder, case, fewer | changed, made, batch, seed)
        case = f"{decoder} in little room"
        self.decoding(layout, decoder, case, fewer, made, batch, 2, limit=4)
        if decoder in self.family.ending:
            ended = fewer | {"ended": Secret()}
            case = f"{decoder}, whose texts end early"
            self.decoding(layout, decoder, case, ended, made, batch, 3)

    def decoding(
        self,
        layout: str,
        decoder: str,
        case: str,
        params: dict[str, Any],
        made: Any,
        batch: Batch,
        seed: int,
        limit: int = ROOM,
    ) -> None:
        """Record one sample, and how many tokens went through the network for it."""

        def decoded() -> Any:
            decode = self.family.decoders[decoder](**params)
            return states(decode(made.eval(), batch, Noise(seed, batch.example), limit, True))

        counter = Counter(made)
        self.put("decoder", layout, case, decoded)
        self.table["work", layout, case] = counter.stop()


class Secret:
    """A test of whether a text holds one token behind what is given."""

    reach = 1

    def __call__(self, ids: list[int], known: int = 0) -> bool:
        """Return whether a text has ended."""
        return SECRET in ids[known:]


def states(made: Any) -> dict[str, Any]:
    """The tokens of a sample, its calls, and the states on the way without padding."""
    pad = SPECIALS["pad"]
    bodies = [row[own].tolist() for row, own in zip(made.x, made.body, strict=True)]
    rows = [[[i for i in row if i != pad] for row in state.tolist()] for state in made.history]
    return {"tokens": bodies, "calls": made.nfe.tolist(), "history": rows}


class Counter:
    """Counts the tokens that go through a network, padding included."""

    def __init__(self, network: nn.Module) -> None:
        self.seen = 0
        tables = [m for m in network.modules() if isinstance(m, nn.Embedding)]
        self.hook = tables[0].register_forward_hook(self._add)

    def _add(self, _: Any, inputs: tuple[torch.Tensor, ...], __: torch.Tensor) -> None:
        self.seen += inputs[0].numel()

    def stop(self) -> int:
        """The number of tokens; no more are counted."""
        self.hook.remove()
        return self.seen


def imported(folder: Path) -> Family:
    """The family of a package, whatever the folder is called."""
    name = f"same_{folder.name}"
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder} is no package")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    family: Family = module.FAMILY
    return family


def recorded(packages: Path, quick: bool) -> Iterator[tuple[str, Table]]:
    """The tables of all packages in a folder."""
    for folder in sorted(packages.iterdir()):
        if (folder / "__init__.py").is_file():
            yield folder.name, Recorder(imported(folder), quick).whole()


def main() -> None:
    """Write the tables."""
    parser = ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("packages", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--quick", action="store_true", help="fewer seeds and values of params")
    options = parser.parse_args()
    torch.set_num_threads(1)
    signal.signal(signal.SIGPROF, _late)
    tables = dict(recorded(options.packages, options.quick))
    torch.save({"runtime": xlm_runtime.__file__, "tables": tables}, options.result)


if __name__ == "__main__":
    main()
