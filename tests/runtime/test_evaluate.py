"""Evaluation and generation: every example counts, and no example depends on its batch."""

from dataclasses import replace
from math import exp, log
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from attrs import evolve

import xlm_runtime
from xlm_runtime.config.config import Decoder
from xlm_runtime.config.settings import build, parse_sets
from xlm_runtime.data.length_law import Lengths
from xlm_runtime.model import evaluate, generate
from xlm_runtime.model.model import make
from xlm_runtime.packages import package
from xlm_runtime.plug import Example, Nelbo, Noise, Vocabulary
from xlm_runtime.use.loaded import Loaded

SHIPPED = Path(__file__).parents[2] / "examples"
EXAMPLES = [Example(i, [i % 8, (i + 1) % 8, 0, 3], [3, 0, (i + 1) % 8, i % 8]) for i in range(11)]


@pytest.fixture(scope="module")
def loaded(trained: Path) -> Loaded:
    made = xlm_runtime.load(trained)
    sampling = Decoder(name="default", params={"temperature": 1.0})
    return evolve(made, model=evolve(made.model, decoder=sampling))


def test_losses_are_the_same_at_every_evaluation(loaded: Loaded) -> None:
    first = evaluate.losses(loaded.model, EXAMPLES, 4)
    torch.manual_seed(5)
    assert evaluate.losses(loaded.model, EXAMPLES, 4) == first
    assert set(first) == {"loss", "token"}


@pytest.mark.parametrize("size", [1, 3, 11, 64])
def test_losses_see_every_example_whatever_the_batch(loaded: Loaded, size: int) -> None:
    whole = evaluate.losses(loaded.model, EXAMPLES, 11)
    found = evaluate.losses(loaded.model, EXAMPLES, size)
    assert found["loss"] == pytest.approx(whole["loss"], rel=1e-5)
    assert evaluate.losses(loaded.model, EXAMPLES[:-1], size)["loss"] != found["loss"]


def test_likelihood_averages_draws_and_examples(loaded: Loaded) -> None:
    def nelbo(_: object, batch: object, noise: Noise) -> Nelbo:
        return Nelbo(noise.example.double() + 100 * noise.step)

    family = loaded.model.family
    model = evolve(loaded.model, family=_with(family, nelbo=nelbo))
    ticks: list[int] = []
    examples = [replace(e, body=e.body[: 1 + i % 2]) for i, e in enumerate(EXAMPLES)]
    found = evaluate.likelihood(model, examples, 4, 3, ticks.append, [4])
    nats, tokens = 100.0 + np.arange(11), 1 + np.arange(11) % 2
    ratio, error = nats.sum() / 16, np.sqrt(11 * (nats - nats.sum() / 16 * tokens).var(ddof=1)) / 16
    assert found == {
        "nats_per_example": pytest.approx(105),
        "nats_per_example_error": pytest.approx(nats.std(ddof=1) / np.sqrt(11)),
        "nats_per_example_count": 11,
        "nats_per_token": pytest.approx(ratio),
        "nats_per_token_error": pytest.approx(error),
        "nats_per_token_count": 16,
        "bits_per_token": pytest.approx(ratio / log(2)),
        "bits_per_token_error": pytest.approx(error / log(2)),
        "bits_per_token_count": 16,
        "perplexity": pytest.approx(exp(ratio)),
        "perplexity_error": pytest.approx(exp(ratio) * error),
        "perplexity_count": 16,
        "estimator": "draws of noise for each example: 3, their amounts spread",
        "given": "",
    }
    assert ticks == [4, 8, 11]


def test_errors_of_a_likelihood_are_those_that_examples_show(loaded: Loaded) -> None:
    """Over 400 sets of 11 examples; a right one fails with a chance below 1e-3."""
    generator = np.random.default_rng(0)
    found = []
    for _ in range(400):
        tokens = generator.integers(1, 9, 11)
        found.append(evaluate.ratio(list(tokens * generator.gamma(4, 0.5, 11)), list(tokens)))
    values, errors = np.array(found).T
    assert values.std() == pytest.approx(errors.mean(), rel=0.15)


@pytest.mark.parametrize(("name", "estimator"), [("mdlm", "every number"), ("flexmdm", "draws of")])
def test_a_few_tokens_are_hidden_in_every_way(name: str, estimator: str) -> None:
    family = package.load(SHIPPED / name).family
    vocab = Vocabulary(12, {role: 11 - i for i, role in enumerate(family.specials)})
    model = make(family, vocab, "text", 3, build(family, [], []))
    examples = [Example(i, [i % 6, 1, 2][: 1 + i % 3]) for i in range(6)]
    one, other = (evaluate.likelihood(model, examples, 4, n, lambda _: None, [3]) for n in (1, 3))
    assert one["estimator"].startswith(estimator)
    assert (one == other) is (name == "mdlm")  # whatever the draws
    longer = [*examples, Example(6, [1] * 7)]
    model = make(family, vocab, "text", 7, build(family, [], []))
    found = evaluate.likelihood(model, longer, 4, 2, lambda _: None, [3])
    assert found["estimator"].startswith("draws of noise for each example: 2")


