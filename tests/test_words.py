"""Words of the language: each owns its page, its needs and its code, and nothing else lists it."""

import pytest
from families.compiled import completed

from xlmc.check.family import check
from xlmc.commands.cli import execute
from xlmc.diagnostics.diagnostic import SpecErrors
from xlmc.diagnostics.semantic_errors import OtherNoise, WrongTerm
from xlmc.syntax import ast
from xlmc.theory.needs import home, met
from xlmc.theory.process import LIVES, Process
from xlmc.theory.process import written as written_out
from xlmc.words import reference, terms
from xlmc.words.divergences.base import Use
from xlmc.words.slots import every, stop_words

USES = [use for word in terms.known().values() for use in word.uses]


@pytest.mark.parametrize("word", [*every()], ids=lambda word: word.name)
def test_a_word_has_a_page(word) -> None:
    parts = reference.page(word.name).split("\n\n")
    heads = [f"{one.name}: {one.slot}" for one in every() if one.name == word.name]
    assert [part for part in parts if part in heads] == heads
    assert parts[0] == heads[0]
    assert all((word.meaning, word.form, word.example))
    at = parts.index(f"{word.name}: {word.slot}")
    assert parts[at + 1] == word.meaning
    assert parts[at + 2] == f"Form:     {word.form}\nExample:  {word.example}"
    assert word.meaning.endswith(".")


@pytest.mark.parametrize("word", stop_words().values(), ids=lambda word: word.name)
def test_a_stop_says_why_it_needs_what_it_needs(word) -> None:
    assert all(need.why for need in word.needs)


def test_explain_prints_the_page_of_a_word(capsys) -> None:
    assert execute(["explain", "poisson"]) == 0
    assert capsys.readouterr().out == f"{reference.page('poisson')}\n"


def test_explain_hints_at_the_word_that_was_meant(capsys) -> None:
    assert execute(["explain", "crossentropy"]) == 2
    assert "did you mean `cross_entropy`?" in capsys.readouterr().err


@pytest.mark.parametrize("use", USES, ids=lambda use: use.example)
def test_every_use_has_a_noise_that_it_is_for(use: Use) -> None:
    assert home(use.needs) in {life.name for life in LIVES}


def noise(life: Process) -> str:
    clocks = {"mask": "alpha", "gone": "beta", "random": "alpha", "draft": "alpha"}
    power = "**w" * life.learned
    shares = {3: " share 0.2 * (1 - t)"}
    arrows = [
        f"{written_out(step)}{shares.get(len(step), '')}  "
        f"survival {clocks[step[1]]}(t) = 1 - t{power}"
        for step in life.life or ()
    ]
    if life.spoiled:
        return "clean -> mask | random share 0.1 | clean share 0.1  survival alpha(t) = 1 - t"
    arrows = [*["draft ~ random(2)"] * life.drafts, *arrows]
    return "; ".join((*arrows, *["blocks 4"] * life.blocked)) or "none"


PLACES = {"tokens": " at tokens", "gaps": " at gaps", "special": " at cls"}


def refusals(use: Use, life: Process) -> list[str]:
    """Return the faults of the example of a use under a process."""
    head = use.example.partition(" :")[0]
    size = "(9)" * (use.head == "distribution")
    second = "network clocks { backbone table; head w : scale }" * life.learned
    family = completed(f"""family toy "Toy" {{
      noise {{ {noise(life)} }}
      network {{ backbone rotary; head {head} : {use.head}{size}{PLACES[use.place]} }}
      {second}
      loss {{ {use.example.replace("  weight bound", "")} }}
      decoder {{ step {{ unmask one; draw token }} }}
      collate {{ text : cls bos [body] eos }}
    }}""")
    try:
        check(family)
    except SpecErrors as caught:
        kinds = (WrongTerm, OtherNoise)
        return [one.code for one in caught.diagnostics if isinstance(one, kinds)]
    return []


@pytest.mark.parametrize("use", USES, ids=lambda use: use.example)
def test_a_use_is_refused_exactly_where_a_need_is_not_met(use: Use) -> None:
    alike = [one for one in USES if written(one) == written(use)]
    for life in LIVES:
        assert len(refusals(use, life)) == 1 - sum(met(one.needs, life) for one in alike)


def written(use: Use) -> tuple[str, ...]:
    """Return what an author writes of a use: its noise decides between those alike."""
    return use.example, use.head, use.place


def test_processes_are_told_apart_by_their_facts() -> None:
    facts = ("ordered", "masks", "drops", "holds_places", "one_clock", "fixed_length", "fills")
    found = [tuple(getattr(life, fact) for fact in facts) for life in LIVES]
    assert found == [
        (False, True, False, True, True, True, True),
        (False, False, True, False, True, False, False),
        (False, True, True, False, False, False, False),
        (False, False, True, False, True, False, False),
        (False, False, False, True, True, True, False),
        (False, True, False, True, True, True, False),
        (True, False, False, True, False, False, False),
        (False, True, False, True, True, False, True),
        (False, True, False, True, True, True, True),
        (False, True, False, True, True, False, True),
        (False, True, False, True, True, True, True),
        (False, True, True, False, False, False, False),
        (False, True, False, True, False, True, True),
    ]
    assert not any(getattr(Process(None), fact) for fact in facts)


@pytest.mark.parametrize(
    "arrows",
    ["mask -> gone", "clean -> clean", "clean -> gone; gone -> mask", "none; clean -> mask", ""],
)
def test_arrows_that_are_no_life_have_no_facts(arrows: str) -> None:
    names = iter("abc")
    steps = [
        one if one == "none" else f"{one}  survival {next(names)}(t) = 1 - t"
        for one in filter(None, arrows.split("; "))
    ]
    text = f"family toy {{ noise {{ {'; '.join(steps)} }} }}"
    assert not Process.of(parsed(text)).known


def parsed(text: str) -> ast.Family:
    from xlmc.diagnostics.source import Source
    from xlmc.syntax.parse import parse

    return parse(Source("toy.xlm", text))
