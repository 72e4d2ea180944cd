"""Decisions of the compiler, seen in what it hands to the templates and in what packages do."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from families import specs
from families.compiled import completed, imported, lowered, rendered
from families.texts import GONE, MASK, changed
from hypothesis import HealthCheck, Phase, given, settings
from laws import zoo

from xlm_runtime.plug import Example, ModelSize, Noise, Vocabulary
from xlmc.calculus.code import Code
from xlmc.check.family import check
from xlmc.compiler import compile_spec
from xlmc.emit.render import render
from xlmc.lower.family import lower
from xlmc.resolve.defaults import explicit
from xlmc.syntax import printer
from xlmc.syntax.ast import Family
from xlmc.syntax.marks import marked

VOCAB = Vocabulary(11, {"pad": 0, "mask": 1, "bos": 2, "eos": 3, "cls": 4})


def said(code: Code | None) -> str:
    return str(code) if code is not None else ""


# Heads


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (zoo.written_out("editflow"), "the rate at which the token at each place is deleted"),
        (
            zoo.written_out("flexmdm"),
            "the mean number of tokens that are missing to the right of each place",
        ),
        (
            zoo.written_out("dilm"),
            "the mean number of tokens that are missing from a row, read at `cls`",
        ),
        (
            zoo.MORE["mask_sized"].text,
            "logits of the length of a text, read at `cls`: 0, 1, ..., 3 or more",
        ),
        (
            zoo.MORE["gone_joint"].text,
            "logits of the number that a row misses, read at `bos`: 0, 1, ..., 6 or more",
        ),
    ],
)
def test_a_head_says_what_it_answers(text: str, what: str) -> None:
    assert f"Return {what}" in " ".join(rendered(text)["network.py"].split())


# Schedules and weights


def test_a_package_holds_of_the_clock_what_it_uses() -> None:
    found = lowered(MASK).schedule
    assert found is not None
    assert [function.name for function in found.functions] == ["reveal"]
    assert lowered(GONE).schedule is None


@pytest.mark.parametrize(
    ("weight", "used"),
    [
        ("bound", {"corrupted", "hazard", "reveal"}),
        ("alpha(t)", {"corrupted", "alpha", "reveal"}),
        ("-alpha'(t)", {"corrupted", "dalpha", "reveal"}),
        ("sigma(alpha) + dsigma(alpha) * 0", {"corrupted", "sigma", "dsigma", "reveal"}),
        ("2", {"corrupted", "reveal"}),
    ],
)
def test_a_weight_brings_the_functions_that_it_calls(weight: str, used: set[str]) -> None:
    timed = changed(
        MASK,
        ("amount count ~ uniform(1, length)", "amount t ~ uniform(0, 0.9)"),
        ("weight bound", f"weight {weight}"),
    )
    package = lowered(timed)
    assert package.schedule is not None
    assert {function.name for function in package.schedule.functions} == used
    assert {*dict(package.loss.imports).get("schedule", ())} == used - {"corrupted", "reveal"}


@pytest.mark.parametrize(
    ("amount", "weight", "reads"),
    [
        ("count ~ uniform(1, length)", "length / count", ("count", "length")),
        ("count ~ uniform(0, length)", "(length + 1) / count", ("count", "length")),
        ("t ~ uniform(0, 1)", "hazard(t)", ("t",)),
        ("t ~ uniform(0, 0.5)", "0.5 * hazard(t)", ("t",)),
    ],
)
def test_the_weight_of_the_bound_is_derived(amount: str, weight: str, reads: tuple) -> None:
    package = lowered(changed(MASK, ("count ~ uniform(1, length)", amount)))
    assert str(package.loss.terms[0].weight) == weight
    assert tuple(name for name, _ in package.loss.terms[0].amounts) == reads


# Literals


@pytest.mark.parametrize("number", ["1e1", "1E1", "0.001e4", "10.0", "00010", "1_0"])
def test_a_count_is_an_integer_however_it_is_written(number: str, tmp_path: Path) -> None:
    """A float would be no length of a range and no index."""
    text = changed(
        MASK,
        ("grid uniform(steps)", f"grid uniform({number})"),
        ("    param steps : Count = 128\n", ""),
        ("draw token with temperature, top_k", f"draw token with top_k = {number}"),
        ("block 128", f"block {number}"),
        ("    param top_k : Count = 0\n", ""),
    )
    made = rendered(text)
    assert "drawn(logits, u, top_k=10)" in made["decoder.py"]
    assert "uniform(10, " in made["decoder.py"]
    assert "'block': 10," in made["family.py"]


# Heads

TWO = changed(
    MASK,
    ("head token : logits", "head token : logits\n    head other : logits"),
    ("    mean over", "    other : cross_entropy(x0) on mask\n    mean over"),
    (
        "      unmask one by random\n      draw token",
        "      unmask one by random\n      draw other",
    ),
)


def test_every_decoder_asks_its_own_head(tmp_path: Path) -> None:
    with imported(rendered(TWO), tmp_path, "two_heads") as package:
        family = package.FAMILY
        layout = family.layouts["text"](VOCAB, 6)
        batch = layout([Example(0, [5, 6, 7]), Example(1, [8, 9])])
        network = family.network(VOCAB, VOCAB.allowed(()), ModelSize(1, 16, 2))
        for name, token in (("token", 6), ("other", 8)):
            head = getattr(network, f"to_{name}")
            torch.nn.init.zeros_(head.weight)
            head.bias.data = torch.nn.functional.one_hot(torch.tensor(token), 11) * 100.0
        said = {}
        for name, make in family.decoders.items():
            made = make()(network, batch, Noise(1, batch.example), 6)
            said[name] = set(made.x[batch.free].tolist())
    assert said == {"default": {6}, "first_hitting": {8}}


def test_the_likelihood_is_that_of_the_head_that_is_decoded() -> None:
    swapped = changed(TWO, ("draw token with temperature, top_k", "draw other with top_k"))
    for text, head in ((TWO, "token"), (swapped, "other")):
        likelihood = lowered(text).likelihood
        assert likelihood is not None
        assert likelihood.head == head


def test_time_of_a_weight_does_not_trouble_the_decoder(tmp_path: Path) -> None:
    """A noised batch carries a time that insertion knows nothing of."""
    text = changed(
        GONE,
        ("amount count ~ uniform(0, length)", "amount t ~ uniform(0, 1)"),
        ("joint_cross_entropy(gone)", "joint_cross_entropy(gone)  weight 1 - t"),
    )
    with imported(rendered(text), tmp_path, "timed") as package:
        family = package.FAMILY
        batch = family.layouts["text"](VOCAB, 6)([Example(0, [5, 6, 7])])
        network = family.network(VOCAB, VOCAB.allowed(()), ModelSize(1, 16, 2))
        made = family.decoders["default"]()(network, batch, Noise(1, batch.example), 6)
        assert made.x.shape[0] == 1
        assert family.nelbo(network, batch, Noise(1, batch.example)).nats.isfinite().all()


# Inheritance

CHILD = """family child "A child" extends covered {
  network { backbone rotary }
  decoder {
    param steps : Count = 16
    step {
      unmask quota masked / steps_left by confidence
      draw token with temperature, top_k
    }
  }
  collate { drop infill }
  recipe lm1b { batch 64; drop warmup }
}
"""
WRITTEN = changed(
    MASK,
    ('family covered "Covered words"', 'family child "A child"'),
    ("backbone  dit", "backbone rotary"),
    ("param steps : Count = 128", "param steps : Count = 16"),
    ("unmask chance reveal(alpha)", "unmask quota masked / steps_left by confidence"),
    ("    infill  : bos [body] eos keeping given\n", ""),
    (
        "batch 512; steps 1_000_000; learning_rate 3e-4; warmup 2500",
        "batch 64; steps 1_000_000; learning_rate 3e-4",
    ),
)


def test_a_child_of_a_dozen_lines_compiles_to_what_it_would_be_written_out(tmp_path: Path) -> None:
    assert len(CHILD.splitlines()) == 12
    (tmp_path / "covered.xlm").write_text(MASK, encoding="utf-8")
    (tmp_path / "apart").mkdir()
    short, long = tmp_path / "child.xlm", tmp_path / "apart" / "child.xlm"
    short.write_text(CHILD, encoding="utf-8")
    long.write_text(WRITTEN, encoding="utf-8")
    flat, written = (compile_spec(spec).package.files for spec in (short, long))
    assert {*flat} == {*written, "covered.xlm"}
    for name in written:
        if name.endswith(".py"):
            assert flat[name] == written[name], name


# Lint


def test_generated_code_is_clean(tmp_path: Path) -> None:
    """Nothing undefined, nothing unused: in one run over packages of many kinds."""
    for i, text in enumerate([MASK, GONE, TWO, *odd()]):
        (tmp_path / str(i)).mkdir()
        for name, code in rendered(text).items():
            (tmp_path / str(i) / name).write_text(code, encoding="utf-8")
    found = subprocess.run(
        [
            sys.executable,
            "-m",
            "ruff",
            "check",
            "--isolated",
            "--select",
            "F,B,PLE",
            "--ignore",
            "F722",
            "--output-format",
            "concise",
            str(tmp_path),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, re.sub(r"(?m)^.*/", "", found.stdout)


def odd() -> list[str]:
    """Specs whose expressions need what the plain ones do not."""
    timed = ("amount count ~ uniform(1, length)", "amount t ~ uniform(0, 0.9) antithetic")
    weights = [
        "sqrt(length)",
        "exp(-sigma(alpha))",
        "pi * sin(t)",
        "max(alpha(t), 0.5)",
        "-alpha'(t)",
    ]
    found = [changed(MASK, timed, ("weight bound", f"weight {weight}")) for weight in weights]
    rules = ["chance alpha(s) - alpha(t)", "quota sqrt(masked) by left", "above -0.5 by entropy"]
    rules += ["quota pi by margin temperature 0.1", "chance exp(-t)", "all"]
    found += [changed(MASK, ("unmask chance reveal(alpha)", f"unmask {rule}")) for rule in rules]
    found.append(
        changed(
            MASK,
            ("backbone  dit", "backbone  dit(condition = t)"),
            ("    reuse while unchanged\n", ""),
        )
    )
    found.append(
        changed(found[-1], ("alpha(t) = 1 - t", "alpha(t) = 0.5 * (1 - t) + 0.5 * (1 - t)**3"))
    )
    found.append(
        changed(
            found[-1],
            ("= 0.5 * (1 - t) + 0.5 * (1 - t)**3", "= exp(-5 * t)"),
            ("condition = t", "condition = sigma"),
        )
    )
    return found


# What is spelt out


@given(specs())
@settings(
    max_examples=10,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    deadline=None,
    derandomize=True,
)
def test_a_spec_with_its_defaults_written_out_means_the_same(text: str) -> None:
    family = completed(text)
    again = completed(printer.text(explicit(family)))
    assert rendered_of(again) == rendered_of(family)


def rendered_of(family: Family) -> dict[str, str]:
    check(family)
    return render(lower(marked(family)))


def test_decoders_that_insert_one_token_and_several_share_their_end() -> None:
    """They have no class of the library in common but the loop."""
    ends = "stop when text = stop_strings"
    made = rendered(f"""family drawn "Insertions" {{
  noise {{ clean -> gone  survival alpha(t) = 1 - t; amount t ~ uniform(1e-3, 1) }}
  network {{ backbone rotary; head slot : logits at gaps }}
  loss {{ slot : joint_cross_entropy(gone) }}
  decoder {{ {ends} or length = limit; step {{ insert tokens one; draw slot }} }}
  decoder several {{ {ends}; grid uniform(4); step {{ insert tokens chance 0.5; draw slot }} }}
  collate {{ text : bos [body] eos }}
}}
""")
    assert "class Ending(Decoding):" in made["decoder.py"]
    compile(made["decoder.py"], "decoder.py", "exec")


@pytest.mark.parametrize(
    ("kind", "joint"), [("joint_cross_entropy", True), ("cross_entropy", False)]
)
def test_a_head_at_gaps_says_what_its_distribution_is_over(kind: str, joint: bool) -> None:
    code = rendered(f"""family drawn "Insertions" {{
  noise {{ clean -> gone  survival alpha(t) = 1 - t; amount t ~ uniform(1e-3, 1) }}
  network {{ backbone dit(condition = t); head slot : logits at gaps; head gap : count at gaps }}
  loss {{ slot : {kind}(gone); gap : poisson(gone) }}
  decoder {{ grid uniform(8); step {{ insert tokens chance min(1, gap * (t - s)); draw slot }} }}
  collate {{ text : bos [body] eos }}
}}
""")["network.py"]
    assert ("Over all gaps of a row they make one distribution" in code) == joint
    assert ("Those of a place make one distribution" in code) != joint


@pytest.mark.parametrize(
    ("noise", "step"),
    [
        ("mask", "unmask chance reveal(alpha); draw slot; remask quota 1 by confidence"),
        ("gone", "draw slot; insert tokens quota 2 by confidence"),
    ],
)
def test_a_let_of_a_temperature_is_computed(noise: str, step: str) -> None:
    gone = noise == "gone"
    head, term = (
        ("at gaps", "joint_cross_entropy(gone)") if gone else ("", "cross_entropy(x0) on mask")
    )
    code = rendered(f"""family drawn "Temperatures" {{
  noise {{ clean -> {noise}  survival alpha(t) = 1 - t; amount t ~ uniform(1e-3, 1) }}
  network {{ backbone dit(condition = t); head slot : logits {head} }}
  loss {{ slot : {term} }}
  decoder {{ let heat = 2 * s; grid uniform(8); step {{ {step} temperature heat }} }}
  collate {{ text : bos [body] eos }}
}}
""")["decoder.py"]
    assert code.index("heat = 2 * tick.s") < code.index("heat * gumbel")
