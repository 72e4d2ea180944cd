"""Names that an author may choose: all of those that the generated code uses for something else.

Everything that a spec names gets, several at once, names of local variables, params, imports,
methods and modules of its own package; the package computes what it did before.
"""

import ast as python
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import torch
from families.compiled import ROOT, completed, imported
from families.renamed import declared, renamed
from families.texts import GONE, MASK, changed
from families.words import usable

from xlm_runtime.plug import Example, Family, ModelSize, Noise, Vocabulary
from xlmc.check import words
from xlmc.check.family import check
from xlmc.check.names import camel
from xlmc.emit.module_attributes import MODULE
from xlmc.emit.names import Names
from xlmc.emit.render import render
from xlmc.lower.family import lower
from xlmc.resolve.defaults import explicit
from xlmc.syntax import ast, query
from xlmc.syntax.marks import MARK, is_marked, marked

TIMED = changed(
    MASK,
    ("amount count ~ uniform(1, length)", "amount t ~ uniform(0, 1)"),
    ("weight bound", "weight bound * scale + own"),
    ("    mean over", "    param scale : Scale = 1\n    let own = t * scale\n    mean over"),
    ("backbone  dit", "backbone  dit(condition = t)"),
    ("    grid uniform", "    let now = t\n    param rate : Scale = 3\n    grid uniform"),
    ("unmask chance reveal(alpha)", "unmask quota now * rate by random"),
    ("    reuse while unchanged\n", ""),
)
TEXTS = {
    "timed": TIMED,
    "gone": GONE,
    "heads": changed(
        MASK,
        ("head token : logits", "head token : logits\n    head other : logits"),
        ("    mean over", "    other : cross_entropy(x0) on mask\n    mean over"),
    ),
    **{path.stem: path.read_text("utf-8") for path in sorted((ROOT / "spec").glob("*.xlm"))},
}
FAST = {"timed": (0, 5), "flexmdm": (3,), "ilm": (2,), "arlm": (1,), "dream": (4,)}
VOCAB = Vocabulary(11, {"pad": 0, "mask": 1, "bos": 2, "eos": 3, "cls": 4})
EXAMPLES = [Example(0, [5, 6, 7]), Example(1, [8, 9, 5, 6]), Example(2, [10])]


@cache
def family_of(spec: str) -> ast.Family:
    """The tree of a spec, checked."""
    family = explicit(completed(TEXTS[spec]))
    check(family)
    return family


@cache
def code_of(spec: str) -> dict[str, str]:
    """The modules of its package."""
    return render(lower(marked(family_of(spec))))


@cache
def taken(spec: str) -> list[str]:
    """Every name in the package of a spec, and the names of its modules."""
    found = {Path(file).stem for file in code_of(spec)}
    for text in code_of(spec).values():
        for node in python.walk(python.parse(text)):
            for kind in ("id", "arg", "attr", "name", "asname"):
                name = getattr(node, kind, None)
                found |= {name} if isinstance(name, str) else set()
    found |= {name for name in dir(torch.nn.Module()) if name.isidentifier()}
    return sorted(name for name in found if usable(name) and not words.why_reserved(name, "a let"))


def assigned(spec: str, number: int) -> dict[str, str]:
    """New names of all that a spec names: the next of those that are taken, each time others."""
    old, new = declared(family_of(spec)), taken(spec)
    found: dict[str, str] = {}
    classes = set[str]()
    entries = [entry for one in family_of(spec).sections for entry in one.entries]
    choices = {entry.name for entry in entries if isinstance(entry, ast.Choice)}
    position = number * len(old)
    for name in old:
        while (
            (word := new[position % len(new)]) in found.values()
            or (name.startswith("decoder ") and camel(word) in classes)
            or (name in choices and word in query.SCORES)
        ):
            position += 1
        classes |= {camel(word)} if name.startswith("decoder ") else set()
        found[name] = word
        position += 1
    return found


def rounds(spec: str) -> int:
    """How many assignments it takes to give every taken name to something."""
    return len(taken(spec)) // len(declared(family_of(spec))) + 1


@dataclass(frozen=True)
class Same(Noise):
    """Noise whose streams have the names that they had before the renaming."""

    names: Mapping[str, str] = field(default_factory=dict)

    def _key(self, stream: str) -> Any:
        return super()._key(self.names.get(stream, stream))


def streams(spec: str, names: Mapping[str, str]) -> dict[str, str]:
    """The streams that are named after heads, by their new names."""
    own = set(re.findall(r'noise\.\w+\("(\w+)"', "".join(code_of(spec).values())))
    heads = {name for name in query.heads(family_of(spec)) if name in own}
    own -= heads
    return {new + "_" * (new in own): old for old, new in names.items() if old in heads}


def seen(package: Any, names: Mapping[str, str], drawn: Mapping[str, str]) -> dict[str, Any]:
    """All that a package computes, under the names that its spec had before."""
    family: Family = package.FAMILY
    old = {new: name.removeprefix("decoder ") for name, new in names.items()}
    torch.manual_seed(0)
    network = family.network(VOCAB, VOCAB.allowed(()), ModelSize(1, 16, 2))
    with torch.no_grad():
        for part in network.parameters():
            part.normal_(0, 0.3)
    batch = family.layouts["text"](VOCAB, 6)(EXAMPLES)
    noise = Same(1, batch.example, names=drawn)
    some = {p.name: 0.5 for p in family.params["loss"] if p.kind != "Choice"}
    given = (batch,)
    if family.amount is not None and family.corrupt is not None:
        given = (family.corrupt(batch, family.amount(batch, noise), noise, VOCAB), batch)
    losses = family.loss(network, *given, **some)
    found: dict[str, Any] = {
        "loss": losses.total.item(),
        "terms": {old.get(name, name): one.item() for name, one in losses.terms.items()},
    }
    if family.nelbo is not None:
        found["nelbo"] = family.nelbo(network, batch, noise).nats.tolist()
    for name, make in family.decoders.items():
        params = {p.name: _value(p) for p in family.params.get(name, ())}
        made = make(**params)(network, batch, noise, 6)
        found[f"decoder {old.get(name, name)}"] = (made.x.tolist(), made.nfe.tolist())
        found[f"params {old.get(name, name)}"] = [old.get(one, one) for one in params]
    return found


