"""Params of type `Size`: counts of at least 1."""

import pytest
from families.compiled import completed, imported, rendered

from xlm_runtime.config.settings import build, parse_sets
from xlm_runtime.system.errors import UsageError
from xlmc.check.family import check
from xlmc.diagnostics.diagnostic import SpecErrors
from xlmc.diagnostics.semantic_errors import NeverEnds, OutOfRange, WrongType

SPEC = """family toy "Toy" {
  noise { clean -> mask  survival alpha(t) = 1 - t }
  network { backbone rotary; head token : logits }
  loss { token : cross_entropy(x0) on mask  weight bound }
  decoder {
    param many : Size = 2
    step { unmask quota many by confidence; draw token with top_k = many }
  }
  decoder slow {
    param steps : Size = 4
    grid uniform(steps)
    step { unmask chance reveal(alpha); draw token }
  }
  collate { text : bos [body] eos }
}
"""


def wrong(text: str) -> list[type]:
    try:
        check(completed(text))
    except SpecErrors as caught:
        return [type(one) for one in caught.diagnostics]
    return []


def test_a_size_is_never_nothing_so_that_steps_reveal_some() -> None:
    assert wrong(SPEC) == []
    assert NeverEnds in wrong(SPEC.replace("many : Size", "many : Count"))


def test_a_size_of_0_is_refused() -> None:
    assert wrong(SPEC.replace("many : Size = 2", "many : Size = 0")) == [OutOfRange]


def test_a_size_is_no_chance() -> None:
    assert WrongType in wrong(SPEC.replace("top_k = many", "top_p = many"))


def test_a_run_cannot_set_a_size_to_0(tmp_path) -> None:
    with imported(rendered(SPEC), tmp_path, "toy_of_sizes") as package:
        params = {param.name: param for param in package.FAMILY.params["slow"]}
        assert (params["steps"].kind, params["steps"].default) == ("Size", 4)
        sets = ["decoder=slow", "decoder.steps=0"]
        with pytest.raises(UsageError, match=r"decoder\.steps"):
            build(package.FAMILY, (), parse_sets(sets))
        config = build(package.FAMILY, (), parse_sets([*sets[:1], "decoder.steps=1"]))
        assert config.decoder.params == {"steps": 1}
