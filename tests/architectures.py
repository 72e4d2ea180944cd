"""Tiny architectures of transformers, and the packages of families on them."""

from pathlib import Path

import torch
import transformers

from xlmc.compiler import compile_spec

VOCAB, LENGTH = 40, 12
COMMON = {"vocab_size": VOCAB, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4}
GROUPED = COMMON | {"intermediate_size": 48, "num_key_value_heads": 2}
FEED = COMMON | {"intermediate_size": 48}
GPT2 = {"vocab_size": VOCAB, "n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 64}
CONFIGS = {
    "gpt2": transformers.GPT2Config(**GPT2),
    "llama": transformers.LlamaConfig(**GROUPED),
    "qwen2": transformers.Qwen2Config(**GROUPED),
    "qwen3": transformers.Qwen3Config(**GROUPED, head_dim=16, tie_word_embeddings=True),
    "bert": transformers.BertConfig(**FEED, max_position_embeddings=64),
    "esm": transformers.EsmConfig(
        **FEED, position_embedding_type="rotary", pad_token_id=1, mask_token_id=2,
        token_dropout=True, emb_layer_norm_before=False,
    ),
    "modernbert": transformers.ModernBertConfig(
        **FEED, local_attention=6, global_attn_every_n_layers=3, pad_token_id=0,
        bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2,
    ),
}  # fmt: skip
SPECS = {
    "full": "extends mlm { network { backbone NET; head token : logits } }",
    "causal": """extends arlm { network { backbone NET }
      replace decoder { start prompt; step { append one; draw token greedy }
        stop when last = eos or length = limit } }""",
    "kept": "extends arlm { network { backbone NET } }",
    "blockwise": """extends bd3lm { network { backbone NET }
      replace decoder { grid uniform(8); start prompt; stop when text = eos or length = limit
        step { unmask chance reveal(alpha); draw token greedy } } }""",
    "kept_blocks": "extends bd3lm { network { backbone NET } }",
    "gaps": "extends ilm { network { backbone NET } }",
}


def built(folder: Path, kind: str, named: str = "not/read") -> Path:
    """The package of a family on a backbone that is named."""
    path = folder / f"{kind}.xlm"
    net = f'transformers("{named}")'
    path.write_text(f'family {kind} "Adapted" ' + SPECS[kind].replace("NET", net))
    made = folder / kind
    made.mkdir()
    for name, content in compile_spec(path).package.files.items():
        (made / name).write_bytes(content)
    return made


def rows(count=2, length=LENGTH, seed=1):
    """Rows of ids that are no special tokens."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(5, VOCAB, (count, length), generator=generator)
