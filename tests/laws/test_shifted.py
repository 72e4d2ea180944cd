"""Heads whose answer at a place is about the next one."""

import torch
from laws import zoo
from laws.build import VOCAB, A, B, C
from laws.decoded import every
from rounding import near

from xlm_runtime.plug import Example


class NextToken(torch.nn.Module):
    """A network that has read all up to a token, and no further, and says the next one."""

    def __init__(self):
        super().__init__()
        self.vocab = VOCAB
        generator = torch.Generator().manual_seed(3)
        self.embed = torch.randn(VOCAB.size, 6, generator=generator, dtype=torch.float64)
        self.out = torch.randn(6, VOCAB.size, generator=generator, dtype=torch.float64)

    def trunk(self, xt, attend):
        seen = torch.ones_like(xt, dtype=torch.bool) if attend is None else attend
        return (self.embed[xt] * seen[:, :, None]).cumsum(1)

    def token(self, hidden):
        return hidden.sin() @ self.out


@every(zoo.those("shifted"))
def test_k8_a_shifted_head_goes_on_like_an_autoregressive_model(package):
    """One mask at the end of a clean prefix: the logits of the next token (atlas 2.5 c)."""
    net, layout = NextToken(), package.layout("seq2seq", 4)
    prompts = [(A, B), (B, B, C, A), (C,)]
    batch = layout([Example(i, (), prompt) for i, prompt in enumerate(prompts)])
    x = batch.x0.masked_fill(batch.free, VOCAB["mask"])
    place = batch.free & (batch.free.cumsum(1) == 1)
    hidden = package.reading.read(net, x, batch.attend, batch.free, torch.zeros(()))
    logits = net.token(hidden[place])
    for found, prompt in zip(logits, prompts, strict=True):
        before = torch.tensor([prompt])
        assert near(found, net.token(net.trunk(before, None)[:, -1])[0])


@every(zoo.those("shifted"))
def test_k8_the_first_token_of_a_row_reads_its_own_state(package):
    """As published; whatever is padded to its left."""
    hidden = torch.arange(24.0).reshape(2, 4, 3)
    left = package.places.shifted(hidden, None)
    assert torch.equal(left[:, 0], hidden[:, 0])
    assert torch.equal(left[:, 1:], hidden[:, :-1])
    attend = torch.tensor([[False, True, True, True], [True, True, False, False]])
    left = package.places.shifted(hidden, attend)
    assert torch.equal(left[0, 1:], hidden[0, [1, 1, 2]])
    assert torch.equal(left[1, :2], hidden[1, [0, 0]])
