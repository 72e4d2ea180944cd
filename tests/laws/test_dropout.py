"""What attention looks at has a dropout of its own: published models differ in it."""

from dataclasses import replace

import pytest
import torch
from laws.build import SIZE, VOCAB
from laws.examples import one
from torch.nn import functional as F


@pytest.mark.parametrize("package", ["mdlm", "ilm", "arlm", "flexmdm", "dream"], indirect=True)
def test_attention_drops_as_much_as_it_is_given(package, monkeypatch):
    batch, plain, seen = one(package, (5, 6)), F.scaled_dot_product_attention, []

    def noted(q, k, v, attn_mask=None, dropout_p=0.0, **rest):
        seen.append(dropout_p)
        return plain(q, k, v, attn_mask, dropout_p, **rest)

    monkeypatch.setattr(F, "scaled_dot_product_attention", noted)
    size = replace(SIZE, dropout=0.25, attention_dropout=0.125)
    net = package.family.network(VOCAB, VOCAB.allowed(()), size)
    told = [torch.ones(1)] if package.spec.has("condition = t") else []
    for training in (True, False):
        net.train(training).trunk(batch.x0, batch.attend, *told)
    assert seen == [0.125] * SIZE.layers + [0.0] * SIZE.layers
    drops = {m.p for m in net.modules() if isinstance(m, torch.nn.Dropout)}
    assert drops <= {0.25}
