"""Tiny random weights in the published format, and the package whose network they fit."""

import json
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

from xlm_runtime import tokenizers
from xlmc.compiler import compile_spec

SPEC = """family grown "A network of published weights" {
  noise { clean -> mask survival alpha(t) = 1 - t }
  network { backbone qwen2(pretrained = "someone/weights"); head token : logits shifted }
  loss { token : cross_entropy(x0) on mask weight bound }
  decoder { param steps : Count = 3; grid uniform(steps)
    step { unmask quota masked / steps_left by confidence; draw token greedy }
    stop when no mask or text = stop_strings }
  collate { text : bos [body] eos; seq2seq : prompt [body eos pad] }
}
"""


def package(folder: Path, spec: str = SPEC) -> Path:
    """The compiled package of a family with published weights."""
    path = folder / "grown.xlm"
    path.write_text(spec, encoding="utf-8")
    made = folder / "grown"
    made.mkdir()
    for name, content in compile_spec(path).package.files.items():
        (made / name).write_bytes(content)
    return made


def reference(vocab: int = 101, seed: int = 0, **more: Any) -> Qwen2ForCausalLM:
    """A small network of transformers, with weights that matter everywhere."""
    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=vocab, hidden_size=32, intermediate_size=48, num_hidden_layers=3,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=128,
        rope_parameters={"rope_type": "default", "rope_theta": 1e6}, rms_norm_eps=1e-5,
        attn_implementation="eager", **more,
    )  # fmt: skip
    made = Qwen2ForCausalLM(config).eval()
    with torch.no_grad():
        for weight in made.parameters():
            weight.add_(0.2 * torch.randn_like(weight))
    return made


def published(folder: Path, network: Qwen2ForCausalLM, shard: str = "20KB") -> Path:
    """Weights as they are published: in several files unless they all fit into one."""
    network.save_pretrained(folder, max_shard_size=shard)
    return folder


def edit(path: Path, **changes: Any) -> None:
    """A JSON file with some entries changed; None deletes one."""
    found = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({k: v for k, v in found.items() if v is not None}))


TEMPLATE = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
TEXTS = ["the cat sat on the mat", "the dog sat on the log", "user assistant 0123456789"] * 5


def tokenizer(folder: Path, template: str | None = TEMPLATE) -> Path:
    """A tokenizer as it is published beside weights: pad and eos are one token."""
    made = tokenizers.bpe(TEXTS, 290, ()).backend
    names = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|beginoftext|>", "<|mask|>")
    made.add_special_tokens([AddedToken(n, special=True, normalized=False) for n in names])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token=names[0], pad_token=names[0], mask_token=names[4]
    )
    fast.chat_template = template
    fast.save_pretrained(folder)
    return folder
