"""A small judge of texts."""

from pathlib import Path

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from xlm_runtime import tokenizers

TEXTS = [
    "the cat sat on the mat",
    "a man a plan a canal",
    "no",  # fewer than two tokens of the judge, maybe
    "the end of all this is near and nobody has seen it come, not even the cat",
]


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny GPT-2 with random weights that matter, in the published format."""
    folder = tmp_path_factory.mktemp("judge")
    tokenizer = tokenizers.bpe(TEXTS * 3, 300, ("eos",))
    torch.manual_seed(0)
    shape = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 16}
    model = GPT2LMHeadModel(GPT2Config(vocab_size=tokenizer.vocabulary.size, **shape))
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    model.save_pretrained(folder)
    tokenizer.save(folder)
    return folder
