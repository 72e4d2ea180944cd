"""Packed tasks, prepared from files of a hub that are on the disk."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from xlm_runtime import tasks
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared

SPECIALS = ("pad", "mask", "bos", "eos")
ESM = [*["<cls>", "<pad>", "<eos>", "<unk>"], *"LAGVSERTIDPKQNFYMHWCXBUZO.-", "<null_1>", "<mask>"]


def prepare(task: str, cache: Path, preset: str = "quick", **more: Any) -> Prepared:
    return tasks.get(task).prepare(
        DataOptions(preset=preset, cache=cache, specials=SPECIALS, **more)  # type: ignore[arg-type]
    )


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    datasets.disable_progress_bars()
    return tmp_path / "hub"


def parquet(file: Path, **columns: list[Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), file)


def esm(folder: Path) -> Path:
    """ESM-2's tokenizer as it is published: a list of tokens."""
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(ESM))
    config = {"tokenizer_class": "EsmTokenizer", "model_max_length": 10**30}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    names = {f"{role}_token": f"<{role}>" for role in ("cls", "eos", "mask", "pad", "unk")}
    (folder / "special_tokens_map.json").write_text(json.dumps(names))
    return folder
