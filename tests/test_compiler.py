"""Specs become packages: the same bytes everywhere, with their parents, and all is said."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest

from xlmc import compiler
from xlmc.commands.cli import execute
from xlmc.diagnostics.diagnostic import SpecErrors
from xlmc.emit.manifest import MANIFEST
from xlmc.emit.package import Package
from xlmc.resources import digest

ROOT = Path(__file__).parent.parent
SPEC = ROOT / "spec"
FAMILIES = sorted(path.stem for path in SPEC.glob("*.xlm"))
CHILD = 'family child "A child" extends mdlm {\n  decoder { param steps : Count = 7 }\n}\n'
HASHES = """
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path
from xlmc.compiler import compile_spec
files = compile_spec(Path(sys.argv[1])).package.files
print(sha256(b"".join(name.encode() + files[name] for name in sorted(files))).hexdigest())
"""


@pytest.fixture(autouse=True)
def apart(tmp_path, monkeypatch) -> Path:
    """A folder and a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


@cache
def shipped(family: str) -> Package:
    """The package of a shipped spec as it is stored: `xlmc build --check` compiles each of them."""
    files = (ROOT / "examples" / family).iterdir()
    return Package(family, {path.name: path.read_bytes() for path in files if path.is_file()})


def manifest(package: Package) -> dict:
    return json.loads(package.files[MANIFEST])


