"""Words of the language: each owns its page, its needs and its code, and nothing else lists it."""

import math
import os
import shutil
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from families import ROOT, completed, imported
from laws.stats import samples_of
from test_language import SIZE, VOCAB, cost, world
from torch import nn

from xlm_runtime.plug import Example, Noise
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
    clocks = {"mask": "alpha", "gone": "beta", "random": "alpha"}
    shares = {3: " share 0.2 * (1 - t)"}
    arrows = [
        f"{written_out(step)}{shares.get(len(step), '')}  survival {clocks[step[1]]}(t) = 1 - t"
        for step in life.life or ()
    ]
    if life.spoiled:
        return "clean -> mask | random share 0.1 | clean share 0.1  survival alpha(t) = 1 - t"
    return "; ".join((*arrows, *["blocks 4"] * life.blocked)) or "none"


PLACES = {"tokens": "", "gaps": " at gaps", "special": " at cls"}


def refusals(use: Use, life: Process) -> list[str]:
    """Return the faults of the example of a use under a process."""
    head = use.example.partition(" :")[0]
    size = "(9)" * (use.head == "distribution")
    family = completed(f"""family toy "Toy" {{
      noise {{ {noise(life)} }}
      network {{ backbone rotary; head {head} : {use.head}{size}{PLACES[use.place]} }}
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
        (False, False, False, True, True, True, False),
        (False, True, False, True, True, True, False),
        (True, False, False, True, False, False, False),
        (False, True, False, True, True, False, True),
        (False, True, False, True, True, True, True),
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


# A new word is one file and one partial

PAGE = (ROOT / "docs" / "adding-a-word.md").read_text(encoding="utf-8")
DIVERGENCE, ACTION = (
    [block.partition("\n")[2] for block in PAGE.partition(title)[2].split("```")[1:8:2]]
    for title in ("# Adding a divergence", "# Adding an action")
)
SPEC, CORRECTED = DIVERGENCE[2], ACTION[2]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the compiler with two more words."""
    home = tmp_path_factory.mktemp("copy")
    for folder in ("xlmc", "grammar", "templates", "spec"):
        shutil.copytree(ROOT / folder, home / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name, (word, partial, spec, *_) in (
        ("divergences/smoothed_cross_entropy", DIVERGENCE),
        ("actions/resample", ACTION),
    ):
        template = home / "templates" / "words" / f"{name}.j2"
        template.parent.mkdir(exist_ok=True)
        template.write_text(partial)
        (home / "xlmc" / "words" / f"{name}.py").write_text(word)
        (home / f"{Path(name).name}.xlm").write_text(spec)
    return home


def run(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(map(str, (copy, ROOT / "runtime")))
    env = {**os.environ, "PYTHONPATH": paths, "XDG_CACHE_HOME": str(copy / "cache")}
    command = [sys.executable, "-m", "xlmc", *arguments]
    return subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, check=False)


def test_a_divergence_is_one_file_and_one_partial(copy: Path, tmp_path: Path) -> None:
    built = run(copy, "build", "smoothed_cross_entropy.xlm")
    assert built.returncode == 0, built.stderr
    files = {path.name: path.read_text() for path in (copy / "out" / "toy").glob("*.py")}
    assert "A share soft of each label is spread." in files["loss.py"]
    with imported(files, tmp_path, "toy_with_a_new_word") as package:
        family = package.FAMILY
        assert (family.claim.value, family.claim.trained) == ("tight", False)
        batch, network = world(family, "text")
        network = family.network(VOCAB, VOCAB.allowed(()), SIZE).double()
        optimizer = torch.optim.AdamW(network.parameters(), lr=0.01)
        found = []
        for _ in range(8):
            loss = cost(family, network, batch, Noise(1, batch.example, 0))[1].total
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            found.append(loss.item())
        assert found[-1] < found[0] < 10


def test_a_new_word_has_its_messages_and_its_page(copy: Path) -> None:
    wrong = SPEC.replace("smoothing = soft", "smothing = soft").replace("smoothed", "smothed")
    (copy / "wrong.xlm").write_text(wrong)
    assert "did you mean `smoothed_cross_entropy`?" in run(copy, "check", "wrong.xlm").stderr
    assert "Option `smoothing`, a Chance" in run(copy, "explain", "smoothed_cross_entropy").stdout


@pytest.fixture(scope="module")
def corrected(copy: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The package of a spec with the new action."""
    built = run(copy, "build", "resample.xlm", "--out", "corrected")
    assert built.returncode == 0, built.stderr
    files = {path.name: path.read_text() for path in (copy / "corrected/toy").glob("*.py")}
    with imported(files, tmp_path_factory.mktemp("corrected"), "toy_with_a_new_action") as package:
        yield package, files


A, B, MASK = 5, 6, VOCAB["mask"]
NEXT = {MASK: (0.7, 0.3), A: (0.2, 0.8), B: (0.9, 0.1)}  # chances of A and B beside what is there


class Chances(nn.Module):
    """A network whose law at a place depends on the token there."""

    vocab = VOCAB

    def trunk(self, x: torch.Tensor, attend: object) -> torch.Tensor:
        """Return the tokens."""
        return x[..., None]

    def token(self, hidden: torch.Tensor) -> torch.Tensor:
        """Return the logits of the chances."""
        logits = torch.full((len(hidden), VOCAB.size), -torch.inf, dtype=torch.float64)
        logits[:, [A, B]] = torch.tensor([NEXT[int(x)] for x in hidden[:, 0]]).double().log()
        return logits


Law = dict[tuple[int, ...], float]


def law(often: float, states: Law) -> Law:
    """Return the law of two places when all masks are revealed: a step, and those behind it."""
    found: Law = {}
    for state, chance in states.items():
        masks = [i for i, x in enumerate(state) if x == MASK]
        for shown in masks:
            ways = [outcomes(x, 1.0 if i == shown else often) for i, x in enumerate(state)]
            ways = [[(MASK, 1.0)] if i in masks and i != shown else w for i, w in enumerate(ways)]
            for way in product(*ways):
                after = tuple(x for x, _ in way)
                share = chance * math.prod(p for _, p in way) / len(masks)
                found |= {after: found.get(after, 0) + share} if share else {}
    return law(often, found) if any(MASK in one for one in found) else found


def outcomes(token: int, often: float) -> list[tuple[int, float]]:
    """Return what a place can hold behind a step that draws it anew so often."""
    drawn = zip((A, B), NEXT[token], strict=True)
    return [(token, 1 - often), *((x, often * p) for x, p in drawn)]


@pytest.mark.parametrize("often", [0.0, 0.6, 1.0])
def test_an_action_is_one_file_and_one_partial(corrected: Any, often: float) -> None:
    """A token that is there when another one is revealed is drawn anew, as often as is told."""
    package, files = corrected
    step = textwrap.dedent(ACTION[3]).strip()
    assert step in textwrap.dedent(files["decoder.py"].partition("spec: decoder.step")[2])
    family = package.FAMILY
    layout = family.layouts["text"](VOCAB, 2)
    batch = layout([Example(i, [A, A], [], [False, False]) for i in range(4000)])
    decoder = family.decoders["default"](often=often)
    made = decoder(Chances(), batch, Noise(1, batch.example), 2)
    bodies = Counter(tuple(x) for x in made.x[:, 1:3].tolist())
    samples_of(bodies, law(often, {(MASK, MASK): 1.0}))


def test_a_decoder_claims_its_law_where_the_edit_is_off(corrected: Any) -> None:
    samples = corrected[0].FAMILY.samples["default"]
    assert (samples.law, samples.neutral) == ("exact", {"often": 0})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("resample", "resampel", "did you mean `resample`?"),
        ("resample chance often", "resample", "as `chance` in `resample chance 0.1`, is missing"),
        ("chance often", "within often by entropy of current", "takes the places of an edit by"),
        ("chance often", "quota 1 by confidence", "expected one of: random, SCORE of current"),
        ("-> mask  s", "-> mask | random share 0.2 * (1 - t)  s", "`resample` cannot be used here"),
        ("clean -> mask", "blocks 2; clean -> mask", "a block is done when it holds no mask"),
        ("draw token }", "draw token }; finish { resample one; unmask all }", "and nothing more"),
        ("chance often", "chance 0", "this `resample` has no effect"),
    ],
)
def test_a_new_action_has_its_messages(copy: Path, old: str, new: str, said: str) -> None:
    assert old in CORRECTED
    (copy / "wrong.xlm").write_text(CORRECTED.replace(old, new, 1))
    assert said in run(copy, "check", "wrong.xlm").stderr


def test_a_new_action_has_its_page(copy: Path) -> None:
    page = run(copy, "explain", "resample").stdout
    assert page.startswith("resample: an action of a step\n\nSome of the written tokens")
