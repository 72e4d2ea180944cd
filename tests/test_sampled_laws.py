"""Laws of samples: claimed for every value of the params, or not at all."""

import pytest
from families.compiled import ROOT, lowered, rendered
from families.texts import MASK, TIED, changed

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
    assert "floored(now * 3)" in code


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


# What is spelt out


@pytest.mark.parametrize("name", ["uniform_above", "stop_above"])
def test_a_threshold_is_one_whatever_its_name(name: str) -> None:
    text = changed(
        TIED,
        ("stop chance done or length = limit", f"stop when done > {name} or length = limit"),
    ).replace("stop_above", name)
    laws = {which: found.law for which, found in lowered(text).family.samples}
    assert set(laws.values()) == {"none"}


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
