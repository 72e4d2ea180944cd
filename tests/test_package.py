"""The bytes of a package: formatting, manifest, and what they must not depend on."""

import json
import tomllib
from hashlib import sha256
from pathlib import Path

import black
import pytest

from xlmc.diagnostics.failure import Failure
from xlmc.emit import pins
from xlmc.emit.manifest import MANIFEST, content, flat, load
from xlmc.emit.package import assemble, python
from xlmc.syntax.plain import dump

ROOT = Path(__file__).parent.parent
TEXTS = {"loss.py": "x = {  'a':1 }\n", "__init__.py": '"""Toy."""\n'}
SPECS = {"toy.xlm": "family toy { }\n", "base.xlm": "family base { }\n"}
FACTS = {"claim": {"value": "tight"}, "places": {"b": 1, "a": [0.5, None]}}


def toy():
    return assemble("toy", TEXTS, SPECS, FACTS)


def test_python_is_formatted_and_other_files_are_kept() -> None:
    files = toy().files
    assert files["loss.py"] == b'x = {"a": 1}\n'
    assert files["toy.xlm"] == b"family toy { }\n"
    assert set(files) == {*TEXTS, *SPECS, MANIFEST}


def test_the_manifest_knows_every_other_file_and_the_specs_in_their_order() -> None:
    files = toy().files
    manifest = json.loads(files[MANIFEST])
    hashes = {name: sha256(data).hexdigest() for name, data in files.items() if name != MANIFEST}
    assert manifest["outputs"] == hashes
    assert manifest["specs"] == ["toy.xlm", "base.xlm"]
    assert (manifest["claim"], manifest["places"]) == (FACTS["claim"], FACTS["places"])


def test_the_manifest_is_sorted_and_ends_with_a_line() -> None:
    text = toy().files[MANIFEST].decode()
    assert text == dump(json.loads(text))
    keys = list(json.loads(text))
    assert keys == sorted(keys)
    assert text.endswith("}\n")


def test_the_manifest_holds_no_version_date_or_path() -> None:
    assert set(json.loads(toy().files[MANIFEST])) == {
        *("family", "specs", "outputs", "format"),
        *FACTS,
    }


def test_bytes_do_not_depend_on_the_order_of_rendering() -> None:
    shuffled = assemble("toy", dict(reversed(TEXTS.items())), SPECS, dict(reversed(FACTS.items())))
    assert dict(shuffled.files) == dict(toy().files)


def test_a_configuration_of_the_user_does_not_change_the_layout(tmp_path, monkeypatch) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.black]\nline-length = 20\n")
    monkeypatch.chdir(tmp_path)
    long = f"x = f({', '.join(['abc'] * 18)})\n"
    assert 88 < len(long) <= 101
    assert python(long) == long


def test_the_layout_is_for_python_3_11() -> None:
    call = f"f({', '.join(['argument'] * 10)}, **more)\n"
    assert python(call).endswith("    **more,\n)\n")  # for older ones no comma


def test_another_black_is_refused_by_name(monkeypatch) -> None:
    monkeypatch.setattr(black, "__version__", "1.2.3")
    with pytest.raises(Failure, match=r"black 1\.2\.3 is installed.*pip install black==26"):
        python("x = 1\n")


def test_pins_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    constraints = (ROOT / "constraints.txt").read_text().splitlines()
    for tool, version in pins.PINS.items():
        assert f"{tool}=={version}" in project["dependencies"]
        assert f"{tool}=={version}" in constraints


def test_broken_python_is_an_error_not_a_file() -> None:
    with pytest.raises(black.InvalidInput):
        assemble("toy", {"loss.py": "x = (\n"}, SPECS, {})


@pytest.mark.parametrize("name", ["../loss.py", "a/loss.py", ".hidden.py", "", "a\\b.py", MANIFEST])
def test_no_file_of_a_package_is_outside_of_it(name) -> None:
    with pytest.raises(ValueError, match="not names of generated files"):
        assemble("toy", {name: ""}, SPECS, {})


@pytest.mark.parametrize("name", ["class", "two words", "..", "a/b", "", "ümlaut"])
def test_a_family_needs_a_name_that_python_can_import(name) -> None:
    with pytest.raises(Failure, match="cannot be the name of a package"):
        assemble(name, TEXTS, SPECS, {})


def test_spec_copies_and_generated_files_cannot_have_one_name() -> None:
    with pytest.raises(ValueError, match=r"toy\.xlm"):
        assemble("toy", {"toy.xlm": ""}, SPECS, {})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[" * 100_000,
        '{"format": 1}',
        '{"format": 1, "family": "a", "specs": [], "outputs": {"../../etc/passwd": "0"}}',
        '{"format": 1, "family": "a", "specs": [], "outputs": {"a.py": 0}}',
        "<<<<<<< HEAD",
    ],
)
def test_what_xlmc_did_not_write_is_no_manifest(tmp_path, text) -> None:
    (tmp_path / MANIFEST).write_text(text)
    assert load(tmp_path) is None


def test_a_manifest_comes_back_as_it_was_written(tmp_path) -> None:
    (tmp_path / MANIFEST).write_bytes(toy().files[MANIFEST])
    manifest = load(tmp_path)
    assert manifest is not None
    assert manifest.family == "toy"
    assert set(manifest.outputs) == {*TEXTS, *SPECS}


def test_links_are_no_content(tmp_path) -> None:
    (tmp_path / "real").write_text("x")
    (tmp_path / "link").symlink_to("real")
    assert content(tmp_path / "real") == b"x"
    assert content(tmp_path / "link") is None
    assert content(tmp_path / "nothing") is None


def test_flat_names() -> None:
    assert flat("loss.py")
    assert not flat("a/loss.py")
