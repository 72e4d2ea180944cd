"""Tokens that are not written, and the states on the way to a text."""

from typing import Any

import pytest
import torch
from fresh import untrained

from xlm_runtime.system.errors import UsageError

WAYS: dict[str, dict[str, Any]] = {"llada": {"temperature": 1.0}, "ilm": {"decoder": "sampled"}}


@pytest.mark.many
@pytest.mark.parametrize("name", ["arlm", "mlm", "mdlm", "llada", "ilm", "flexmdm", "dream"])
def test_what_is_suppressed_is_not_written(name: str) -> None:
    loaded = untrained(name)
    network = loaded.model.network
    before = network.get_buffer("forbidden").clone()
    texts, way = [""] * 40, WAYS.get(name, {})
    free = loaded.generate(texts, **way)
    held = loaded.generate(texts, suppress=["a", "b", "c"], **way)
    assert {*"abc"} & set("".join(free))
    assert not {*"abc"} & set("".join(held))
    assert {*"defgh"} & set("".join(held))
    assert torch.equal(network.get_buffer("forbidden"), before)
    assert loaded.generate(texts, **way) == free


def test_what_is_suppressed_has_no_part_in_scores() -> None:
    """The others are drawn as if there were none but them: with one left nothing is unsure."""
    loaded = untrained("mlm")
    texts, others = ["[MASK*4]"], [*"abcdefg"]
    assert loaded.generate(texts, suppress=others, decoder="threshold", tau=0.99) == ["h h h h"]
    (states,) = loaded.history(texts, suppress=others, decoder="threshold", tau=0.99)
    assert len(states) == 2  # one step was enough


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (["A"], "the tokenizer has no token 'A'"),
        ([*"abcdefgh", "<eos>"], "every token is suppressed"),
    ],
)
def test_what_cannot_be_suppressed(tokens: list[str], words: str) -> None:
    loaded = untrained("mdlm")
    eos = next(t for t in loaded.tokenizer.backend.get_vocab() if "eos" in t)
    tokens = [eos if token == "<eos>" else token for token in tokens]
    with pytest.raises(UsageError, match=words):
        loaded.generate([""], suppress=tokens)


@pytest.mark.parametrize("name", ["mlm", "ilm", "flexmdm", "arlm"])
def test_a_history_ends_in_the_text(name: str) -> None:
    loaded, way = untrained(name), WAYS.get(name, {})
    texts = [""] * 8
    made, states_of = loaded.generate(texts, **way), loaded.history(texts, **way)
    text, states = max(zip(made, states_of, strict=True), key=lambda pair: len(pair[0]))
    letters = [word for word in states[-1].split() if not word.startswith("<")]
    assert " ".join(letters).split() == text.split()
    assert len(states) > 1
    if name == "mlm":
        assert states[0].count("<mask>") == 8