GIVEN = {  # what each likelihood is conditioned on: of texts, prompts, given tokens
    "arlm": ("", "given the prompt", "given some tokens"),
    "mdlm": ("given the length", "given the prompt", "given some tokens and the length"),
    "dream": ("given the length", "given the prompt", "given some tokens and the length"),
    "ilm": ("", "given the prompt", "given some tokens"),
    "flexmdm": ("", "given the prompt", "given some tokens"),
}


@pytest.mark.many
@pytest.mark.parametrize("name", GIVEN)
def test_a_likelihood_says_what_is_given_and_counts_the_same_tokens(name: str) -> None:
    """With a length law beside it where the length is given, so that all have a joint number."""
    family = package.load(SHIPPED / name).family
    vocab = Vocabulary(12, {role: 11 - i for i, role in enumerate(family.specials)})
    config, law = build(family, [], []), Lengths([2, 3, 3], 3)
    texts = [Example(i, [i % 6, 1, 2][: 1 + i % 3]) for i in range(6)]
    asked = [replace(text, prompt=[1]) for text in texts]
    holed = [replace(text, given=[True] + [False] * (i % 3)) for i, text in enumerate(texts)]
    rows = (("text", texts, 12), ("seq2seq", asked, 12), ("infill", holed, 6))
    for (layout, examples, count), given in zip(rows, GIVEN[name], strict=True):
        model = make(family, vocab, layout, 3, config)
        found = evaluate.likelihood(model, examples, 6, 1, lambda _: None, [2, 3, 3])
        assert found["given"] == given
        assert found["perplexity_count"] == count  # their own tokens, and no special
        joint = found.get("joint")
        assert (joint is not None) == (given == "given the length")
        if joint is not None:
            more = sum(law.of(example) for example in examples)
            assert 6 * (joint["nats_per_example"] - found["nats_per_example"]) == pytest.approx(
                more
            )
            assert joint["perplexity"] == pytest.approx(exp(6 * joint["nats_per_example"] / 12))
        marks = [mark for numbers, mark in evaluate.sections(found, "tight") if numbers]
        assert marks == [", ".join(filter(None, ("tight", given))), *["tight"] * bool(joint)]


def test_of_cut_texts_it_is_known_that_they_are_cut() -> None:
    """If the row shows it: that costs what it costs in the training data."""
    family = package.load(SHIPPED / "flexmdm").family
    vocab = Vocabulary(12, {role: 11 - i for i, role in enumerate(family.specials)})
    model = make(family, vocab, "text", 2, build(family, [], []))
    examples = [Example(0, [1, 2], cut=True), Example(1, [1])]
    found = evaluate.likelihood(model, examples, 2, 1, lambda _: None, [1, 2, 3])
    assert found["given"] == "given that it is cut or not"
    more = 2 * (found["joint"]["nats_per_example"] - found["nats_per_example"])
    assert more == pytest.approx(-log(1.5 / 5) - log(3.5 / 5))
    assert found["joint"]["given"] == ""


def test_a_length_beyond_the_room_is_that_of_a_cut_text(loaded: Loaded) -> None:
    mdlm = package.load(SHIPPED / "mdlm").family.layouts["text"]
    text = mdlm(Vocabulary(12, {"pad": 8, "mask": 9, "bos": 10, "eos": 11}), 4)
    model = evolve(loaded.model, layout=text, body=4)
    blanks = list(generate.blank(model, generate.unconditional(50), [4, 5], 1))
    assert {(len(e.body), e.cut) for e in blanks} == {(4, False), (4, True)}
    assert {len(text.row(e).ids) - e.cut for e in blanks if e.cut} == {4}


@pytest.mark.parametrize("known", [0, 1])
def test_a_canvas_that_fills_is_cut_as_often_as_texts_are(loaded: Loaded, known: int) -> None:
    """``[body eos pad]``: where the text goes on there is room for its tokens, and no end."""
    mdlm = package.load(SHIPPED / "mdlm").family.layouts["seq2seq"]
    layout = mdlm(Vocabulary(12, {"pad": 8, "mask": 9, "bos": 10, "eos": 11}), 4)
    model = evolve(loaded.model, layout=layout, body=4)
    open_, given = [False] * known + [True], [True] * known
    asked = [Example(i, [3] * known, [1], given, open_ if known else ()) for i in range(200)]
    blanks = list(generate.blank(model, asked, [2, 3, 4, 5], 1))
    rows = [layout.row(one) for one in blanks]
    assert {(row.stop - row.start, one.cut) for row, one in zip(rows, blanks, strict=True)} == {
        (5, False),
        (4, True),
    }
    assert 30 < sum(one.cut for one in blanks) < 90
    assert all([*one.body[:known]] == [3] * known for one in blanks)
    assert not any(one.cut for one in generate.blank(model, asked, [2, 3, 4], 1))
    (cut, whole) = generate.blank(
        model, [Example(0, [1] * 4, [1], cut=True), Example(0, [1] * 4, [1])], [2], 1, oracle=True
    )
    assert (cut.cut, whole.cut) == (True, False)


