"""The counters of `tests/counts.py`, on inputs so small that one sees what is right."""

import counting
import features
import pytest

CHAIN = """
def f(chain, ir, family):
    if chain == "mask" or ir.chain in ("mask", "both"):
        return {"mask": 1, "gone": 2}[chain]
    if query.chain(family) != "none":
        return starts.get(chain)
    match chain:
        case "mask":
            return 1
        case _:
            return chain
"""


def test_sites_that_ask_chain() -> None:
    # two comparisons, a look-up, a comparison of a call, a look-up by `get`, two cases
    assert counting.asks_chain(CHAIN) == 7


def test_sites_that_name_a_kind_of_noise() -> None:
    # three comparisons, the dictionary, a case
    assert counting.names_noise(CHAIN) == 5
    assert counting.names_noise('x = process.kind == "gone"\ny = ["mask"]\nz = a == "masks"') == 1


TEMPLATE = """\
{% if chain == "mask" %}
x = {{ a if b else c }}
{% for one in many %}
y{% if one %}, {{ one }}{% endif %}
{% endfor %}
{% if a %}{% set c = a ~ "(" ~ b ~ ")" %}{% endif %}
{% elif loop.chain in ("gone", "both") %}
{{ text | replace("a", "b") }}{{ text.replace("a", "b") }}
{% endif %}
"""


def test_a_template_by_its_lines() -> None:
    assert counting.controls(TEMPLATE) == 7
    assert counting.inline(TEMPLATE) == 3


def test_code_that_a_template_puts_together() -> None:
    assert counting.glue(TEMPLATE) == 5  # three `~`, a filter, a method


def test_comparisons_of_a_template_with_the_noise() -> None:
    assert counting.template_asks(TEMPLATE, names=False) == 2
    assert counting.template_asks(TEMPLATE, names=True) == 2
    assert counting.template_asks('{{ kind == "none" }}', names=True) == 1
    assert counting.template_asks('{{ kind == "none" }}', names=False) == 0


def test_fields_by_their_types() -> None:
    text = (
        "class A:\n"
        "    a: str  # code: a number\n"
        "    b: tuple[str, ...]  # names\n"
        "    c: int  # code\n"
        "    d: Code\n"
        "    def f(self):\n"
        "        x: str = ''\n"
    )
    assert counting.text_fields(text) == (4, 2, 1)


def test_lengths_of_functions_with_those_inside() -> None:
    assert counting.functions("def f():\n    def g():\n        pass\n    return g\n") == [4, 2]
    assert counting.middle([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 50]) == "6, 10"
    assert counting.middle([]) == "-"


DECODERS = """
class Decoder:
    \"\"\"One.\"\"\"

    steps: int = 3

    def f(self):
        \"\"\"Some words.\"\"\"
        a = 1
        b = 2
        return a + b


class OtherDecoder:
    \"\"\"One.\"\"\"

    size: int = 3

    def f(self):
        \"\"\"Some words.\"\"\"
        a = 1
        b = 3
        return a + b


class Third:
    def f(self):
        a = 1
"""


def test_lines_that_decoders_repeat() -> None:
    assert counting.repeated(DECODERS) == (3, 0)  # `def f(self):`, `a = 1`; `return a + b`
    assert counting.repeated(DECODERS.replace("b = 3", "b = 2")) == (4, 4)


def test_types_that_say_nothing() -> None:
    text = "a: Callable[..., int]\nb: Iterable[tuple[object, ...]]\nc: Callable[[int], int]"
    assert counting.loose(text) == 2


def test_names_of_a_module() -> None:
    assert counting.words("import a.b as c\ndef f(x): return x.y") == {"a", "c", "f", "x", "y"}


def test_there_are_46_features_for_each_kind_of_noise() -> None:
    assert len(features.names()) == 46
    assert len(list(features.cells())) == 184


def test_a_line_takes_the_place_of_the_one_that_begins_alike() -> None:
    made = features.merged(
        {"step": ("insert masks one", "draw a"), "network": ("head a : count", "backbone dit")},
        "mask",
        {"step": ("draw {main} greedy",), "network": ({"mask": "head b : count"}, {"gone": "x"})},
    )
    assert made["step"] == ("insert masks one", "draw token greedy")
    assert made["network"] == ("head a : count", "backbone dit", "head b : count")


@pytest.mark.parametrize("kind", features.KINDS)
def test_a_minimal_family_is_accepted(kind: str) -> None:
    from families.compiled import lowered

    lowered(features.written(f"least_{kind}", features.BASES[kind]))


@pytest.mark.parametrize("kind", features.KINDS)
def test_every_feature_changes_the_minimal_family(kind: str) -> None:
    least = features.written("cell", features.BASES[kind])
    for feature in features.names():
        for specs in features.cell(feature, kind, "cell"):
            always = (kind, feature) == ("both", "a grid of times")  # none is without one
            assert (specs["cell"] != least) != always, feature
