"""Steps of training of xlm-core 0.3.1 at the shapes of `cases`; runs in its own environment."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median
from types import SimpleNamespace
from typing import Any

import torch
from torch import nn

SHAPES = {"star": (2, 128, 4, 64, 42, 27), "text": (4, 256, 4, 16, 128, 30_522)}
PAD, MASK, CLS, FIRST = 0, 1, 2, 5
WARM = 3
Batch = dict[str, Any]


def ids(rows: int, length: int, vocab: int) -> torch.Tensor:
    """Rows of random tokens."""
    return torch.randint(FIRST, vocab, (rows, length), generator=torch.Generator().manual_seed(1))


def masked(x0: torch.Tensor) -> Batch:
    """Rows with masks, as the collators of mdlm and of mlm make them, outside of what is timed."""
    t = torch.rand(len(x0)) * (1 - 1e-3) + 1e-3
    xt = torch.where(torch.rand(x0.shape) < t[:, None], MASK, x0)
    noise = {"t": t, "noise_rate": 1 / (1 - 0.999 * t), "total_noise": -(1 - 0.999 * t).log()}
    return {"input_ids": xt, "attention_mask": torch.ones_like(x0), "target_ids": x0, **noise}


def dropped(x0: torch.Tensor, vocab: int) -> Batch:
    """Rows that lost any number of tokens, with the sparse counts that ilm's collator makes."""
    rows, length = x0.shape
    number = torch.randint(length + 1, (rows, 1))
    gone = torch.rand(x0.shape).argsort(1).argsort(1) < number
    left = (~gone).cumsum(1)  # the place of the visible token before each, behind cls
    width = length - int(number.min()) + 1
    xt = torch.full((rows, width), PAD)
    xt[:, 0] = CLS
    row, column = (~gone).nonzero(as_tuple=True)
    xt[row, left[row, column]] = x0[row, column]
    row, column = gone.nonzero(as_tuple=True)
    place = left[row, column]
    index, ones = torch.stack([row, place, x0[row, column]]), torch.ones(len(row))
    target = torch.sparse_coo_tensor(index, ones, (rows, width, vocab)).coalesce()
    drops = torch.zeros(rows, width).index_put_((row, place), ones, accumulate=True).long()
    return {
        "input_ids": xt, "attention_mask": torch.arange(width) <= length - number,
        "target_ids": target, "n_drops": drops, "cls_position": torch.zeros(rows, dtype=torch.long),
    }  # fmt: skip


def cases() -> Iterator[tuple[str, Callable[[], None]]]:
    """Each case by the name that it has in `cases`."""
    from ilm.loss_ilm import ILMLossWithMaskedCE
    from ilm.model_ilm import RotaryTransformerILMModelWithStoppingClassification as Ilm
    from mdlm.loss_mdlm import MDLMLoss
    from mdlm.model_mdlm import MDLMModel
    from mlm.loss_mlm import MLMLoss
    from mlm.model_mlm import RotaryTransformerMLMModel

    for shape, (layers, width, heads, rows, length, vocab) in SHAPES.items():
        x0 = ids(rows, length, vocab)
        size = {"num_embeddings": vocab, "d_model": width, "num_layers": layers, "nhead": heads}
        size |= {"padding_idx": PAD, "mask_idx": MASK, "rotary_emb_dim": width // heads}
        size |= {"dropout": 0.1}
        tokenizer = SimpleNamespace(mask_token_id=MASK)
        stop = {"length_loss": "binary_ce", "length_loss_weight": 1.0}
        made = (
            ("mdlm", MDLMModel(d_cond=128, **size), MDLMLoss, {}, lambda x0=x0: masked(x0)),
            ("mlm", RotaryTransformerMLMModel(**size), MLMLoss, {}, lambda x0=x0: masked(x0)),
            ("ilm", Ilm(**size), ILMLossWithMaskedCE, {**stop, "stopping_class_weight": 0.5},
             lambda x0=x0, vocab=vocab: dropped(x0, vocab)),
        )  # fmt: skip
        for name, model, kind, more, batch in made:
            loss = kind(model=model, tokenizer=tokenizer, **more)
            loss.configure(SimpleNamespace(device="cpu"))
            yield f"train {shape} {name}", work(model, loss, batch)


def work(model: nn.Module, loss: Callable[..., Any], batch: Callable[[], Batch]) -> Any:
    """A step as their trainer takes it; a batch is made outside of what is timed."""
    adam = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    model.train()

    def step(made: Batch) -> None:
        loss(made)["loss"].backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        adam.zero_grad()

    def timed() -> float:
        made = batch()
        made = {k: v.clone() if isinstance(v, torch.Tensor) else v for k, v in made.items()}
        began = time.process_time()
        step(made)
        return time.process_time() - began

    return timed


def main() -> None:
    """Measure every case."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    found = {}
    for name, timed in cases():
        spent = [timed() for _ in range(WARM + int(sys.argv[1]))]
        found[name] = median(spent[WARM:])
    print(json.dumps(found))


if __name__ == "__main__":
    main()
