"""Which commit of a data set is read: asked of the Hub, kept for times without it, and told."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_server import Hub, serving
from huggingface_hub import constants

from xlm_runtime.data import hub
from xlm_runtime.data.commits import Repo
from xlm_runtime.data.rows import Dropped
from xlm_runtime.tasks.base.published import hub_read
from xlm_runtime.tasks.base.sources import Source, joined
from xlm_runtime.tasks.gsm8k import GSM8K
from xlm_runtime.tasks.qm9 import QM9

REPO = "someone/something"


def _source(name: str = REPO) -> Source:
    repo = Repo(name)
    return hub_read(repo, {}, 1, lambda _: iter([("train", None, (repo.at,))]))  # type: ignore[list-item]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving() as found:
        monkeypatch.setattr(constants, "ENDPOINT", found.address)
        found.repos[REPO] = {"data/train-0.parquet": b"one"}
        yield found


def test_a_data_set_that_changes_is_another(server: Hub, tmp_path: Path) -> None:
    one, same = _source().fixed(tmp_path), _source().fixed(tmp_path)
    server.repos[REPO]["data/train-0.parquet"] = b"two"
    other = _source().fixed(tmp_path)
    assert one.key == same.key != other.key
    (commit,) = other.key["commits"].values()
    assert len(commit) == 40
    assert next(other.rows(Dropped()))[2] == (commit,)  # this is what is read
    assert other.facts["commits"] == {REPO: commit}


@pytest.mark.usefixtures("server")
def test_without_the_hub_the_last_commit_is_taken_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _source().fixed(tmp_path)
    monkeypatch.setattr(hub, "_reachable", lambda: False)
    after = _source().fixed(tmp_path)
    assert after.key == before.key
    assert "as last seen here: the Hub was not reached" in after.facts["commits"][REPO]
    never = _source("someone/else").fixed(tmp_path)
    assert never.key["commits"] == {"someone/else": "main"}
    assert never.facts["commits"]["someone/else"].startswith("main, at an unknown commit")
    assert next(never.rows(Dropped()))[2] == ("main",)


@pytest.mark.usefixtures("server")
def test_a_data_set_that_is_not_there_has_no_commit(tmp_path: Path) -> None:
    assert _source("someone/else").fixed(tmp_path).key["commits"] == {"someone/else": "main"}


def test_a_folder_in_the_form_of_the_hub_has_none(tmp_path: Path) -> None:
    assert "commits" not in _source(str(tmp_path)).fixed(tmp_path).key


@pytest.mark.usefixtures("server")
def test_every_part_of_a_source_has_its_own(tmp_path: Path) -> None:
    both = joined(_source(), _source("someone/else")).fixed(tmp_path)
    assert set(both.key["commits"]) == {REPO, "someone/else"}


def test_keys_name_revision_and_files() -> None:
    for source in (QM9.published(), GSM8K.published()):
        assert source.key["revision"] == "main"
        assert "train" in source.key["files"]
        assert source.repos