def test_answers_do_not_depend_on_the_batch(loaded: Loaded) -> None:
    blanks = list(generate.blank(loaded.model, EXAMPLES, loaded.lengths, 1))
    whole = [s.ids for s in generate.samples(loaded.model, blanks, 11, 1)]
    assert [s.ids for s in generate.samples(loaded.model, blanks, 2, 1)] == whole
    assert [s.ids for s in generate.samples(loaded.model, blanks[5:], 4, 1)] == whole[5:]
    assert [s.ids for s in generate.samples(loaded.model, blanks, 11, 2)] != whole


@pytest.mark.parametrize(
    ("name", "decoder", "steps"),
    [("mdlm", "default", [6, 6]), ("mdlm", "first_hitting", [4, 4]), ("remdm", "default", [7, 7])],
)
def test_steps_are_counted(name: str, decoder: str, steps: list[int]) -> None:
    """Of a grid as many as are taken until no mask is left; of the others one for each mask."""
    family = package.load(SHIPPED / name).family
    vocab = Vocabulary(12, {role: 11 - i for i, role in enumerate(family.specials)})
    sets = [f"decoder={decoder}", *(["decoder.steps=7"] if decoder == "default" else [])]
    model = make(family, vocab, "text", 4, build(family, [], parse_sets(sets)))
    asked = generate.blank(model, generate.unconditional(2), [2, 4], 1)
    made = list(generate.samples(model, [*asked, Example(2, [0] * 4)], 3, 1, record=True))
    assert [s.steps for s in made][:2] == steps
    assert {len(s.history) for s in made} == {steps[0] + 1}


def test_targets_do_not_leak(loaded: Loaded) -> None:
    others = [Example(e.index, [7, 7, 7], e.prompt) for e in EXAMPLES]
    one, other = (list(generate.blank(loaded.model, e, [4], 1)) for e in (EXAMPLES, others))
    assert one == other


def test_blanks_keep_what_is_given_and_draw_lengths(loaded: Loaded) -> None:
    pad = loaded.model.vocabulary["pad"]
    text = loaded.model.family.layouts["text"](loaded.model.vocabulary, 5)
    model = evolve(loaded.model, layout=text)
    given = Example(3, [1, 2, 3], given=[True, False, True])
    (shown,) = generate.blank(model, [given], [4], 1)
    assert shown.body == [1, pad, 3]
    (own,) = generate.blank(model, [Example(3, [1, 2, 3])], [4], 1, oracle=True)
    assert own.body == [pad] * 3
    drawn = [len(e.body) for e in generate.blank(model, generate.unconditional(200), [2, 4, 9], 1)]
    assert set(drawn) == {2, 4, 5}  # 9 is more than there is room for
    assert drawn == [
        len(e.body) for e in generate.blank(model, generate.unconditional(200), [2, 4, 9], 1)
    ]


def test_spelling_shows_what_is_still_hidden(loaded: Loaded) -> None:
    vocab = loaded.model.vocabulary
    ids = [0, 1, vocab["mask"], vocab["mask"], 2, vocab["pad"]]
    assert generate.spelled(ids, loaded.tokenizer) == "a b <mask> <mask> c"


@pytest.mark.parametrize("kind", ["text", "seq2seq", "infill"])
@pytest.mark.parametrize("name", ["arlm", "dream", "flexmdm", "ilm", "mdlm"])
def test_the_layout_is_told_as_the_spec_has_it(name: str, kind: str) -> None:
    family = package.load(SHIPPED / name).family
    vocab = Vocabulary(12, {role: 11 - i for i, role in enumerate(family.specials)})
    layout = family.layouts[kind](vocab, 4)
    model: Any = SimpleNamespace(layout=layout, vocabulary=vocab, body=4)
    said = evaluate.laid(model)
    assert f"``{said}``" in str(type(layout).__doc__)


def test_a_single_term_is_not_shown_twice() -> None:
    assert evaluate.said({"loss": 1.0, "token": 1.0}) == "loss 1.0000"
    assert evaluate.said({"loss": 3.0, "a": 1.0, "b": 2.0}) == "loss 3.0000  a 1.0000  b 2.0000"


def test_show_marks_right_and_wrong() -> None:
    assert generate.show({"prompt": "a", "prediction": "b", "target": "b"}) == "  a → b  ✓"
    assert generate.show({"prompt": "a", "prediction": "b", "target": "c"}) == "  a → b  ✗ c"
    assert generate.show({"prediction": "b"}) == "  b"
    assert generate.show({"prompt": "a\n", "prediction": "b\nc\n"}) == "  a ⏎  → b ⏎ c"


def _with(family: object, **changes: object) -> object:
    from dataclasses import replace

    return replace(family, **changes)  # type: ignore[type-var]
