"""Decoders that draw tokens anew: the code of a draw for the next time."""

from xlmc.calculus.code import Code, built
from xlmc.lower import ir


def token(decoder: ir.Decoder, substitute: ir.Substitute, u: str) -> Code | None:
    """Return the draw of the tokens at s, given those at t; None where they are those of t = 0."""
    lost, sampler = substitute.lost, decoder.draw
    if lost is None:
        return None
    told = [
        "logits",
        "canvas.x[canvas.free]",
        *([] if sampler.greedy else [u]),
        "now={}",
        "then={}",
        "random=ordinary(canvas.network.vocab, canvas.x.device)",
        *(f"{name}={{}}" for name, _ in sampler.cuts),
    ]
    times = (built("{}(tick.t)", lost), built("{}(tick.s)", lost))
    cuts = (code for _, code in sampler.cuts)
    name = "likeliest_revision" if sampler.greedy else "revised"
    return built(f"{name}({', '.join(told)})", *times, *cuts)
