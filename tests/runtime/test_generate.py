"""Texts from Python: how they are asked for, where they stop, how long they are."""

from collections import Counter
from types import SimpleNamespace

import pytest
from attrs import evolve
from fresh import untrained

from xlm_runtime.model import generate, pair
from xlm_runtime.plug import Example
from xlm_runtime.run.folder import predictions
from xlm_runtime.run.folder.predictions import Prediction
from xlm_runtime.system.errors import UsageError
from xlm_runtime.tasks.base.prepared import Prepared
from xlm_runtime.tokenizers import bpe
from xlm_runtime.use.loaded import Loaded

CANVAS = {"steps": 8}


@pytest.mark.many
@pytest.mark.parametrize("name", ["mlm", "ilm", "flexmdm", "arlm"])
def test_a_string_is_one_prompt_and_one_string_to_stop_at(name: str) -> None:
    loaded = untrained(name)
    one = loaded.generate(["a b c"], seed=3)
    assert loaded.generate("a b c", seed=3) == one
    assert loaded.history("a b c", seed=3) == loaded.history(["a b c"], seed=3)
    assert loaded.generate(("a b c",), seed=3, stop="zz") == one
    assert loaded.generate("", seed=3, suppress="a") == loaded.generate(
        [""], seed=3, suppress=["a"]
    )


@pytest.mark.parametrize(
    ("how", "wanted"),
    [
        ({"stop": [""]}, "stop: a string to stop at must not be empty"),
        ({"stop": ["a", 3]}, "stop: 3 is no string"),
        ({"stop": 3}, "stop: 3 is neither a string nor a list of strings"),
        ({"suppress": [""]}, "suppress: a token must not be empty"),
        ({"prompts": [None]}, "prompts: None is no string"),
        ({"prompts": 7}, "prompts: 7 is neither a string nor a list of strings"),
        ({"prompts": {"a": 1}}, "prompts: .* is neither a string nor a list of strings"),
        ({"batch": 0}, "batch: 0 is no whole number of at least 1"),
        ({"length": 0}, "length: 0 is no whole number from 1 to 8"),
        ({"length": 9}, "length: 9 is no whole number from 1 to 8"),
        ({"length": True}, "length: True is no whole number from 1 to 8"),
        ({"length": [3, 4]}, "length: 2 numbers for 1 prompt"),
    ],
)
def test_arguments_of_the_wrong_kind(how: dict[str, object], wanted: str) -> None:
    with pytest.raises(UsageError, match=wanted):
        untrained("mlm").generate(**how)  # type: ignore[arg-type]


@pytest.mark.many
@pytest.mark.parametrize("name", ["mlm", "ilm", "flexmdm", "arlm"])
def test_a_stop_is_looked_for_behind_what_is_given(name: str) -> None:
    loaded = untrained(name)
    for seed in range(4):
        whole = loaded.generate("a b", seed=seed)[0]
        assert loaded.generate("a b", seed=seed, stop=["a", "b", " "])[0].startswith("a b")
        behind = whole.removeprefix("a b").split()
        if behind:
            cut = loaded.generate("a b", seed=seed, stop=behind[0])[0]
            assert cut.rstrip() == "a b"


def test_a_stop_behind_holes() -> None:
    """Tokens that are given behind a hole stay; only a hole at the end can be cut."""
    loaded = untrained("mlm")
    inside = loaded.generate("a [MASK*3] b", stop=list("abcdefgh"))[0].split()
    assert len(inside) == 5
    assert (inside[0], inside[-1]) == ("a", "b")
    assert loaded.generate("a [MASK] b [MASK*2]", stop=list("abcdefgh"))[0].rstrip().endswith("b")
    grown = untrained("ilm")
    for seed in range(4):
        made = grown.generate("a [GAP] b c [GAP]", seed=seed, stop=list("abcdefgh"))[0]
        assert made.rstrip().endswith("b c")


def test_what_is_given_counts_to_the_last_token_of_it() -> None:
    """Fixed places tell it; in a text that grew it is the last place of what closes the gaps."""
    fixed = Example(0, [4, 0, 5, 0], given=[True, False, True, False])
    assert generate.upto_given(fixed, (4, 9, 5, 9), inserts=False) == 3
    assert generate.upto_given(Example(0, [0, 0]), (1, 2), inserts=False) == 0
    gaps = [False, True, False, True]
    grown = Example(0, [4, 5, 6], given=[True] * 3, gaps=gaps)
    assert generate.upto_given(grown, (4, 5, 6, 5, 6, 7), inserts=True) == 5
    assert generate.upto_given(Example(0, ()), (1, 2), inserts=True) == 0
    begun = Example(0, [4, 5, 0], given=[True, True, False], gaps=[False, False, True, True])
    assert generate.upto_given(begun, (4, 5, 4, 5, 6), inserts=True) == 2


