"""The contract between IR and templates: every name read is a field, and every field is read."""

import inspect
import json
from functools import cache
from typing import Any

import attrs
import pytest
from families import specs
from families.compiled import ROOT, completed, lowered
from hypothesis import HealthCheck, Phase, given, settings
from jinja2 import StrictUndefined, UndefinedError, meta, nodes

from xlmc.calculus.code import Code
from xlmc.emit.render import environment, render
from xlmc.lower import ir, parts
from xlmc.lower.family import lower
from xlmc.syntax.plain import dump, plain

FOLDER = ROOT / "templates"
VIEWS = {
    "init.py.j2": ir.Init,
    "schedule.py.j2": ir.Schedule,
    "noise.py.j2": ir.Noise,
    "network.py.j2": ir.Network,
    "loss.py.j2": ir.Loss,
    "likelihood.py.j2": ir.Likelihood,
    "decoder.py.j2": ir.Decoders,
    "reading.py.j2": ir.Reading,
    "collate.py.j2": ir.Collate,
    "family.py.j2": ir.Family,
}
INCLUDED = {
    "decoder.py.j2": {f"decoder/{path.name}" for path in FOLDER.glob("decoder/*.j2")},
}
for view, folder in (
    *(("loss", "divergences"), ("noise", "noises"), ("likelihood", "likelihoods")),
    *(("decoder", "actions"), ("noise", "drafts")),
):
    found = (FOLDER / "words" / folder).glob("*.j2")
    INCLUDED.setdefault(f"{view}.py.j2", set()).update(
        path.relative_to(FOLDER).as_posix() for path in found
    )
PARTS = {part for parts in INCLUDED.values() for part in parts}
# what an including template hands to the parts
LOCAL = {"part", "edit", "gone", "shares", "lines", "u"}
LOCAL |= {"term", "cost", "of_tokens", "time"}
OWN = {"loop": {"last", "index0"}}
CLASSES = {
    name: kind
    for module in (ir, parts)
    for name, kind in inspect.getmembers(module, inspect.isclass)
    if attrs.has(kind) and kind.__module__.startswith(module.__name__)
}
FIELDS = {name: {field.name for field in attrs.fields(kind)} for name, kind in CLASSES.items()}
# Read by the compiler itself, not by a template.
FACTS = (
    *(
        "Blocks",
        "Correct",
        "Decoder",
        "Edit",
        "Editing",
        "Rate",
        "Grid",
        "Guide",
        "Insert",
        "Keep",
        "Order",
        "Pace",
    ),
    *("Sampler", "Several", "Size", "Stop", "Substitute", "Unmask"),
)
NOT_OF_TEMPLATES = {
    ("Decoders", "decoders"),
    ("Layout", "parts"),
    ("Family", "bound"),
    ("Init", "files"),
    ("Used", "more"),
    *(("Edited", name) for name in FIELDS["Edited"]),  # for words like that of the documentation
    *((kind, name) for kind in FACTS for name in FIELDS[kind]),
    *(("Package", name) for name in FIELDS["Package"]),
    ("Rollout", "params"),  # printed by its own properties
}


def parsed(name: str) -> nodes.Template:
    return environment().parse((FOLDER / name).read_text("utf-8"))


def names(*templates: str) -> set[str]:
    """The names that templates take from outside."""
    found = {name for one in templates for name in meta.find_undeclared_variables(parsed(one))}
    return found - {*environment().globals}


def test_every_template_has_a_view() -> None:
    assert {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.j2")} == {
        *VIEWS
    } | PARTS


@pytest.mark.parametrize("template", VIEWS)
def test_a_template_reads_the_fields_of_its_view(template: str) -> None:
    included, view = INCLUDED.get(template, set()), VIEWS[template].__name__
    fields = {name for name in FIELDS[view] if (view, name) not in NOT_OF_TEMPLATES}
    assert names(template, *included) - LOCAL == fields


@pytest.mark.parametrize("template", [*VIEWS, *sorted(PARTS)])
def test_an_attribute_is_a_field_of_something(template: str) -> None:
    known = {field for fields in FIELDS.values() for field in fields}
    known |= {name for name, one in vars(Code).items() if isinstance(one, property)}
    for node in parsed(template).find_all(nodes.Getattr):
        base = node.node.name if isinstance(node.node, nodes.Name) else ""
        assert node.attr in OWN.get(base, known), f"{base}.{node.attr}"


