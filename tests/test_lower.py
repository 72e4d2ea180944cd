"""Decisions of the compiler, seen in what it hands to the templates and in what packages do."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from families import (
    GONE,
    MASK,
    ROOT,
    changed,
    completed,
    imported,
    lowered,
    rendered,
    specs,
)
from hypothesis import HealthCheck, Phase, given, settings

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


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (MASK, "tight"),
        (GONE, "bound"),
        (
            changed(
                GONE,
                ("joint_cross_entropy(gone)", "joint_cross_entropy(gone)  weight bound"),
                ("weight stop_scale", "weight bound"),
                ("    param stop_scale : Scale = 1.0\n", ""),
            ),
            "tight",
        ),
        (
            changed(
                GONE,
                ("    done : binary_cross_entropy(none gone)  weight stop_scale\n", ""),
                ("    param stop_scale : Scale = 1.0\n", ""),
                ("done > stop_above or ", ""),
                ("    param stop_above : Chance = 0.5\n", ""),
                ("stop chance done or length = limit", "stop when length = limit"),
            ),
            "none",
        ),
    ],
)
def test_the_claim_follows_from_heads_and_weights(text: str, value: str) -> None:
    package = lowered(text)
    assert package.family.claim == value
    assert (package.likelihood is None) == (value == "none")


TIED = changed(  # both heads of insertions weigh what the bound says
    GONE,
    ("joint_cross_entropy(gone)", "joint_cross_entropy(gone)  weight bound"),
    ("weight stop_scale", "weight bound"),
    ("    param stop_scale : Scale = 1.0\n", ""),
)
UNTIMED = ("amount count ~ uniform(1, length)", "amount t ~ uniform({})")
BOTH = (ROOT / "spec" / "flexmdm.xlm").read_text("utf-8")
NONE = (ROOT / "spec" / "arlm.xlm").read_text("utf-8")


def weighed(slot: str, done: str, *params: str) -> str:
    """Insertions with two weights."""
    return changed(
        TIED,
        ("joint_cross_entropy(gone)  weight bound", f"joint_cross_entropy(gone)  weight {slot}"),
        ("(none gone)  weight bound", f"(none gone)  weight {done}"),
        ("  loss {\n", "  loss {\n" + "".join(f"    param {one}\n" for one in params)),
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (weighed("bound", "bound"), "tight"),
        (weighed("k * bound", "k * bound", "k : Scale = 0.1"), "tight"),
        (weighed("max(0, bound)", "bound"), "tight"),
        (
            changed(
                TIED,
                ("(none gone)", "(none gone)  weight bound\n    missing : cross_entropy(gone)"),
                ("cross_entropy(gone)  weight bound\n    mean", "cross_entropy(gone)\n    mean"),
                ("head done", "head missing : distribution(8) at cls\n    head done"),
            ),
            "tight",
        ),
        (weighed("bound", "bound * (1 + 0 ** count)"), "bound"),
        (weighed("bound", "bound * (1 + exp(-50 * count))"), "bound"),
        (weighed("bound + k * count", "bound", "k : Scale = 0"), "bound"),
        (weighed("bound", "bound ** k", "k : Scale = 1"), "bound"),
        (weighed("bound", "bound * k", "k : Scale = 0"), "bound"),
    ],
)
def test_a_tight_claim_holds_for_all_counts_and_params(text: str, value: str) -> None:
    family = lowered(text).family
    assert family.claim == value
    assert said(family.tilt) == ("" if value == "tight" else "None")


NUMBERED = changed(  # a head of numbers says when to stop
    TIED,
    ("head done : chance at cls", "head missing : distribution(64) at cls"),
    ("done : binary_cross_entropy(none gone)", "missing : cross_entropy(gone)"),
    ("stop when done > stop_above", "stop when zero(missing) > stop_above"),
    ("stop chance done", "stop chance zero(missing)"),
)


def test_a_number_that_may_be_0_says_when_to_stop() -> None:
    package = lowered(NUMBERED)
    assert package.family.claim == "tight"
    assert package.family.tilt is None
    assert not package.family.trained  # how many are missing is no part of the likelihood
    assert dict(package.family.samples)["sampled"].law == "exact"
    assert package.likelihood is not None
    assert package.likelihood.numbers
    plain = lowered(NUMBERED.replace("  weight bound", "")).family
    assert (plain.claim, said(plain.tilt)) == ("bound", "lambda length: 1 / (length + 1)")


def test_a_decoder_that_asks_another_head_to_stop_is_not_exact() -> None:
    text = changed(
        TIED,
        ("head done", "head missing : distribution(8) at cls\n    head done"),
        ("    mean over", "    missing : cross_entropy(gone)  weight bound\n    mean over"),
        ("stop chance done", "stop chance zero(missing)"),
    )
    package = lowered(text)
    assert package.likelihood is not None
    assert package.likelihood.stop == "done"
    assert dict(package.family.samples)["sampled"].law == "none"


SIZED = """family sized {
  noise   { clean -> mask  survival alpha(t) = 1 - t; amount count ~ uniform(1, length) }
  network { backbone rotary; head token : logits; head size : distribution(64) at bos }
  loss    {
    token : cross_entropy(x0) on mask  weight bound
    size : cross_entropy(length)
    mean over sequences
  }
  decoder { start masks(size); step { unmask one; draw token } }
  collate { text : bos [body] }
}
"""
PER_TOKEN = ("mean over sequences", "mean over tokens per sequence")


@pytest.mark.parametrize(
    ("text", "even"),
    [
        (NONE, True),
        (changed(NONE, ("mean over tokens", "mean over sequences")), True),
        (changed(NONE, ("mean over tokens", "mean over tokens per sequence")), False),
        (changed(NONE, ("(following)", "(following)  weight length")), False),
        (BOTH, True),
        (changed(BOTH, ("mean over block", "mean over tokens per sequence")), False),
        (BOTH.replace("min(bound, cap)", "min(bound, cap) * length"), False),
        (changed(BOTH, ("uniform(1e-3, 1)", "uniform(0.3, 0.8)")), False),
        (SIZED, True),
        (changed(SIZED, ("(length)", "(length)  weight 3")), True),
        (changed(SIZED, ("(length)", "(length)  weight length")), False),
        (changed(SIZED, ("(length)", "(length)  weight count")), False),
        (changed(SIZED, PER_TOKEN), False),
        (changed(SIZED, PER_TOKEN, ("(length)", "(length)  weight length")), True),
        (changed(SIZED, ("on mask  weight bound", "on mask  weight length")), True),
    ],
)
def test_no_law_is_claimed_where_longer_examples_weigh_more(text: str, even: bool) -> None:
    """A head cannot know how long a text will be that it sees the beginning of."""
    assert said(lowered(text).family.tilt) == ("" if even else "None")


@pytest.mark.parametrize(
    ("times", "whole"), [("0, 1", True), ("1e-3, 1", True), ("0.3, 0.8", False), ("0, 0.9", False)]
)
def test_a_part_of_the_time_trains_no_likelihood(times: str, whole: bool) -> None:
    old, new = UNTIMED
    assert lowered(changed(MASK, (old, new.format(times)))).family.trained == whole


# Samples


@pytest.mark.parametrize(
    ("stop", "law"),
    [
        ("stop chance done or length = limit", "exact"),
        ("stop when length = limit or chance done", "exact"),
        ("stop when length = limit or chance done or done > 0.9", "none"),
    ],
)
def test_a_row_ends_by_one_chance_alone_where_its_law_is_exact(stop: str, law: str) -> None:
    text = changed(TIED, ("stop chance done or length = limit", stop))
    assert dict(lowered(text).family.samples)["sampled"].law == law


def test_a_let_that_reads_the_time_is_a_tensor() -> None:
    text = changed(
        MASK,
        ("    grid uniform", "    let now = t\n    grid uniform"),
        ("unmask chance reveal(alpha)", "unmask quota now * 3 by random"),
    )
    code = rendered(text)["decoder.py"]
    assert "int(now" not in code
    assert "(now * 3 + 1e-9).floor().long()" in code


@pytest.mark.parametrize("rate", ["0.5", "1 - few"])
def test_a_law_holds_for_all_values_of_a_param_not_for_its_default(rate: str) -> None:
    text = changed(
        MASK,
        ("    grid uniform", "    param few : Chance = 1.0\n    grid uniform"),
        ("unmask chance reveal(alpha)", f"unmask chance max(reveal(alpha), {rate} * (1 - few))"),
    )
    assert dict(lowered(text).family.samples)["default"].law == "none"


def test_nothing_is_switched_off_by_a_param_that_another_one_overrules() -> None:
    text = changed(
        MASK,
        (
            "    grid uniform",
            "    param more : Chance = 0\n    param eta : Chance = 0\n    grid uniform",
        ),
        ("unmask chance", "remask chance min(s, max(eta, more)); unmask chance"),
    )
    assert ("eta", "0") not in dict(lowered(text).family.samples)["default"].neutral


def test_a_param_that_no_value_switches_off_leaves_no_law() -> None:
    text = changed(
        MASK,
        (
            "    grid uniform",
            "    guide cfg(scale = temperature, without = prompt)\n    grid uniform",
        ),
    )
    worth = dict(lowered(text).family.samples)["default"]
    assert (worth.law, worth.neutral) == ("none", ())
    assert "`temperature`" in worth.why


def test_the_draws_of_substituted_tokens_count_like_those_of_inserted_ones() -> None:
    text = (ROOT / "spec" / "editflow.xlm").read_text()
    old = "draw right with temperature, top_k, top_p"
    cut = changed(text, (old, "draw right with temperature = 0.5"))
    assert dict(lowered(cut).family.samples)["default"].law == "none"
    own = changed(text, ("draw new with temperature, top_k, top_p", "draw new"))
    assert "top_k" in dict(dict(lowered(own).family.samples)["default"].neutral)


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


@pytest.mark.parametrize("name", ["uniform_above", "stop_above"])
def test_a_threshold_is_one_whatever_its_name(name: str) -> None:
    text = changed(
        TIED,
        ("stop chance done or length = limit", f"stop when done > {name} or length = limit"),
    ).replace("stop_above", name)
    laws = {which: found.law for which, found in lowered(text).family.samples}
    assert set(laws.values()) == {"none"}


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


POWERS = "param power : Scale = 1.0"  # 1 is a special case of the decoders below


def test_params_of_the_last_draw_are_fields_if_some_value_of_the_noise_leaves_masks() -> None:
    decoder = lowered(f"""family drawn "Masks" {{
  noise {{ {POWERS}; clean -> mask  survival alpha(t) = (1 - t)**power }}
  network {{ backbone rotary; head token : logits }}
  loss {{ token : cross_entropy(x0) on mask }}
  decoder {{
    param hot : Scale = 0.5
    grid uniform(8)
    step {{ unmask chance min(1, 2 * alpha(t) + t); draw token }}
    finish {{ unmask all; draw token with temperature = hot }}
  }}
  collate {{ text : bos [body] eos }}
}}
""").decoder.decoders[0]
    assert decoder.last is not None
    assert [one.name for one in decoder.params] == ["hot"]


def test_insertions_are_timely_for_all_values_of_the_noise_or_not_at_all() -> None:
    package = lowered(f"""family drawn "Insertions" {{
  noise {{
    {POWERS}
    clean -> gone  survival alpha(t) = (1 - t)**power
    amount t ~ uniform(0, 1)
  }}
  network {{ backbone dit(condition = t); head slot : logits at gaps; head gap : count at gaps }}
  loss {{ slot : cross_entropy(gone); gap : poisson(gone) }}
  decoder {{
    grid uniform(8)
    step {{ insert tokens chance min(1, gap * (t - s) / t); draw slot }}
  }}
  collate {{ text : bos [body] eos }}
}}
""")
    assert dict(package.family.samples)["default"].law == "none"


def test_each_condition_reads_its_own_chance() -> None:
    stop = "stop when done > 0.5 or tempered(done, 0.1) > 0.9 or length = limit"
    code = rendered(changed(TIED, ("stop chance done or length = limit", stop)))["decoder.py"]
    assert "done = canvas.network.done(hidden).sigmoid()" in code
    assert "done_2 = tempered_chance(canvas.network.done(hidden), 0.1)" in code
    assert "(done > 0.5) | (done_2 > 0.9)" in code


def test_no_law_is_claimed_of_a_stop_that_no_likelihood_reads() -> None:
    package = lowered("""family drawn "Insertions" {
  noise { clean -> gone  survival alpha(t) = 1 - t; amount t ~ uniform(0, 1) }
  network {
    backbone rotary
    head slot : logits at gaps
    head other : logits at gaps
    head gap : count at gaps
    head done : chance at bos
  }
  loss {
    slot : joint_cross_entropy(gone)
    other : cross_entropy(gone)
    gap : poisson(gone)
    done : binary_cross_entropy(none gone)
  }
  decoder { step { insert tokens one; draw slot }; stop chance done or length = limit }
  decoder apart { step { insert tokens one; draw other } }
  collate { text : bos [body] eos }
}
""")
    assert package.likelihood is None
    assert dict(package.family.samples)["default"].law == "none"


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