def test_scored_answers_stop_behind_what_is_given() -> None:
    tokenizer = untrained("mlm").tokenizer
    example = Example(0, tokenizer.encode("a b c d"), given=[True, True, False, False])
    for text, wanted in (("a b c b d", "a b c "), ("a b a", "a b a"), ("a b b", "a b ")):
        found, unknown = predictions.answer(Prediction(1, text), example, tokenizer, ["b"])
        assert (found.text, unknown) == (wanted, 0)


def test_a_text_that_begins_within_a_token_is_cut_where_it_is() -> None:
    made = bpe(["the cat sat"] * 9, 270, ("pad", "eos"))
    ids = made.encode("the cat sat")
    assert made.decode(made.until(ids, ["t"], 1)) == "the"  # of " cat" nothing stays
    assert generate.ending(made, ["the"])(ids, 1) is False  # type: ignore[misc]
    assert generate.ending(made, ["sat"])(ids, 1) is True  # type: ignore[misc]


# Lengths


@pytest.mark.parametrize("name", ["mlm", "mdlm", "remdm", "llada"])
def test_a_text_that_goes_on_grows(name: str) -> None:
    """Its length is one of those of training that are beyond it; else there is all the room."""
    loaded = evolve(untrained(name), lengths=[1, 2, 2, 5, 6])
    made = loaded.generate(["a b"] * 40, **CANVAS)
    assert {len(text.split()) for text in made} == {5, 6}
    assert all(text.startswith("a b ") for text in made)
    assert {len(t.split()) for t in loaded.generate(["a b c d e f"] * 3, **CANVAS)} == {8}
    drawn = Counter(len(text.split()) for text in loaded.generate([""] * 200, **CANVAS))
    assert set(drawn) == {1, 2, 5, 6}
    assert drawn[2] > drawn[1]


def test_a_text_without_room_to_go_on_is_refused() -> None:
    with pytest.raises(UsageError, match="has 8 tokens, and there is room for 8: no room"):
        untrained("mlm").generate("a b c d e f g h")


def test_a_length_is_that_of_the_text() -> None:
    loaded = untrained("mdlm")
    made = loaded.generate(["", "a b", "c"], length=[3, 4, 5], **CANVAS)
    assert [len(text.split()) for text in made] == [3, 4, 5]
    assert {len(t.split()) for t in loaded.generate([""] * 3, length=6, **CANVAS)} == {6}
    assert len(loaded.history("", length=2, **CANVAS)[0][-1].split()) == 4  # and bos, eos
    with pytest.raises(UsageError, match="length: 'a b' has 2 tokens, so that a text of 2"):
        loaded.generate("a b", length=2)
    with pytest.raises(UsageError, match="has holes, which determine its length"):
        loaded.generate("a [MASK*2] b", length=4)


@pytest.mark.parametrize(
    ("name", "why"), [("ilm", "ilm decides itself how many"), ("arlm", "arlm ends a text itself")]
)
def test_a_length_that_the_family_decides(name: str, why: str) -> None:
    with pytest.raises(UsageError, match=f"length: {why}"):
        untrained(name).generate("", length=3)


def test_a_layout_that_fills_predicts_the_length() -> None:
    loaded: Loaded = untrained("mdlm", prompt=4)
    layout = loaded.model.family.layouts["seq2seq"](loaded.model.vocabulary, 8)
    loaded = evolve(loaded, model=evolve(loaded.model, layout=layout))
    with pytest.raises(UsageError, match="length: the layout of the run predicts where"):
        loaded.generate("a", length=3)


def test_a_model_is_shown_in_a_line() -> None:
    loaded = evolve(untrained("mdlm"), lengths=list(range(10_000)))
    for one in (loaded, loaded.model, loaded.tokenizer):
        assert len(repr(one)) < 120
        assert "\n" not in repr(one)
    assert repr(loaded) == f"Loaded(mdlm, {repr(loaded.model).partition(', ')[2]}"
    assert repr(loaded.model).startswith("Model(mdlm, 0.")


def test_a_run_checks_the_length_that_it_sets() -> None:
    """Before anything is trained."""

    def check(name: str, length: int, row: Example) -> None:
        loaded = untrained(name)
        parts = {"train": [row], "validation": [row], "test": [row]}
        prepared = Prepared(**parts, tokenizer=loaded.tokenizer, body=8)
        task = SimpleNamespace(layout="text", name="any")
        pair.check_data(loaded.model.family, task, prepared, chat=False, length=length)  # type: ignore[arg-type]

    row = Example(0, [1, 2])
    check("mdlm", 8, row)
    check("ilm", 0, row)
    with pytest.raises(UsageError, match="length=9: there is room for 8 tokens"):
        check("mdlm", 9, row)
    with pytest.raises(UsageError, match="length=3: ilm decides itself"):
        check("ilm", 3, row)
    with pytest.raises(UsageError, match="length=3: the task gives tokens"):
        check("mdlm", 3, Example(0, [1, 2], given=[True, False]))
