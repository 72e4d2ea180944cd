"""License and citation: they agree with each other and with the version of the package."""

import tomllib
from pathlib import Path

import yaml

import xlmc

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def test_the_license_is_the_same_everywhere() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert text.startswith("MIT License\n\nCopyright (c) ")
    assert "xlmc authors\n" in text
    assert PROJECT["license"] == CITATION["license"] == "MIT"
    assert PROJECT["license-files"] == ["LICENSE"]


def test_the_citation_has_what_the_format_requires() -> None:
    required = {"cff-version", "message", "title", "authors"}
    assert required <= set(CITATION)
    assert CITATION["cff-version"] == "1.2.0"
    assert CITATION["authors"] == PROJECT["authors"] == [{"name": "The xlmc authors"}]


def test_the_citation_names_the_version() -> None:
    assert str(CITATION["version"]) == xlmc.__version__