@pytest.mark.parametrize("template", [*VIEWS, *sorted(PARTS)])
def test_no_template_hides_that_something_is_missing(template: str) -> None:
    tree = parsed(template)
    used = {node.name for node in tree.find_all(nodes.Filter)}
    assert not used & {"default", "d", "safe", "attr", "tojson"}
    assert not {node.name for node in tree.find_all(nodes.Test)} & {"defined", "undefined"}
    assert not [*tree.find_all((nodes.Import, nodes.FromImport, nodes.CallBlock, nodes.Extends))]


def test_an_unknown_name_is_an_error() -> None:
    assert environment().undefined is StrictUndefined
    with pytest.raises(UndefinedError):
        environment().from_string("{{ nope }}").render()
    with pytest.raises(UndefinedError):
        environment().from_string("{{ a.nope }}").render(a=ir.Stop("full", "", "", "", ""))


# Every field is read


class Spy:
    """A view that tells which of its fields are read."""

    def __init__(self, value: Any, read: set[tuple[str, str]]) -> None:
        self._value = value
        self._read = read

    def __getattr__(self, name: str) -> Any:
        self._read.add((type(self._value).__name__, name))
        return spied(getattr(self._value, name), self._read)

    def __eq__(self, other: object) -> bool:
        return self._value == (other._value if isinstance(other, Spy) else other)

    def __hash__(self) -> int:
        return hash(self._value)


def spied(value: Any, read: set[tuple[str, str]]) -> Any:
    """The value with every object of the IR in it watched."""
    if attrs.has(type(value)):
        return Spy(value, read)
    if isinstance(value, tuple):
        return tuple(spied(item, read) for item in value)
    return value


def reading(package: ir.Package, read: set[tuple[str, str]]) -> None:
    """Render every view, watched."""
    views = [
        view for view in attrs.asdict(package, recurse=False).values() if attrs.has(type(view))
    ]
    for template, kind in VIEWS.items():
        for view in views:
            if isinstance(view, kind):
                fields = {f.name: spied(getattr(view, f.name), read) for f in attrs.fields(kind)}
                environment().get_template(template).render(fields)
                read |= {(kind.__name__, name) for name in fields}


WIDE = """family wide "Everything" {
  noise { clean -> CHAIN  survival alpha(t) = 1 - t**3 + t**3 * (1 - t) / 2; AMOUNT }
  network { backbone BACKBONE; head token : logits at PLACE; head done : chance at bos }
  loss {
    param scale : Scale = 1
    token : TERM  weight WEIGHT
    done : binary_cross_entropy(none CHAIN)
    mean over sequences
  }
  decoder {
    param steps : Count = 4
    param order = confidence | margin | random | left
    param temperature : Scale = 1
    let back = 1 + scale_
    param scale_ : Scale = 1
    DECODER
  }
  collate { seq2seq : prompt bos [body INSIDE] FINAL; infill : bos [body] eos keeping given }
  recipe lm1b { batch 4 }
}
"""
MASK = {
    "CHAIN": "mask",
    "AMOUNT": "amount count ~ uniform(0, length)",
    "BACKBONE": "dit(condition = t)",
    "PLACE": "tokens",
    "TERM": "cross_entropy(x0) on mask",
    "WEIGHT": "scale",
    "DECODER": """grid uniform(steps)
    step {
      unmask quota back * masked / steps_left by order of sampled temperature temperature
      draw token with temperature
    }
    finish { unmask all; draw token greedy }
    stop when no mask
  }
  decoder third {
    let third = 0.1 * scale_
    step { remask quota third by confidence; unmask chance 0.5; draw token }
    guide cfg(scale = scale_, without = given)
  }
  decoder other { drop finish; grid events; step { unmask one by random; draw token }""",
    "INSIDE": "eos pad",
    "FINAL": "",
}
GONE = {
    "CHAIN": "gone",
    "AMOUNT": "amount t ~ uniform(0.1, 0.9) stratified",
    "BACKBONE": 'python "a.b:C"',
    "PLACE": "gaps",
    "TERM": "joint_cross_entropy(gone)",
    "WEIGHT": "scale * t",
    "DECODER": """step { insert tokens one; pick gap with top_k = 2; draw token with temperature }
    stop when done > 0.5 or length = limit""",
    "INSIDE": "",
    "FINAL": "eos",
}
BOTH = {
    "clean -> CHAIN": "clean -> mask",
    "AMOUNT": "mask -> gone  survival beta(t) = exp(-5 * t); amount t ~ uniform(1e-3, 1)",
    "BACKBONE": "dit(condition = t)",
    "head token : logits at PLACE; head done : chance at bos": "head token : logits; head done : "
    "distribution(5) at gaps; head gap : count at gaps",
    "TERM": "cross_entropy(x0) on mask",
    "WEIGHT": "scale * bound",
    "binary_cross_entropy(none CHAIN)": "cross_entropy(gone); gap : poisson(gone)",
    "DECODER": """grid uniform(steps)
    step { unmask chance reveal(alpha); draw token; insert masks poisson done * reveal(beta) }
  }
  decoder other {
    step { unmask one by order; draw token; insert masks chance min(1, gap * reveal(beta)) }""",
    "INSIDE": "",
    "FINAL": "eos",
}
KINDS = (MASK, GONE, BOTH)
BLOCKS = """grid uniform(steps)
    step { unmask quota back * masked / steps_left by order; draw token with temperature }
    blocks 2"""


