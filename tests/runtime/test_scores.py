"""Log-likelihoods of single texts: sums over all texts, standard errors, conditions."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from math import exp, isnan, sqrt
from statistics import fmean, stdev

import pytest
import torch
from attrs import evolve
from fresh import untrained

from xlm_runtime.model import nelbo, scores
from xlm_runtime.model.scores import scored
from xlm_runtime.plug import Example, Noise
from xlm_runtime.system.errors import UsageError
from xlm_runtime.use import requests
from xlm_runtime.use.requests import Request

LETTERS = range(8)


def total(loaded: object, examples: Sequence[Example], infill: bool = False) -> float:
    model = loaded.model  # type: ignore[attr-defined]
    model = requests.infilling(model) if infill else model
    return sum(exp(one.value) for one in scored(model, examples, [8]))


def test_the_chances_of_all_texts_add_up() -> None:
    loaded = untrained("arlm")
    loaded = evolve(loaded, model=small(loaded, 2))
    texts = [Example(0, body) for n in (0, 1) for body in product(LETTERS, repeat=n)]
    texts += [Example(0, body, cut=True) for body in product(LETTERS, repeat=2)]
    assert total(loaded, texts) == pytest.approx(1, abs=1e-5)


def small(loaded: object, body: int) -> object:
    model = loaded.model  # type: ignore[attr-defined]
    return evolve(model, body=body, layout=model.family.layouts["text"](model.vocabulary, body))


@pytest.mark.parametrize("name", ["mdlm", "mlm", "llada", "arlm"])
def test_the_chances_of_one_hole_add_up(name: str) -> None:
    """One token that is free is no matter of order: the likelihood is that of the softmax."""
    ends = name == "arlm"
    given = [True, True, False]
    texts = [Example(0, (1, 2, i), given=given, cut=ends) for i in LETTERS]
    texts += [Example(0, (1, 2), given=given[:2])] * ends
    loaded = evolve(untrained(name), model=small(untrained(name), 3))
    assert total(loaded, texts, infill=True) == pytest.approx(1, abs=1e-5)


def test_a_text_has_one_value_wherever_it_is() -> None:
    model = untrained("mdlm").model
    texts = [Example(i, [j % 8 for j in range(i, i + 8)]) for i in range(5)]
    whole = scored(model, texts, [8], draws=6)
    again = scored(model, [replace(one, index=99) for one in texts[::-1]], [8], draws=6, size=2)
    assert [one.value for one in again[::-1]] == pytest.approx([one.value for one in whole])
    assert all(one.error > 0 for one in whole)


def test_few_free_tokens_leave_no_error() -> None:
    (one,) = scored(untrained("mdlm").model, [Example(0, (1, 2, 3))], [8])
    assert (one.error, one.tokens, one.claim, one.given) == (0, 3, "tight", "given the length")
    (other,) = scored(untrained("arlm").model, [Example(0, [*LETTERS])], [8])
    assert (other.error, other.given, other.joint) == (0, "", None)


def test_the_length_is_counted_by_the_lengths_of_training() -> None:
    model = untrained("mdlm").model
    (one,) = scored(model, [Example(0, (1, 2, 3))], [3, 3, 3, 8])
    assert one.joint == pytest.approx(one.value + torch.tensor(3.5 / 9).log().item())
    assert (one.whole, evolve(one, joint=None).whole) == (one.joint, one.value)
    assert one.perplexity == pytest.approx(exp(-one.value / 3))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mdlm", "ilm", "flexmdm", "md4"])
def test_the_error_is_that_of_other_draws(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither much too small nor, by more than the strata explain, too large."""
    model, text = untrained(name).model, [Example(0, [*LETTERS])]
    values, errors = [], []
    for seed in range(150):
        monkeypatch.setattr(nelbo, "SEED", seed)
        (one,) = scored(model, text, [8], draws=8)
        values.append(one.value)
        errors.append(one.error)
    assert 0.7 < sqrt(fmean(error**2 for error in errors)) / stdev(values) < 2
    (one,) = scored(model, text, [8], draws=1)
    assert isnan(one.error)


def test_samples_are_scored_as_they_were_given() -> None:
    model = requests.infilling(untrained("ilm").model)
    begun = Example(0, (1, 2), given=[True, True], gaps=[False, False, True])
    made = scores.answered(model, begun, [1, 2, 5, 6], ended=True)
    assert list(made.given) == [True, True, False, False]
    assert list(made.gaps) == [False, False, True, True, True]
    holes = Example(0, (1, 2), given=[True, True], gaps=[False, True, False])
    with pytest.raises(UsageError, match="the likelihood of a text with holes would add up"):
        scores.answered(model, holes, [1, 5, 2], ended=True)
    filled = requests.infilling(untrained("mdlm").model)
    made = scores.answered(filled, Example(0, (1, 9), given=[True, False]), [1, 4], ended=True)
    assert (list(made.body), list(made.given)) == ([1, 4], [True, False])
    ends = untrained("arlm").model
    assert scores.answered(ends, Example(0, ()), [1] * 8, ended=False).cut
    assert not scores.answered(ends, Example(0, ()), [1] * 8, ended=True).cut
    assert not scores.answered(ends, Example(0, ()), [1] * 7, ended=False).cut


def test_a_family_without_a_likelihood_says_why() -> None:
    model = untrained("mdlm").model
    family = replace(model.family, nelbo=None)
    with pytest.raises(UsageError, match="mdlm has no likelihood: the average"):
        scored(evolve(model, family=family), [Example(0, (1,))], [8])


@pytest.mark.many
@pytest.mark.parametrize("name", ["mdlm", "ilm", "flexmdm", "arlm"])
def test_samples_come_in_order_whatever_their_batch(name: str) -> None:
    loaded = untrained(name)
    texts = ["a b c d e", "", "a", "b b b", "", "c d", "h"]
    wanted = [loaded.prompter.request(i, text, None, 3) for i, text in enumerate(texts)]
    whole = [one.ids for one in requests.samples(loaded.model, wanted, 64, 3)]
    assert [one.ids for one in requests.samples(loaded.model, wanted, 1, 3)] == whole
    assert [one.ids for one in requests.samples(loaded.model, wanted, 2, 3)] == whole
    assert [one.ids for one in requests.samples(loaded.model, wanted[3:5], 2, 3)] == whole[3:5]


def test_batches_have_similar_lengths(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[int]] = []

    def record(model: object, examples: Sequence[Example], *_: object) -> Sequence[object]:
        seen.append([len(one.body) for one in examples])
        return examples

    monkeypatch.setattr(requests.generate, "samples", record)
    wanted = [Request(Example(i, [0] * n), n > 4) for i, n in enumerate((5, 1, 7, 3, 0, 6))]
    made = list(requests.samples(untrained("mdlm").model, wanted, 2, 1))
    assert [one.index for one in made] == [*range(6)]  # type: ignore[attr-defined]
    assert seen == [[0, 1, 3], [5, 6, 7]]


def test_noise_keeps_candidates_apart() -> None:
    index = torch.tensor([0, 1, 1 << 32, (1 << 32) + 1, 5 << 32])
    draws = Noise(1, index).uniform("token")[:, 0].tolist()
    assert len(set(draws)) == 5
