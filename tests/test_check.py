"""The checks: a message for every mistake, all of them shown in the corpus, and never a crash."""

import inspect
import re
from pathlib import Path

import pytest
from attrs import fields
from families import specs
from families.compiled import completed
from families.texts import GONE, MASK, changed
from hypothesis import HealthCheck, Phase, given, settings
from mutations import mutated

from xlmc.check.family import check
from xlmc.diagnostics import semantic_errors, syntax_errors
from xlmc.diagnostics.diagnostic import Diagnostic, SpecErrors
from xlmc.diagnostics.diagnostic import render as written
from xlmc.emit.render import render
from xlmc.lower.family import lower
from xlmc.syntax.marks import marked

HERE = Path(__file__).parent
SPECS = {path.stem: path.read_text("utf-8") for path in HERE.glob("../spec/*.xlm")}
CATALOGUE = {
    name: kind
    for module in (syntax_errors, semantic_errors)
    for name, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, Diagnostic) and kind.__module__ == module.__name__
}
# Mistakes that no small text can make, and the tests that make them.
ELSEWHERE = {"TooLarge": "test_parse.py", "ChainTooLong": "test_extend.py"}
RANGES = {
    "text and syntax": range(1, 20),
    "extends": range(20, 30),
    "names": range(30, 50),
    "types": range(50, 70),
    "theory": range(70, 100),
    "network and loss": range(100, 120),
    "decoder": range(120, 150),
    "collation": range(150, 170),
    "recipe": range(170, 190),
    "warnings": range(190, 1000),
}

many = settings(
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    deadline=None,
    derandomize=True,
)


def number(kind: type[Diagnostic]) -> int:
    return int(kind.code.removeprefix("XLM"))


def test_codes_are_used_once() -> None:
    codes = sorted(kind.code for kind in CATALOGUE.values())
    assert len(codes) == len(set(codes)) >= 60


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=CATALOGUE)
def test_a_code_lies_in_a_range_and_warnings_in_theirs(kind: type[Diagnostic]) -> None:
    assert any(number(kind) in found for found in RANGES.values())
    assert (kind.severity == "warning") == (number(kind) in RANGES["warnings"])


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=CATALOGUE)
def test_every_message_is_shown_in_the_corpus(kind: type[Diagnostic]) -> None:
    if kind.__name__ in ELSEWHERE:
        text = (HERE / ELSEWHERE[kind.__name__]).read_text("utf-8")
        assert kind.code in text or f"[{kind.__name__}]" in text
        return
    head = f"{kind.severity}[{kind.code}]: "
    assert any(head in path.read_text("utf-8") for path in (HERE / "errors").glob("*.err"))


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=CATALOGUE)
def test_every_field_of_a_message_is_said(kind: type[Diagnostic]) -> None:
    said = kind.title + kind.label + kind.note + kind.help
    own = {field.name for field in fields(kind)} - {"span", "related", "fix"}
    found = set(re.findall(r"\{(\w+)\}", said))
    assert found <= own
    if kind.__module__ == semantic_errors.__name__:
        assert own == found


def test_a_message_says_what_to_do_or_why() -> None:
    quiet = [name for name, kind in CATALOGUE.items() if not (kind.help or kind.note or kind.label)]
    assert quiet == []


# All at once


def errors(text: str) -> list[Diagnostic]:
    try:
        check(completed(text))
    except SpecErrors as caught:
        return list(caught.diagnostics)
    return []


def test_mistakes_of_every_section_are_told_at_once() -> None:
    text = (HERE / "errors" / "several_mistakes.xlm").read_text("utf-8")
    found = {type(one).__name__ for one in errors(text)}
    assert found >= {"WrongEnd", "UnknownWord", "UnknownName", "OutOfRange", "WrongBrackets"}
    assert "UnknownTask" in found


@pytest.mark.parametrize("name", SPECS)
def test_shipped_specs_have_neither_errors_nor_warnings(name: str) -> None:
    assert check(completed(SPECS[name])) == ()


def test_one_mistake_of_the_noise_is_told_once() -> None:
    """Nothing is computed from a noise that is wrong."""
    for survival in ("t", "1 - t / 2", "cosine(t)", "1 / t", "1 - t + sin(9 * t)"):
        text = MASK.replace("alpha(t) = 1 - t", f"alpha(t) = {survival}")
        assert len(errors(text)) == 1, survival


def test_a_missing_section_is_told_once() -> None:
    for section in ("noise", "network", "loss", "collate"):
        pattern = rf"(?ms)^  {section} \{{.*?^  \}}\n"
        text = re.sub(pattern, "", MASK)
        assert [type(one).__name__ for one in errors(text)] == ["MissingSection"], section


def test_a_weight_is_checked_where_floats_cancel() -> None:
    """1 - alpha rounds to 0 where the hazard is largest."""
    text = MASK.replace("amount count ~ uniform(1, length)", "amount t ~ uniform(0, 1)")
    for survival in ("1 - t**2", "1 - t**40", "cos(pi / 2 * t)**2", "cos(pi / 2 * t)"):
        assert errors(text.replace("alpha(t) = 1 - t", f"alpha(t) = {survival}")) == []
        wrong = text.replace("weight bound", "weight bound / t**3")
        found = errors(wrong.replace("alpha(t) = 1 - t", f"alpha(t) = {survival}"))
        assert [type(one).__name__ for one in found] == ["Diverges"] * (survival != "1 - t**40")


