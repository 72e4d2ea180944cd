"""Decoders without a grid: each step of them does something, until nothing is left to do."""

from dataclasses import dataclass
from itertools import product

import pytest
import torch
from laws.build import Workshop
from laws.examples import layouts, network
from laws.zoo import Spec

from xlm_runtime.plug import Noise
from xlmc.diagnostics.diagnostic import SpecErrors

MOST = 400  # steps of a row with room for a few tokens
GONE = """family gone {
  noise { clean -> gone survival alpha(t) = 1 - t }
  network { backbone rotary; head slot : logits at gaps; head done : chance at bos }
  loss { slot : joint_cross_entropy(gone); done : binary_cross_entropy(none gone) }
  decoder { step { insert tokens RULE; draw slot }; STOP }
  collate { text : bos [body] eos; infill : bos [body] eos keeping given }
}"""
APART = """family apart {
  noise { clean -> gone survival alpha(t) = 1 - t }
  network { backbone rotary; head slot : logits at gaps; head gap : count at gaps }
  loss { slot : cross_entropy(gone); gap : poisson(gone) }
  decoder { step { insert tokens RULE; draw slot greedy }; STOP }
  collate { text : bos [body] eos; infill : bos [body] eos keeping given }
}"""
MASKS = """family masks {
  noise { clean -> mask survival alpha(t) = 1 - t }
  network { backbone rotary; head token : logits }
  loss { token : cross_entropy(x0) on mask }
  decoder { step { unmask RULE; draw token }; STOP }
  collate { text : bos [body] eos; infill : bos [body] eos keeping given }
}"""
LIMITS = ("stop when length = limit", "stop when length = oracle")
ENDS = (*LIMITS, "stop when length = limit or text = stop_strings")
COUNTS = (
    *("one", "quota 2", "chance 1", "chance 0.4", "quota 1 + length", "quota max(1, limit / 2)"),
    *("one by confidence", "above 0.2 by confidence", "above 0.2 by confidence of sampled"),
    *(
        "quota 3 by confidence temperature 0.5",
        "within 0.9 by confidence",
        "factor 2 by confidence",
    ),
    *("above 0.2 else quota 1 by confidence of sampled", "quota 1 + 3 * confidence"),
    "one or chance 0.3 * confidence by confidence",
)
REVEALS = (
    *("one", "quota 2", "above 0.9 by confidence", "within 0.1 by confidence", "chance 0.4"),
    *("factor 1 by margin", "above -0.5 else quota 1 by entropy", "poisson 2 else one by left"),
    "quota max(1, masked / 4) by random",
)
EVERY = [
    *product([GONE, APART], [COUNTS], ENDS),
    *product([MASKS], [REVEALS], ["", "blocks 2", "stop when no mask or text = stop_strings"]),
]


@dataclass(frozen=True)
class Counted(Noise):
    """A source that refuses to go on for ever."""

    def at(self, step: int) -> Noise:
        assert step < MOST, "the decoder does not end"
        return super().at(step)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("endless")


def package_of(text, rules, stop, folder):
    """The package of a family with a decoder for each rule: `default`, `other1`, `other2`."""
    verb = text[text.index("step {") :].split("RULE")[0]
    named = [f"decoder other{i} {{ {verb}{rule} }} }}" for i, rule in enumerate(rules) if i]
    text = text.replace("RULE", rules[0]).replace("STOP", stop)
    spec = Spec(text.replace("  collate", "\n".join(named) + "\n  collate"))
    return Workshop(folder, {"drawn": spec}).package("drawn")


@pytest.mark.parametrize(("text", "rules", "stop"), EVERY)
def test_a_decoder_without_a_grid_ends(text, rules, stop, folder):
    package = package_of(text, rules, stop, folder)
    more = {"ended": lambda ids, known: len(ids) > known} if "stop_strings" in stop else {}
    for layout, _, batch in layouts(package):
        net = network(package, layout)
        for name, limit in product(package.family.decoders, (0, 1, 2, 3, 7)):
            package.sampler(name, **more)(net, batch, Counted(3, batch.example), limit)


@pytest.mark.parametrize("rule", ["quota 2", "chance 1", "above 0.2 by confidence"])
def test_rows_do_not_wait_for_room_without_a_grid(rule, folder):
    with pytest.raises(SpecErrors) as refused:
        package_of(GONE, [rule], "overflow skip_row; stop when length = limit", folder)
    (one,) = refused.value.args[0]
    assert one.code == "XLM124"
    package_of(GONE, [rule], "overflow drop_right; stop when length = limit", folder)


@pytest.mark.parametrize("rule", ["quota length", "chance length / 2e5", "quota 2 * length"])
def test_a_step_takes_something_of_an_empty_row(rule, folder):
    with pytest.raises(SpecErrors) as refused:
        package_of(GONE, [rule], "stop when length = limit", folder)
    assert [one.code for one in refused.value.args[0]] == ["XLM124"]


@pytest.mark.parametrize("rule", REVEALS)
def test_a_network_whose_answers_are_no_numbers_comes_to_an_end(rule, folder):
    package = package_of(MASKS.replace("draw token", "draw token greedy"), [rule], "", folder)
    for layout, _, batch in layouts(package):
        net = network(package, layout)
        torch.nn.init.constant_(net.to_token.weight, torch.nan)
        package.sampler()(net, batch, Counted(3, batch.example), 7)


@pytest.mark.parametrize("rule", ["one", "quota 2", "one by random", "within 0.5 by confidence"])
def test_a_row_whose_gaps_are_all_expected_to_miss_nothing_gets_tokens(rule, folder):
    text = APART.replace(": bos", ": cls bos")  # no token comes behind `cls`
    package = package_of(text, [rule], "stop when length = limit", folder)
    for layout, _, batch in layouts(package):
        net = network(package, layout)
        net.gap = lambda hidden: hidden.new_zeros(len(hidden))
        made = package.sampler()(net, batch, Counted(3, batch.example), 7)
        assert (made.body.sum(1) == 7).all()
