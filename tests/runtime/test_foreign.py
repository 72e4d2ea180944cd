"""Damage in files that others wrote, and in those of older versions, is one line with a remedy."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from published import package, published, reference, tokenizer

from xlm_runtime.model.published import fill, find
from xlm_runtime.model.tensors import INDEX
from xlm_runtime.packages import package as packages
from xlm_runtime.system.errors import RunError
from xlm_runtime.tokenizers import load, pretrained, words
from xlm_runtime.tokenizers.molecules.tokens import published as of_molecules

BROKEN: dict[str, bytes] = {
    "empty": b"", "cut": b'{"model": {"type"', "list": b"[]", "null": b"null", "number": b"3",
    "deep": b"[" * 100_000, "deep object": b'{"a":' * 500 + b"1" + b"}" * 500,
    "no utf-8": b'{"model": "\xff"}', "nul": b"\0\0\0", "strange": b'{"model": {"type": 3}}',
    "lists": b'{"model": [], "xlm_specials": [], "weight_map": [], "added_tokens_decoder": []}',
    "no dict": b'{"model": {"type": "BPE"}, "xlm_specials": {"pad": "x"}, "vocab_size": "x"}',
}  # fmt: skip
SPECIALS = ("pad", "mask")
broken = pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())


def refused(read: Callable[[], object], file: Path) -> str:
    """The one line with which a file is refused."""
    with pytest.raises(RunError) as caught:
        read()
    said = str(caught.value)
    assert file.name in said
    assert "; " in said  # and what to do
    assert "\n" not in said.replace("\nmodel.pretrained is ", "")
    assert len(said) < 800
    return said


@broken
@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json"])
def test_a_damaged_tokenizer_of_a_run_without_hashes(
    name: str, content: bytes, tmp_path: Path
) -> None:
    words(["a", "b"], SPECIALS).save(tmp_path)
    (tmp_path / name).write_bytes(content)
    said = refused(lambda: load(tmp_path), tmp_path / name)
    assert f"{tmp_path / name} is damaged: " in said
    assert "restore it from a copy of the run" in said


@pytest.mark.parametrize(
    "change",
    [
        {"xlm_specials": {"pad": 99}}, {"xlm_specials": {"pad": True}}, {"xlm_unknown": 99},
        {"xlm_unknown": "a"}, {"xlm_separator": 99}, {"chat_template": 3}, {"xlm_specials": None},
    ],
    ids=str,
)  # fmt: skip
def test_roles_of_a_saved_tokenizer_are_ids_that_it_has(
    change: dict[str, object], tmp_path: Path
) -> None:
    words(["a", "b"], SPECIALS).save(tmp_path)
    file = tmp_path / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    assert next(iter(change)) in refused(lambda: load(tmp_path), file)


@broken
@pytest.mark.parametrize(
    "name", ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]
)
def test_a_damaged_published_tokenizer(name: str, content: bytes, tmp_path: Path) -> None:
    file = tokenizer(tmp_path) / name
    pretrained(str(tmp_path), SPECIALS)
    file.write_bytes(content)
    if name != "tokenizer.json" and content in (BROKEN["strange"], BROKEN["no dict"]):
        return  # an object, with nothing in it that is read
    refused(lambda: pretrained(str(tmp_path), SPECIALS), file)


@broken
def test_a_damaged_file_of_a_tokenizer(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_bytes(content)
    assert "data.tokenizer" in refused(lambda: pretrained(str(file), SPECIALS), file)


@broken
@pytest.mark.parametrize("name", ["vocab.json", "tokenizer.json"])
def test_a_damaged_tokenizer_of_molecules(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    refused(lambda: of_molecules(str(tmp_path), SPECIALS, ""), tmp_path / name)


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package(tmp_path_factory.mktemp("package"))


@broken
@pytest.mark.parametrize("name", ["config.json", INDEX])
def test_damaged_published_weights(name: str, content: bytes, grown: Path, tmp_path: Path) -> None:
    folder = published(tmp_path, reference())
    (folder / name).write_bytes(content)
    family = packages.load(grown).family

    def read() -> None:
        found = find(str(folder), weights=True)
        assert family.published is not None
        fill(torch.nn.Linear(1, 1), family.published.names, found, torch.float32)

    refused(read, folder / name)
