"""Texts with holes: masks of a number that is given, and gaps."""

import pytest
from fresh import untrained

from xlm_runtime.model import holes
from xlm_runtime.system.errors import UsageError
from xlm_runtime.tokenizers import words

SOON = {"ilm": {}, "flexmdm": {"steps": 32}, "mlm": {"steps": 8}, "arlm": {}}


@pytest.mark.parametrize("name", ["mlm", "mdlm", "remdm", "llada", "udlm"])
def test_masks_are_filled_and_the_rest_stays(name: str) -> None:
    loaded = untrained(name)
    texts = ["a [MASK*3] b", "[MASK] c d[MASK*2]", "[MASK*8]", "e f"]
    more = {"steps": 8}
    for seed in (1, 2, 3):
        made = [text.split() for text in loaded.generate(texts, seed=seed, **more)]
        assert [len(text) for text in made[:3]] == [5, 5, 8]
        assert made[0][0] == "a"
        assert made[0][-1] == "b"
        assert made[1][1:3] == ["c", "d"]
        assert made[3][:2] == ["e", "f"]


@pytest.mark.parametrize("name", ["ilm", "flexmdm"])
def test_gaps_are_filled_and_nothing_is_inserted_elsewhere(name: str) -> None:
    loaded = untrained(name)
    lengths = set()
    for seed in range(6):
        one, two, end, none = loaded.generate(
            ["a b [GAP] c", "[GAP] d e f [GAP] g", "h h h[GAP]", "a b c d e f g h [GAP]"],
            seed=seed,
            batch=1,
            **SOON[name],
        )
        assert one.startswith("a b ")
        assert one.endswith(" c")
        assert " d e f " in f" {two} "
        assert two.endswith(" g")
        assert end.startswith("h h h")
        assert none == "a b c d e f g h"
        lengths.add(len(one.split()))
    assert max(lengths) > 3


def test_masks_and_gaps_of_one_text() -> None:
    """If masks are inserted, some may be there from the start: their number is kept."""
    loaded = untrained("flexmdm")
    lengths = set()
    for seed in range(12):
        exact, both = loaded.generate(["a [MASK*3] b", "a [MASK*2] b [GAP] c"], seed=seed, steps=32)
        words = exact.split()
        assert (len(words), words[0], words[-1]) == (5, "a", "b")
        words = both.split()
        assert (words[0], words[3], words[-1]) == ("a", "b", "c")
        lengths.add(len(words))
    assert max(lengths) > 5


@pytest.mark.parametrize("name", ["ilm", "flexmdm", "mlm", "arlm"])
def test_a_text_goes_on(name: str) -> None:
    loaded = untrained(name)
    for seed in range(4):
        made = loaded.generate(["a b", "c d e", ""], seed=seed, **SOON[name])
        assert made[0].startswith("a b")
        assert made[1].startswith("c d e")


def test_a_hole_of_the_wrong_kind() -> None:
    with pytest.raises(UsageError, match=r"\[GAP\] in 'a \[GAP\] b': mlm fills a fixed number"):
        untrained("mlm").generate(["a [GAP] b"])
    with pytest.raises(UsageError, match=r"\[MASK\*3\] in .* ilm inserts as many tokens"):
        untrained("ilm").generate(["a [MASK*3] b"])
    with pytest.raises(UsageError, match="arlm continues a text"):
        untrained("arlm").generate(["a [MASK*3] b"])
    with pytest.raises(UsageError, match=r"\[GAP\] in .*: arlm continues a text"):
        untrained("arlm").generate(["a [GAP] b"])
    with pytest.raises(UsageError, match="a hole has at least one token"):
        untrained("mlm").generate(["a [MASK*0] b"])
    with pytest.raises(UsageError, match="the text has 10 tokens, and there is room for 8"):
        untrained("mlm").generate(["a [MASK*8] b"])
    with pytest.raises(UsageError, match="the text has 1000000001 tokens"):
        untrained("mlm").generate([f"a [MASK*{'9' * 5000}]"])
    with pytest.raises(UsageError, match="unknown: 'x'; the words are a, b"):
        untrained("mlm").generate(["a [MASK*2] x"])
    with pytest.raises(UsageError, match="answers prompts, and fills no holes"):
        untrained("mlm", prompt=4).generate(["a [MASK*2] b"])


def test_what_is_no_hole_is_text() -> None:
    for text in ("[mask]", "[MASK*]", "[MASK*-1]", "[GAP*2]", "MASK*3", "[ GAP ]"):
        assert not holes.has_holes(text)
    for text, wanted in (
        (r"a \[MASK*2] b", "a [MASK*2] b"),
        (r"\[GAP]", "[GAP]"),
        (r"\\\[GAP] \n \[x]", r"\[GAP] \n \[x]"),
    ):
        assert not holes.has_holes(text)
        assert holes.plain(text) == wanted
    assert holes.has_holes(r"\\[GAP]")


def test_what_is_escaped_is_text_beside_holes() -> None:
    loaded = untrained("mlm")
    tokenizer = words(["a", "[MASK]", "\\", "[GAP]"], loaded.model.family.specials)
    made = holes.example(
        0, r"a \[MASK] [MASK*2] \[GAP] \\[MASK]", loaded.model.family, tokenizer, 8
    )
    pad = tokenizer.vocabulary["pad"]
    assert list(made.body) == [0, 1, pad, pad, 3, 2, pad]
    assert list(made.given) == [True, True, False, False, True, True, False]
    with pytest.raises(UsageError, match=r"write \\\[MASK\*2\] for the text"):
        untrained("mlm", prompt=4).generate(["a [MASK*2] b"])
