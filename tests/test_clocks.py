"""Clocks that a second network learns: the claims that follow, and the names of its heads."""

from pathlib import Path

import pytest

from xlmc.compiler import checked, compile_spec

SPEC = """family learned "Learned clocks" extends mdlm {
  noise { clean -> mask  survival alpha(t) = 1 - t**w; amount t ~ uniform(1e-4, 1) }
  network { backbone dit(condition = t) }
  network clocks { backbone table; head w : scale }
  loss { token : posterior(x0) on mask  weight bound }
  decoder { step { unmask chance reveal(alpha) }; drop reuse }
  drop decoder first_hitting
  drop decoder confident
}
"""


def compiled(tmp_path: Path, *changes: tuple[str, str]) -> dict[str, str]:
    text = SPEC
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "learned.xlm"
    path.write_text(text, encoding="utf-8")
    files = compile_spec(path).package.files
    return {name: content.decode() for name, content in files.items()}


@pytest.mark.parametrize(
    ("rule", "law"),
    [
        ("chance reveal(alpha)", '"limit"'),
        ("chance min(1, 2 * reveal(alpha))", '"none"'),
        ("chance reveal(alpha) or one by confidence", '"none"'),
        ("quota masked / steps_left", '"none"'),
    ],
)
def test_samples_follow_the_model_where_masks_are_revealed_by_their_clocks(
    tmp_path, rule, law
) -> None:
    family = compiled(tmp_path, ("chance reveal(alpha)", rule))["family.py"]
    assert law in family[family.index("samples=") :]


def test_a_network_that_reads_no_time_has_a_bound(tmp_path) -> None:
    family = compiled(tmp_path, ("dit(condition = t)", "dit"))["family.py"]
    assert "which the network does not read" in " ".join(family.split())
    assert 'Claim(\n        "bound"' in family


@pytest.mark.parametrize("name", ["clock", "clocks", "scale"])
def test_a_head_may_have_the_name_of_something_in_the_package(tmp_path, name) -> None:
    files = compiled(tmp_path, ("head w", f"head {name}"), ("t**w", f"t**{name}"))
    for file, text in files.items():
        if file.endswith(".py"):
            compile(text, file, "exec")


def test_lets_may_read_what_is_learned(tmp_path) -> None:
    files = compiled(tmp_path, ("{ clean", "{ let v = 2 * w; clean"), ("t**w", "t**v"))
    assert "t ** (2 * clock.w)" in files["schedule.py"]


def test_a_child_drops_a_second_network(tmp_path) -> None:
    child = 'family child "Child" extends genmd4 {\n  drop network clocks\n  replace noise {\n    '
    child += "clean -> mask  survival alpha(t) = 1 - t\n    amount t ~ uniform(1e-3, 1)\n  }\n}\n"
    path = tmp_path / "child.xlm"
    path.write_text(child, encoding="utf-8")
    family, warnings = checked(path)
    assert not warnings
    assert [one.name for one in family.sections if one.kind == "network"] == [None]
