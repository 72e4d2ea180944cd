"""A new word is one file and one partial: those of the documentation, in a copy of the compiler."""

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
from families.compiled import ROOT, imported
from families.life import SIZE, VOCAB, cost, decodes, world
from laws.stats import samples_of
from torch import nn

from xlm_runtime.plug import Example, Noise

PAGE = (ROOT / "docs" / "adding-a-word.md").read_text(encoding="utf-8")
DIVERGENCE, ACTION = (
    [block.partition("\n")[2] for block in PAGE.partition(title)[2].split("```")[1:8:2]]
    for title in ("# Adding a divergence", "# Adding an action")
)
SPEC, CORRECTED = DIVERGENCE[2], ACTION[2]
EDIT = '''"""``{name}``: an edit of masks and tokens."""

from xlmc.words.actions.edit import Edit


class Toy(Edit):
    """The word ``{name}``."""

    name = "{name}"
    form = "{name} RULE"
    meaning = "Some places are changed."
    example = "{name} one"
    chooses = "all"
    does = "change some places"
    {facts}
'''
TOYS = {
    "renoise": """reads, effect = True, "{canvas}.write({places}, randomized)"
    library = {"randoms": "random_tokens"}""",
    "forget": """hides, effect = True, "{canvas}.mask({places})\"""",
}
RENOISE = """        u = noise.uniform("renoise_token", canvas.position)[{{ edit.places }}]
        randomized = random_tokens(canvas.network.vocab, u)
"""
TOY = CORRECTED.replace("resample chance often; ", "renoise all; ")
TOY = TOY.replace("    param often : Chance = 0.1\n", "").replace(
    "  collate",
    """  decoder several {
    grid uniform(4)
    step { forget chance 0.5 else one; renoise one; unmask one by confidence; draw token }
  }
  collate""",
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the compiler with more words."""
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
    for name, facts in TOYS.items():
        word = EDIT.replace("{name}", name).replace("{facts}", facts)
        (home / f"xlmc/words/actions/{name}.py").write_text(word)
    (home / "templates/words/actions/renoise.j2").write_text(RENOISE)
    (home / "renoise.xlm").write_text(TOY)
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


@pytest.mark.many
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


@pytest.mark.slow
def test_edits_of_all_places_leave_the_last_word_to_the_reveal(copy: Path, tmp_path: Path) -> None:
    built = run(copy, "build", "renoise.xlm", "--out", "renoised")
    assert built.returncode == 0, built.stderr
    files = {path.name: path.read_text() for path in (copy / "renoised/toy").glob("*.py")}
    with imported(files, tmp_path, "toy_with_edits") as package:
        family = package.FAMILY
        layout = family.layouts["text"](VOCAB, 2)
        batch = layout([Example(i, [A, A], [], [False, False]) for i in range(2000)])
        made = family.decoders["default"]()(Chances(), batch, Noise(1, batch.example), 2)
        assert (made.nfe == 1).all()  # the mask that is not revealed becomes a token, too
        revealed = dict(outcomes(MASK, 1)[1:])
        anything = dict.fromkeys(range(5, VOCAB.size), 1 / (VOCAB.size - 5))
        expected = {
            (x, y): (revealed.get(x, 0) * anything[y] + anything[x] * revealed.get(y, 0)) / 2
            for x, y in product(anything, repeat=2)
        }
        samples_of(Counter(tuple(x) for x in made.x[:, 1:3].tolist()), expected)
        batch, network = world(family, "text")
        decodes(family, network, batch, "several", canvas=True)
        assert family.samples["default"].law == family.samples["several"].law == "none"


def test_a_decoder_claims_its_law_where_the_edit_is_off(corrected: Any) -> None:
    samples = corrected[0].FAMILY.samples["default"]
    assert (samples.law, samples.neutral) == ("exact", {"often": 0})


MISTAKES = [  # what is replaced in a spec, and what is then told
    (CORRECTED, "resample", "resampel", "did you mean `resample`?"),
    (CORRECTED, "resample chance often", "resample", "as `chance` in `resample chance 0.1`, is"),
    (
        CORRECTED,
        "chance often",
        "within often by entropy of current",
        "takes the places of an edit",
    ),
    (CORRECTED, "chance often", "quota 1 by confidence", "expected one of: random, SCORE of"),
    (CORRECTED, "-> mask  s", "-> mask | random share 0.2 * (1 - t)  s", "`resample` cannot be"),
    (CORRECTED, "clean -> mask", "blocks 2; clean -> mask", "a block is done when it holds no"),
    (CORRECTED, "draw token }", "draw token }; finish { resample one }", "and nothing more"),
    (CORRECTED, "chance often", "chance 0", "this `resample` has no effect"),
    (TOY, "    grid uniform(4)\n", "", "`forget` needs a grid of times"),
    (TOY, "renoise one", "renoise one by confidence", "`confidence` is not an order of renoise"),
]


@pytest.fixture(scope="module")
def messages(copy: Path) -> str:
    """The messages about specs that are wrong, the n-th of which is `mistake_n.xlm`."""
    for number, (spec, old, new, _) in enumerate(MISTAKES):
        assert old in spec
        (copy / f"mistake_{number}.xlm").write_text(spec.replace(old, new, 1))
    return run(copy, "check", *(f"mistake_{n}.xlm" for n in range(len(MISTAKES)))).stderr


@pytest.mark.parametrize("number", range(len(MISTAKES)), ids=lambda n: MISTAKES[n][2].strip())
def test_a_new_action_has_its_messages(messages: str, number: int) -> None:
    parts = [one for one in messages.split("\n\n") if f" mistake_{number}.xlm:" in one]
    assert any(MISTAKES[number][3] in one for one in parts), parts


def test_a_new_action_has_its_page(copy: Path) -> None:
    page = run(copy, "explain", "resample").stdout
    assert page.startswith("resample: an action of a step\n\nSome of the written tokens")
