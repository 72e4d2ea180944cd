"""Every message has an example of its own: a mistake that gives it, in a spec that is right."""

import pytest

from xlmc.commands.cli import execute
from xlmc.commands.example import after, look
from xlmc.commands.explain import catalogue
from xlmc.diagnostics.mistakes import BOTH, CHILD, GONE, MASK, MISTAKES, NONE, SHIFTED

TOGETHER = {"XLM017", "XLM106", "XLM152"}  # mistakes that mean another one


def test_every_message_has_an_example() -> None:
    assert set(MISTAKES) == set(catalogue())


@pytest.mark.parametrize("right", [MASK, GONE, NONE, BOTH, CHILD, SHIFTED])
def test_what_an_example_is_made_of_is_right(right: str) -> None:
    assert list(look(right)) == []


def test_a_mistake_gives_its_message_alone() -> None:
    for code, mistake in MISTAKES.items():
        assert mistake.old in mistake.right, code
        found = {one.code for one in look(mistake.wrong)}
        assert found == {code} or (code in TOGETHER and code in found), code
        assert after(code), code


def test_a_page_shows_before_and_after(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["explain", "XLM071"]) == 0
    said = capsys.readouterr().out
    assert "3 |     clean -> mask  survival alpha(t) = t\n" in said
    assert "What is right:\n\n 3 |     clean -> mask  survival alpha(t) = 1 - t\n" in said


def test_no_message_is_explained_by_its_slots(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["explain"]) == 0
    assert "<" not in capsys.readouterr().out