# What is right passes


ROUNDED = "(exp(-5 * t) - 0.0067379) / 0.993262"  # alpha(0) = 1 + 1e-7
THIRD = (
    "done : binary_cross_entropy(none gone)  weight bound\n    missing : cross_entropy(gone)",
    "head done : chance at cls\n    head missing : distribution(8) at cls",
)


@pytest.mark.parametrize(
    "text",
    [
        changed(MASK, ("alpha(t) = 1 - t", f"alpha(t) = {ROUNDED}")),
        changed(MASK, ("weight bound", "weight max(bound, 0)")),
        changed(MASK, ("weight bound", "weight max(0, 2 * bound)")),
        changed(
            re.sub(r"(?ms)^  decoder first_hitting \{.*?^  \}\n", "", MASK),
            ("recipe lm1b { ", "recipe lm1b { decoder default; "),
        ),
        changed(
            GONE,
            ("done : binary_cross_entropy(none gone)  weight stop_scale", THIRD[0]),
            ("    param stop_scale : Scale = 1.0\n", ""),
            ("head done : chance at cls", THIRD[1]),
        ),
    ],
    ids=["rounded survival", "max of 0", "max of 0 first", "one decoder", "third head"],
)
def test_what_is_right_is_no_error(text: str) -> None:
    assert errors(text) == []


def test_blocks_may_have_a_survival_with_params() -> None:
    """Numbers decide if the last step reveals all, not the names of params."""
    clock = "param power : Size = 2\n    clean -> mask  survival alpha(t) = 1 - t**power"
    blocked = 'family blocked "Blocks" extends bd3lm {\n  noise {\n    ' + clock + "\n  }\n}\n"
    assert errors(blocked) == []


WEIGHED = """family weighed {
  noise { clean -> gone survival alpha(t) = 1 - t; amount t ~ uniform(0, 1) }
  network { backbone dit(condition = t); head slot : logits at gaps; head gap : count at gaps }
  loss { slot : cross_entropy(gone) weight bound; gap : poisson(gone) weight bound }
  decoder {
    param steps : Count = 8
    grid uniform(steps)
    step { insert tokens quota 2 by confidence; draw slot }
  }
  collate { text : bos [body] eos }
}"""


def test_a_head_that_weighs_the_gaps_is_decoded() -> None:
    """No formula names it; where all gaps get a token by a chance that reads none, nothing does."""
    assert check(completed(WEIGHED)) == ()
    found = check(completed(changed(WEIGHED, ("quota 2 by confidence", "chance 0.1"))))
    assert [(type(one).__name__, one.head) for one in found] == [("NeverDecoded", "gap")]


@pytest.mark.parametrize("condition", ["gap < 0.01", "done > 0.5", "chance done"])
def test_a_remask_may_go_with_a_stop_that_ends_insertion_alone(condition: str) -> None:
    text = changed(
        re.sub(r"(?ms)^  decoder adaptive \{.*?^  \}\n", "", SPECS["flexmdm"]).split("  recipe")[0],
        ("head gap   : count at gaps", "head gap : count at gaps; head done : chance at cls"),
        ("    mean over", "    done : binary_cross_entropy(none gone)\n    mean over"),
        ("stop when gap < early", f"stop when {condition}"),
        ("    step {\n", "    step {\n      remask chance 0.01\n"),
    )
    text = re.sub(r"(text|seq2seq|infill)( *):", r"\1 : cls", text)
    assert [one for one in check(completed(text + "}")) if one.severity == "error"] == []


@pytest.mark.parametrize(
    ("rules", "idle"),
    [
        ("chance 0", True),
        ("chance 0 else quota 0", True),
        ("chance 0 else quota 1", False),
        ("chance 0.1 else quota 0", False),
        ("chance 0 else one", False),
    ],
)
def test_a_remask_is_idle_if_all_its_rules_are(rules: str, idle: bool) -> None:
    text = changed(
        MASK, ("step {\n      unmask chance", f"step {{\n      remask {rules}\n      unmask chance")
    )
    text = text.replace("    reuse while unchanged\n", "")
    found = [type(one).__name__ for one in check(completed(text))]
    assert found == ["NoEffect"] * idle


# Nothing crashes


@given(mutated())
@settings(many, max_examples=40)
def test_a_changed_spec_is_refused_or_compiles(text: str) -> None:
    survives(text)


@pytest.mark.slow
@given(mutated())
@settings(many, max_examples=400)
def test_many_changed_specs_are_refused_or_compile(text: str) -> None:
    survives(text)


def survives(text: str) -> None:
    """Only ever a list of messages, and no trouble after a spec has passed."""
    found: tuple[Diagnostic, ...] = ()
    try:
        family = completed(text)
        check(family)
    except SpecErrors as caught:
        found = caught.diagnostics
    if found:
        assert all(one.severity == "error" for one in found)
        assert re.search(r"(?m)^\d+ errors?$", written(found))
        return
    for name, code in render(lower(marked(family))).items():
        compile(code, name, "exec")


@given(specs())
@settings(many, max_examples=15)
def test_drawn_specs_pass(text: str) -> None:
    assert all(one.severity == "warning" for one in check(completed(text)))