SIZED = """family sized "A head of the length" {
  noise { clean -> mask  survival alpha(t) = 1 - t }
  network { backbone dit; head token : logits; head size : distribution(8) at bos }
  loss { token : cross_entropy(x0) on mask; size : cross_entropy(length) }
  decoder { start masks(size); step { unmask one by random; draw token } }
  collate { text : bos [body] eos }
}
"""


def wide(parts: dict[str, str]) -> ir.Package:
    text = WIDE
    for word, part in parts.items():
        text = text.replace(word, part)
    return lower(completed(text))


@cache
def packages() -> tuple[ir.Package, ...]:
    """Packages that hold one of everything between them."""
    shipped = [
        (ROOT / "spec" / f"{name}.xlm").read_text("utf-8")
        for name in (
            "arlm",
            "bd3lm",
            "editflow",
            "genmd4",
            "gidd",
            "ilm",
            "loflexmdm",
            "p2",
            "relay",
            "udlm",
            "xlnet",
        )
    ]
    shipped.append(SIZED)
    edits = (ROOT / "spec" / "editflow.xlm").read_text("utf-8")
    shipped.append(edits.replace("param size : Size = 8", "").replace("random(size)", "copy(0.2)"))
    blocks = MASK | {"BACKBONE": "dit", "DECODER": BLOCKS}
    once = "reuse while unchanged\n    grid uniform(steps)"
    kept = BOTH | {
        "BACKBONE": "dit",
        "DECODER": BOTH["DECODER"].replace("grid uniform(steps)", once),
    }
    led = """family toy extends arlm { decoder { guide cfg(scale = 2, without = prompt)
    stop when last = eos or text = stop_strings or length = limit } }"""
    spread = (ROOT / "examples/own/spread.xlm").read_text("utf-8")
    some = "insert tokens quota gap * reveal(alpha) by confidence temperature s"
    ranked = spread.replace("insert tokens chance min(1, gap * reveal(alpha))", some)
    every = (*shipped, led, spread, ranked)
    return (*map(wide, (*KINDS, blocks, kept)), *(lower(completed(text)) for text in every))


def test_every_field_is_read_by_a_template() -> None:
    read = set(NOT_OF_TEMPLATES)
    for one in packages():
        reading(one, read)
    assert {(name, field) for name, fields in FIELDS.items() for field in fields} - read == set()


# The IR


def test_no_class_of_the_ir_is_forgotten() -> None:
    found: set[str] = set()

    def visit(value: Any) -> None:
        if attrs.has(type(value)):
            found.add(type(value).__name__)
            for field in attrs.fields(type(value)):
                visit(getattr(value, field.name))
        elif isinstance(value, tuple):
            for item in value:
                visit(item)

    for one in packages():
        visit(one)
    assert found | {"Edited"} == {*CLASSES, "Code", "Reads", "Actor"}  # Edited: no shipped word


@given(specs())
@settings(
    max_examples=8,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    deadline=None,
    derandomize=True,
)
def test_the_ir_is_json_and_frozen(text: str) -> None:
    package = lowered(text)
    again = json.loads(dump(plain(package)))
    assert again["is"] == "Package"
    assert again == json.loads(json.dumps(plain(package)))
    assert hash(package) == hash(lowered(text))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        package.name = "other"  # type: ignore[misc]


def test_rendering_says_the_same_twice() -> None:
    for kinds in KINDS:
        assert render(wide(kinds)) == render(wide(kinds))