def _value(param: Any) -> Any:
    """Another value than the default, small where it is a number of steps."""
    values = {"Count": 3, "Chance": 0.5, "Scale": 0.7}
    return values.get(param.kind) or param.options[-1]


def built(spec: str, names: Mapping[str, str], folder: Path) -> dict[str, Any]:
    """All that the package computes whose spec has other names."""
    family = renamed(family_of(spec), names)
    check(family)
    files = render(lower(marked(family)))
    assert not any(map(is_marked, files.values()))
    with imported(files, folder, "named") as package:
        return seen(package, names, streams(spec, names))


@cache
def original(spec: str) -> dict[str, Any]:
    """All that the package of a spec computes."""
    with TemporaryDirectory() as folder:
        return built(spec, {}, Path(folder))


CASES = [(spec, part) for spec in TEXTS for part in range(6)]


@pytest.mark.many
@pytest.mark.parametrize(
    ("spec", "part"),
    [pytest.param(*c, marks=[] if c[1] in FAST.get(c[0], ()) else pytest.mark.slow) for c in CASES],
    ids=[f"{spec}-{part}" for spec, part in CASES],
)
def test_a_package_computes_the_same_whatever_its_author_names(
    spec: str, part: int, tmp_path: Path
) -> None:
    every = range(part, rounds(spec), 6)
    for number in every[:1] if part in FAST.get(spec, ()) else every:
        names = assigned(spec, number)
        assert built(spec, names, tmp_path / str(number)) == original(spec), names


NASTY = {
    "a slope that Python has a word for": ("timed", {"alpha": "ef"}),
    "heads named like what is made of one": ("heads", {"token": "empty", "other": "to_empty"}),
    "params in the place of methods, fields and types": (
        "heads",
        {"steps": "step", "temperature": "float", "top_k": "finish"},
    ),
    "params of a loss": ("timed", {"scale": "network", "own": "len", "rate": "ended"}),
    "a let and a survival that hide what follows": ("timed", {"now": "masks", "alpha": "torch"}),
    "a word of conditions": ("ilm", {"done": "tempered", "slot": "zero"}),
    "a let named like a score": ("remdm", {"back": "confidence", "eta": "random"}),
    "words of a decoder": ("flexmdm", {"order": "tokens", "early": "prompt", "gap": "zero"}),
}


@pytest.mark.many
@pytest.mark.parametrize("case", NASTY)
def test_names_that_the_code_cannot_have_get_an_underscore(case: str, tmp_path: Path) -> None:
    spec, names = NASTY[case]
    assert built(spec, names, tmp_path) == original(spec)


def test_params_keep_their_names_for_a_run(tmp_path: Path) -> None:
    family = renamed(explicit(completed(TIMED)), {"scale": "network", "rate": "step"})
    with imported(render(lower(marked(family))), tmp_path, "named") as package:
        assert [one.name for one in package.FAMILY.params["loss"]] == ["network"]
        decoder = package.FAMILY.decoders["default"](step=2.0)
        assert decoder.step_ == 2.0


def test_two_uses_of_randomness_have_two_streams() -> None:
    """The stream of a stop is named after its head, as that of a draw may be."""
    text = changed(GONE, ("stop when done > stop_above", "stop when chance done"))
    family = renamed(explicit(completed(text)), {"done": "gap"})
    code = render(lower(marked(family)))["decoder.py"]
    assert 'noise.uniform("gap_")' in code


def test_attributes_of_modules_are_known() -> None:
    """No head takes the place of an attribute of `nn.Module`, whatever its version."""
    public = {name for name in dir(torch.nn.Module()) if not name.startswith("_")}
    assert public <= {*MODULE}


PACKAGE = {
    "parts.py": "class Part:\n    def draw(self): ...\n",
    "decoder.py": (
        "from .parts import Part\n\n"
        f"class Shared(Part):\n    draw{MARK}1: float = 1.0\n    size{MARK}2: float = 2.0\n\n"
        f"class Decoder(Shared):\n    def size(self):\n        return self.draw{MARK}1\n"
    ),
}


def test_fields_hide_nothing_that_a_class_inherits_or_that_inherits_it() -> None:
    names = Names(PACKAGE)
    text = names.settled("decoder.py", PACKAGE["decoder.py"])
    assert "    draw_: float = 1.0\n    size_: float" in text
    assert "return self.draw_\n" in text
    assert names.keywords("decoder.py", "Decoder") == (("draw", "draw_"), ("size", "size_"))


def test_no_name_of_ours_is_like_a_class_of_a_decoder() -> None:
    """Decoders have no marks: `NAMEDecoder` is always the class of an author's."""
    own = [path.read_text("utf-8") for path in sorted((ROOT / "templates").rglob("*.[pj]*"))]
    assert not re.findall(r"\b\w+Decoder\b", "".join(own))
