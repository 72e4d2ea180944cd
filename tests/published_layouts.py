"""Weights in published layouts, and their networks in plain functions."""

import json
import math

import torch
from safetensors.torch import save_file

VOCAB, LENGTH, WIDTH, HEADS, LAYERS = 320, 9, 16, 2, 2
MDLM = {
    "model_type": "mdlm", "vocab_size": VOCAB, "hidden_dim": WIDTH, "cond_dim": 6, "n_heads": HEADS,
    "n_blocks": LAYERS, "model_length": 64, "dropout": 0.1, "time_conditioning": False,
}  # fmt: skip


def random(shapes):
    torch.manual_seed(3)
    return {name: 0.4 * torch.randn(shape) for name, shape in shapes.items()}


def mdlm():
    """Names and shapes of `models/dit.py` of the authors, under the class of the Hub."""
    shapes = {
        "vocab_embed.embedding": (VOCAB, WIDTH), "rotary_emb.inv_freq": (WIDTH // HEADS // 2,),
        "sigma_map.mlp.0.weight": (6, 256), "sigma_map.mlp.0.bias": (6,),
        "sigma_map.mlp.2.weight": (6, 6), "sigma_map.mlp.2.bias": (6,),
        "output_layer.norm_final.weight": (WIDTH,), "output_layer.linear.weight": (VOCAB, WIDTH),
        "output_layer.linear.bias": (VOCAB,), "output_layer.adaLN_modulation.weight": (32, 6),
        "output_layer.adaLN_modulation.bias": (32,),
    }  # fmt: skip
    for i in range(LAYERS):
        shapes |= {f"blocks.{i}.{name}": shape for name, shape in {
            "norm1.weight": (WIDTH,), "norm2.weight": (WIDTH,), "attn_qkv.weight": (48, WIDTH),
            "attn_out.weight": (WIDTH, WIDTH), "mlp.0.weight": (64, WIDTH), "mlp.0.bias": (64,),
            "mlp.2.weight": (WIDTH, 64), "mlp.2.bias": (WIDTH,),
            "adaLN_modulation.weight": (96, 6), "adaLN_modulation.bias": (96,),
        }.items()}  # fmt: skip
    return {f"backbone.{name}": tensor for name, tensor in random(shapes).items()}


def rotated(x, base):
    """Rotary positions on halves; x: batch length heads axes."""
    axes = x.shape[-1]
    frequency = 1.0 / base ** (torch.arange(0, axes, 2) / axes)
    angle = torch.outer(torch.arange(x.shape[1]), frequency)
    angle = torch.cat([angle, angle], -1)[:, None]
    a, b = x[..., : axes // 2], x[..., axes // 2 :]
    return x * angle.cos() + torch.cat([-b, a], -1) * angle.sin()


def attention(q, k, v):
    weights = torch.einsum("bqhd,bkhd->bhqk", q, k) / math.sqrt(q.shape[-1])
    return torch.einsum("bhqk,bkhd->bqhd", weights.softmax(-1), v).flatten(2)


def block_folder(tmp_path, config, tensors):
    (tmp_path / "config.json").write_text(json.dumps(config))
    save_file(tensors, tmp_path / "model.safetensors")
    return tmp_path
