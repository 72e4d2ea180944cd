"""It is a language: specs drawn over all its primitives compile, train a step and decode."""

import pytest
from families import specs
from families.life import live
from flows import flows
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from mixtures import blocks, events, shares
from revisions import revisions

drawn = settings(
    max_examples=12,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    deadline=None,
    derandomize=True,
)


@given(specs())
@drawn
def test_drawn_families_live(tmp_path_factory, text: str) -> None:
    live(text, tmp_path_factory.mktemp("drawn"))


@given(flows())
@settings(drawn, max_examples=6)
def test_drawn_families_of_two_clocks_live(tmp_path_factory, text: str) -> None:
    live(text, tmp_path_factory.mktemp("drawn"))


@pytest.mark.slow
@given(revisions())
@settings(drawn, max_examples=6)
def test_drawn_families_of_random_tokens_live(tmp_path_factory, text: str) -> None:
    live(text, tmp_path_factory.mktemp("drawn"))


@given(shares())
@settings(drawn, max_examples=6)
def test_drawn_families_of_masks_and_random_tokens_live(tmp_path_factory, text: str) -> None:
    live(text, tmp_path_factory.mktemp("drawn"))


@pytest.mark.slow
@given(blocks())
@settings(drawn, max_examples=6)
def test_drawn_families_of_blocks_live(tmp_path_factory, text: str) -> None:
    live(text, tmp_path_factory.mktemp("drawn"))


@pytest.mark.slow
@given(events())
@settings(drawn, max_examples=6)
def test_drawn_families_of_events_live(tmp_path_factory, text: str) -> None:
    live(text, tmp_path_factory.mktemp("drawn"))


@pytest.mark.slow
@given(st.one_of(shares(), blocks(), events()))
@settings(drawn, max_examples=180)
def test_many_drawn_families_of_mixtures_live(tmp_path_factory, text: str) -> None:
    live(text, tmp_path_factory.mktemp("drawn"))


@pytest.mark.slow
@given(revisions())
@settings(drawn, max_examples=80)
def test_many_drawn_families_of_random_tokens_live(tmp_path_factory, text: str) -> None:
    live(text, tmp_path_factory.mktemp("drawn"))


@pytest.mark.slow
@given(flows())
@settings(drawn, max_examples=80)
def test_many_drawn_families_of_two_clocks_live(tmp_path_factory, text: str) -> None:
    live(text, tmp_path_factory.mktemp("drawn"))


@pytest.mark.slow
@given(specs())
@settings(drawn, max_examples=120)
def test_many_drawn_families_live(tmp_path_factory, text: str) -> None:
    live(text, tmp_path_factory.mktemp("drawn"))