def compiled_hash(spec: Path, seed: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", HASHES, str(spec)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_the_same_bytes_in_any_directory_and_with_any_hash_seed(apart) -> None:
    elsewhere = apart / "a b" / "deep"
    elsewhere.mkdir(parents=True)
    shutil.copy(SPEC / "mdlm.xlm", elsewhere)
    here = compiled_hash(SPEC / "mdlm.xlm", "1", ROOT)
    assert here == compiled_hash(Path("mdlm.xlm"), "2", elsewhere)


def test_line_ends_and_a_byte_order_mark_make_no_difference() -> None:
    text = (SPEC / "ilm.xlm").read_bytes()
    Path("ilm.xlm").write_bytes(b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"))
    windows = compiler.compile_spec(Path("ilm.xlm")).package
    assert dict(windows.files) == dict(shipped("ilm").files)


@pytest.mark.parametrize("family", FAMILIES)
def test_no_path_of_this_machine_is_in_a_package(family) -> None:
    files = shipped(family).files
    everything = b"".join(files.values())
    assert str(ROOT).encode() not in everything
    assert b"/spec/" not in everything


@pytest.mark.parametrize(("few", "law"), [("early", "limit"), ("0.01", "none")])
def test_rows_that_end_for_good_are_not_of_the_model_s_law(few: str, law: str) -> None:
    path = Path("ending.xlm")
    path.write_text(f"family ending extends flexmdm {{ decoder {{ stop when gap < {few} }} }}\n")
    text = compiler.compile_spec(path).package.files["family.py"].decode()
    assert re.findall(r'"default": Samples\(\s*"(\w+)"', text) == [law]
    assert ('"early": 0' in text) == (law == "limit")


@pytest.mark.parametrize(
    ("weight", "claimed"),
    [("bound", "tight"), ("2 * bound", "tight"), ("min(bound, cap)", "bound"), ("1", "bound")],
)
def test_a_bound_that_is_clamped_is_no_longer_tight(weight: str, claimed: str) -> None:
    """However high the clamp: longer texts weigh too little."""
    param = "param cap : Scale = 1_000_000_000; " if "cap" in weight else ""
    path = Path("clamped.xlm")
    path.write_text(
        "family clamped extends ilm {\n"
        f"  loss {{ drop stop_scale; drop stop_balance; {param}"
        f"slot : joint_cross_entropy(gone) weight {weight}; "
        f"done : binary_cross_entropy(none gone) weight {weight} }}\n"
        "}\n"
    )
    package = compiler.compile_spec(path).package
    assert manifest(package)["claim"]["value"] == claimed
    said = package.files["loss.py"].decode()
    assert ("that of the likelihood bound" in said) == (claimed == "tight")


@pytest.mark.parametrize("family", FAMILIES)
def test_the_manifest_says_what_the_package_is(family) -> None:
    path = SPEC / f"{family}.xlm"
    package = shipped(family)
    said = manifest(package)
    assert said["family"] == family
    assert said["specs"][0] == f"{family}.xlm"
    extends = re.search(r"^family .* extends ", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert bool(extends) == bool(said["specs"][1:])
    assert said["claim"]["value"] in {"tight", "bound", "none"}
    assert said["claim"]["why"]
    for spec in said["specs"]:
        assert said["outputs"][spec] == sha256((SPEC / spec).read_bytes()).hexdigest()


@pytest.mark.parametrize("family", FAMILIES)
def test_references_lead_to_lines_of_the_spec(family) -> None:
    package = shipped(family)
    specs = manifest(package)["specs"]
    lines = {spec: package.files[spec].decode().splitlines() for spec in specs}
    found = manifest(package)["places"]

    def line(place: str) -> str:
        file, _, number = place.partition(":")
        return lines[file][int(number) - 1].strip()

    for reference, place in found.items():
        word = reference.rpartition(".")[0].split()[0] if "." in reference else reference.split()[0]
        assert word in found or word == "recipe"
        assert line(place)
    names = ("noise.alpha", "noise.clock", "noise.none")
    noise = next(found[name] for name in names if name in found)
    assert line(noise).removeprefix("noise { ").startswith(("clean ->", "none"))
    assert line(found["decoder"]).removeprefix("replace ").startswith("decoder {")


@pytest.mark.parametrize("family", FAMILIES)
def test_every_reference_in_the_code_has_its_line(family) -> None:
    package = shipped(family)
    code = "".join(data.decode() for name, data in package.files.items() if name.endswith(".py"))
    references = set(re.findall(r"\(?spec: ([\w. ]+?)[).\n]*$", code, re.MULTILINE))
    assert references
    assert references <= set(manifest(package)["places"])


# Parents


def test_a_parent_is_found_among_the_shipped_ones() -> None:
    Path("child.xlm").write_text(CHILD)
    compiled = compiler.compile_spec(Path("child.xlm"))
    assert compiled.package.name == "child"
    assert manifest(compiled.package)["specs"] == ["child.xlm", "mdlm.xlm"]
    assert compiled.package.files["mdlm.xlm"] == (SPEC / "mdlm.xlm").read_bytes()
    assert compiled.read == {
        Path("child.xlm"): digest(CHILD.encode()),
        Path("mdlm.xlm"): None,
        SPEC / "mdlm.xlm": digest((SPEC / "mdlm.xlm").read_bytes()),
    }
    places = manifest(compiled.package)["places"]
    assert places["decoder.steps"] == "child.xlm:2"
    assert places["noise.alpha"].startswith("mdlm.xlm:")


def test_a_parent_beside_the_spec_comes_first() -> None:
    mine = (SPEC / "mdlm.xlm").read_text().replace("Sahoo et al. 2024", "Me 2026")
    Path("deep").mkdir()
    Path("deep/mdlm.xlm").write_text(mine)
    Path("deep/child.xlm").write_text(CHILD)
    package = compiler.compile_spec(Path("deep/child.xlm")).package
    assert b"Me 2026" in package.files["__init__.py"]
    assert package.files["mdlm.xlm"].decode() == mine


def test_a_parent_that_appears_or_changes_is_noticed_by_the_next_build(capsys) -> None:
    Path("child.xlm").write_text(CHILD)
    assert execute(["build", "child.xlm"]) == 0
    assert execute(["build", "child.xlm"]) == 0
    assert capsys.readouterr().out.endswith("out/child: up to date\n")
    mine = (SPEC / "mdlm.xlm").read_text()
    Path("mdlm.xlm").write_text(mine.replace("Sahoo et al. 2024", "Me 2026"))
    assert execute(["build", "child.xlm", "--check"]) == 3
    assert execute(["build", "child.xlm"]) == 0
    assert "Me 2026" in Path("out/child/__init__.py").read_text()
    Path("mdlm.xlm").write_text(mine.replace("Sahoo et al. 2024", "You 2027"))
    assert execute(["build", "child.xlm"]) == 0
    assert "You 2027" in Path("out/child/__init__.py").read_text()
    capsys.readouterr()


def test_an_unknown_parent_is_an_error_of_the_spec(capsys) -> None:
    Path("child.xlm").write_text(CHILD.replace("mdlm", "mdml"))
    assert execute(["build", "child.xlm"]) == 1
    said = capsys.readouterr().err
    assert "child.xlm:1:" in said
    assert "did you mean `mdlm`" in said
    assert not Path("out").exists()


def test_the_folder_is_named_after_the_family_not_the_file(capsys) -> None:
    shutil.copy(SPEC / "ilm.xlm", "my spec.v2.xlm")
    assert execute(["build", "my spec.v2.xlm"]) == 0
    assert (Path("out/ilm/ilm.xlm")).read_bytes() == (SPEC / "ilm.xlm").read_bytes()
    capsys.readouterr()


# The commands with the real stages


def test_specs_are_built_checked_and_current(capsys) -> None:
    families = ("arlm", "mdlm")  # `tests/run` builds and checks all of them
    specs = [str(SPEC / f"{family}.xlm") for family in families]
    assert execute(["build", *specs]) == 0
    assert execute(["build", *specs, "--check"]) == 0
    assert {path.name for path in Path("out").iterdir()} == set(families)
    capsys.readouterr()
    assert execute(["build", *specs]) == 0
    assert capsys.readouterr() == ("".join(f"out/{name}: up to date\n" for name in families), "")


@pytest.mark.parametrize(("stage", "root"), [("ast", "Family"), ("ir", "Package")])
def test_a_stage_is_printed_as_json_and_nothing_is_written(capsys, stage, root) -> None:
    assert execute(["build", str(SPEC / "ilm.xlm"), "--print", stage]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["is"] == root
    assert not err
    assert not Path("out").exists()


@pytest.mark.many
@pytest.mark.parametrize("name", sorted(path.stem for path in SPEC.glob("*.xlm")))
def test_what_expand_prints_is_a_spec_of_the_same_package(name: str, capsys) -> None:
    assert execute(["expand", str(SPEC / f"{name}.xlm")]) == 0
    Path(f"{name}.xlm").write_text(capsys.readouterr().out)
    expanded = compiler.compile_spec(Path(f"{name}.xlm")).package.files
    original = shipped(name).files
    code = [name for name in original if name.endswith(".py")]
    assert [name for name in code if expanded[name] != original[name]] == []


@pytest.mark.many
@pytest.mark.parametrize(
    ("unmask", "law"),
    [
        ("chance reveal(alpha)", "limit"),
        ("chance reveal(alpha) * 0 + 1", "none"),
        ("chance 1 - s / t", "limit"),
        ("quota masked / steps_left by random", "limit"),
        ("quota (masked + steps_left - 1) / steps_left by random", "limit"),
        ("quota steps_left by random", "none"),
        ("quota masked * steps_left by random", "none"),
        ("quota 1 by random", "limit"),
        ("quota 2 by random", "none"),
        ("poisson masked * reveal(alpha) by random", "limit"),
        ("poisson 1 by random", "none"),
        ("quota 0 by random", "none"),
        ("chance 0.001 * reveal(alpha)", "none"),
        ("chance 0.5 * reveal(alpha)", "limit"),
        ("above 0.001 by confidence", "none"),
    ],
)
def test_samples_near_the_law_with_many_steps_if_few_masks_go_in_each(unmask, law) -> None:
    step = f"step {{ unmask {unmask}; draw token }}; finish {{ unmask all; draw token }}"
    assert worth(f"family mine extends mdlm {{ decoder {{ {step} }} }}\n") == law


@pytest.mark.many
@pytest.mark.parametrize(
    ("insert", "law"),
    [
        ("poisson gap * reveal(beta)", "limit"),
        ("poisson reveal(beta) * 3 * gap / 3", "limit"),
        ("chance min(1, gap * reveal(beta))", "limit"),
        ("poisson 2 * gap * reveal(beta)", "none"),
        ("chance min(1, gap) * reveal(beta)", "none"),
        ("poisson gap * reveal(beta) / (2 - t)", "none"),
    ],
)
def test_masks_that_come_back_otherwise_than_the_clock_says_do_not_end_in_the_law(
    insert, law
) -> None:
    step = f"step {{ unmask chance reveal(alpha); draw token; insert masks {insert} }}"
    assert worth(f"family mine extends flexmdm {{ decoder {{ {step} }} }}\n") == law


def worth(spec: str) -> str:
    """What the samples of the first decoder of a spec are worth."""
    Path("mine.xlm").write_text(spec)
    text = compiler.compile_spec(Path("mine.xlm")).package.files["family.py"].decode()
    found = re.search(r'"default": Samples\(\s*"(\w+)"', text)
    assert found is not None
    return found[1]


def test_check_says_which_specs_are_good(capsys) -> None:
    assert execute(["check", str(SPEC / "ilm.xlm")]) == 0
    assert capsys.readouterr() == (f"{SPEC / 'ilm.xlm'}: ok\n", "")
    assert execute(["check", str(SPEC / "ilm.xlm"), "--format", "json"]) == 0
    assert capsys.readouterr() == ("", "[]\n")


def test_all_errors_of_a_spec_are_raised_at_once() -> None:
    text = (SPEC / "mdlm.xlm").read_text()
    text = text.replace("attention full", "attention sideways").replace("over tokens", "over beans")
    Path("mdlm.xlm").write_text(text)
    with pytest.raises(SpecErrors) as errors:
        compiler.compile_spec(Path("mdlm.xlm"))
    assert len(errors.value.diagnostics) == 2


@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_in_a_package_is_unused(family) -> None:
    """Every function, class and method is read somewhere, or called by torch or the runtime."""
    files = [data for name, data in shipped(family).files.items() if name.endswith(".py")]
    nodes = [node for data in files for node in ast.walk(ast.parse(data))]
    read = {node.id for node in nodes if isinstance(node, ast.Name)}
    read |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    made = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    unused = {node.name for node in made if not node.name.startswith("__")} - read
    assert unused <= {"forward", "backward", "row"}


def test_an_inherited_setting_of_what_the_child_does_not_read_is_left_out() -> None:
    """The child's decoder draws without ``top_p``, which recipes of its parent set."""
    child = """family child extends mlm {
  decoder {
    step {
      unmask one by random
      draw token greedy
    }
  }
}
"""
    path = Path("child.xlm")
    path.write_text(child)
    made = compiler.compile_spec(path).package.files["family.py"].decode()
    owt = made.partition('"owt": {')[2].partition("}")[0]
    assert '"steps": 1_000_000' in made  # which all recipes share
    assert "decoder.top_p" not in owt
    path.write_text(child[:-2] + "  recipe cfg { decoder.top_k 1 }\n}\n")
    with pytest.raises(SpecErrors) as caught:
        compiler.compile_spec(path)
    assert [d.code for d in caught.value.diagnostics] == ["XLM171"]
