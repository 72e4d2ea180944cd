"""Preparing lm1b for tests."""

from pathlib import Path

from tokenizers import Tokenizer as Backend
from tokenizers import models, normalizers, pre_tokenizers

from xlm_runtime import tasks
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared

SPECIALS = ("pad", "mask", "bos", "eos", "cls")


def prepare(cache: Path, preset: str = "quick", **more: object) -> Prepared:
    options = DataOptions(preset=preset, cache=cache, specials=SPECIALS, **more)  # type: ignore[arg-type]
    return tasks.get("lm1b").prepare(options)


def bert(folder: Path) -> Path:
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"[unused{i}]" for i in range(40))]
    tokens = [*names, "the", "cat", "sat", "he", "said", "not", ".", ",", "'", "s"]
    backend = Backend(models.WordPiece({t: i for i, t in enumerate(tokens)}, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.add_special_tokens(names[:5])
    backend.save(str(folder / "bert.json"))
    return folder / "bert.json"
