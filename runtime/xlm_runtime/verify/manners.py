"""Checks that no decoder or corruption changes tokens it must keep.

They run on the package's own network with random weights, not on a table: it accepts every state,
and padding could disturb it.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from xlm_runtime.plug import Batch, Decoded, Example
from xlm_runtime.verify.bench import Bench, source
from xlm_runtime.verify.budget import Late
from xlm_runtime.verify.law import texts
from xlm_runtime.verify.table import blockwise, carries, permuted, told
from xlm_runtime.verify.verdict import Verdict, decided

_ROWS = 12
_STEPS = 12  # of a decoder that takes as many as it is told
_SHARE = 0.4  # of the time: for all decoders, of which none may use up what is left for the others


class Spy(nn.Module):
    """A network that remembers what it was shown."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network
        self.shown: list[tuple[torch.Tensor, torch.Tensor | None]] = []

    def __getattr__(self, name: str) -> Any:
        """Return any attribute but the trunk from the network."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("network"), name)

    def trunk(
        self, xt: torch.Tensor, attend: torch.Tensor | None, *more: torch.Tensor | None
    ) -> Any:
        """Record the input, and return the trunk of the network."""
        self.shown.append((xt, attend))
        return self.network.trunk(xt, attend, *more)


def manners(bench: Bench) -> Iterator[Verdict]:
    """Yield verdicts on the network, on corruption and on each decoder with default params."""
    network = bench.network()
    yield _verdict(
        bench, "network.padding", "", "padding changes no answer", _padding(bench, network)
    )
    if blockwise(network):
        rule = "a token sees its own block noised, and those before clean"
        yield _verdict(bench, "network.blocks", "", rule, _streams(bench, network))
    if permuted(network):
        rule = "a place sees the tokens before it in the order"
        yield _verdict(bench, "network.order", "", rule, _ordered(bench, network))
    if carries(network):
        rule = "masks alone hand on their states, to the masks that are left"
        yield _verdict(bench, "network.carried", "", rule, _carried(bench, network))
    if bench.family.corrupt is not None:
        yield _verdict(bench, "noise.fixed", "", "noise changes free tokens only",
                       _fixed(bench, network))  # fmt: skip
    with bench.budget.share(_SHARE):
        names = list(bench.family.decoders)
        for i, name in enumerate(names):
            yield from _timely(bench, network, name, 1 / (len(names) - i))


def _verdict(bench: Bench, claim: str, decoder: str, rule: str, wrong: str) -> Verdict:
    return Verdict(claim=claim, outcome=decided(not wrong), found=wrong or rule,
                   toy=bench.toy.name, decoder=decoder)  # fmt: skip


def examples(bench: Bench) -> list[Example]:
    """Choose some outcomes of every size, each with an index of its own."""
    step = max(1, len(bench.toy.outcomes) // _ROWS)
    chosen = bench.toy.outcomes[::step][:_ROWS]
    return [replace(e, index=10 + 7 * i) for i, e in enumerate(chosen)]


def _more(network: Any, x0: torch.Tensor, free: torch.Tensor) -> list[torch.Tensor]:
    """Return the inputs of a trunk besides the tokens and their padding."""
    if blockwise(network):
        return [network.blocks(free), x0]
    if permuted(network):
        return [ranks(free)]
    return [torch.full((len(x0),), 0.5)] * told(network)


def ranks(free: torch.Tensor) -> torch.Tensor:
    """Return a rank of each place: fixed ones first, then the free ones from right to left."""
    place = torch.arange(free.shape[1]).expand_as(free)
    return torch.where(free, 2 * free.shape[1] - place, place)


@torch.no_grad()
def _ordered(bench: Bench, network: Any) -> str:
    """Check that a place sees the tokens of lower ranks, and neither its own nor another one."""
    batch = bench.layout(examples(bench))
    attend = torch.ones_like(batch.inside) if batch.attend is None else batch.attend.bool()
    rank = ranks(batch.free)
    before = network.trunk(batch.x0, attend, rank)
    for column in range(rank.shape[1]):
        other = batch.x0.clone()
        other[:, column] = bench.vocab.size - 1 - (other[:, column] == bench.vocab.size - 1).long()
        found = (network.trunk(other, attend, rank) - before).abs().amax(-1) > 1e-9
        wrong = (found != (rank > rank[:, column, None])) & attend & attend[:, column, None]
        if wrong.any():
            row, place = wrong.nonzero()[0].tolist()
            sees = "sees" if found[row, place] else "does not see"
            own, its = int(rank[row, place]), int(rank[row, column])
            return f"the place {place}, of rank {own}, {sees} the token at {column}, of rank {its}"
    return ""


@torch.no_grad()
def _streams(bench: Bench, network: Any) -> str:
    """Check that a token sees its own block as it is noised, and those before as they are clean."""
    batch = bench.layout(examples(bench))
    attend = torch.ones_like(batch.inside) if batch.attend is None else batch.attend.bool()
    block = network.blocks(batch.free)
    before = network.trunk(batch.x0, attend, block, batch.x0)
    for column in range(block.shape[1]):
        other = batch.x0.clone()
        other[:, column] = bench.vocab.size - 1 - (other[:, column] == bench.vocab.size - 1).long()
        here = block[:, column, None]
        rules = (
            (other, batch.x0, block == here, "noised"),
            (batch.x0, other, block > here, "clean"),
        )
        for xt, x0, seen, stream in rules:
            found = (network.trunk(xt, attend, block, x0) - before).abs().amax(-1) > 1e-9
            wrong = (found != seen) & attend & attend[:, column, None]
            if wrong.any():
                row, place = wrong.nonzero()[0].tolist()
                sees = "sees" if found[row, place] else "does not see"
                return (
                    f"the token at {place}, of block {int(block[row, place])}, {sees} the {stream} "
                    f"one at {column}, of block {int(block[row, column])}"
                )
    return ""


@torch.no_grad()
def _carried(bench: Bench, network: Any) -> str:
    """Check that states are read at masks, that zero ones are none, and that others are not."""
    batch = bench.layout(examples(bench))
    attend = torch.ones_like(batch.inside) if batch.attend is None else batch.attend.bool()
    masks = batch.free & (batch.position % 2 == 0)
    xt = batch.x0.masked_fill(masks, bench.vocab["mask"])
    before = network.trunk(xt, attend)
    if not torch.equal(network.trunk(xt, attend, torch.zeros_like(before)), before):
        return "states of zero change the network's answers"
    dropped = before.masked_fill(masks[:, :, None], 0)
    if not torch.equal(network.trunk(xt, attend, dropped), before):
        return "states of places that hold no mask change the network's answers"
    if masks.any() and torch.equal(network.trunk(xt, attend, before), before):
        return "states of masks change nothing"
    return ""


@torch.no_grad()
def _padding(bench: Bench, network: Any) -> str:
    batch = bench.layout(examples(bench))
    attend = torch.ones_like(batch.inside) if batch.attend is None else batch.attend
    wide = [nn.functional.pad(attend, sides) for sides in ((2, 0), (0, 2))]
    more = _more(network, batch.x0, batch.free)
    answer = network.trunk(batch.x0, attend, *more)[attend]
    for mask, sides in zip(wide, ((2, 0), (0, 2)), strict=True):
        x = nn.functional.pad(batch.x0, sides, value=bench.vocab["pad"])
        more = _more(network, x, nn.functional.pad(batch.free, sides))
        found = network.trunk(x, mask, *more)[mask]
        if not torch.allclose(found, answer, atol=1e-4):
            return f"padding on the {'left' if sides[0] else 'right'} changes the network's answers"
    return ""


@torch.no_grad()
def _fixed(bench: Bench, network: Any) -> str:
    """Check that training shows the network every token that is not free, in order."""
    batch = bench.weighted(1)
    noised = bench.noised(batch, source(batch, bench.settings.seed))
    spy = Spy(network)
    bench.loss(spy, noised, batch)
    for xt, attend in spy.shown:
        seen = torch.ones_like(xt, dtype=torch.bool) if attend is None else attend
        rows = zip(
            batch.x0.tolist(), fixed(batch).tolist(), xt.tolist(), seen.tolist(), strict=True
        )
        for x0, still, shown, there in rows:
            own = [x for x, here in zip(x0, still, strict=True) if here]
            left = iter([x for x, here in zip(shown, there, strict=True) if here])
            if not all(x in left for x in own):
                return f"training shows {shown} for {x0}: a token is missing that noise must keep"
    return ""


def fixed(batch: Batch) -> torch.Tensor:
    """Return the places that neither noise nor decoders may change."""
    return ~batch.free if batch.attend is None else ~batch.free & batch.attend


def _timely(bench: Bench, network: Any, name: str, share: float) -> Iterator[Verdict]:
    """Judge a decoder; leave it undecided if its share of the time ends before it does."""
    try:
        with bench.budget.share(share):
            yield from _decoder(bench, network, name)
    except Late as late:
        words = f"its time was over at step {late.step:,}: it is slow, or it never ends. If it is "
        words += f"slow, try --seconds {10 * bench.settings.seconds}; if it never ends, read its "
        words += "loop in decoder.py, and the `stop` of the spec"
        yield Verdict(claim="decoder.ends", outcome="undecided", toy=bench.toy.name, decoder=name,
                      found=words)  # fmt: skip


def _decoder(bench: Bench, network: Any, name: str) -> Iterator[Verdict]:
    chosen = examples(bench)
    batch = bench.layout(bench.blanks(chosen))
    made = _made(bench, network, name, batch)
    rules: list[tuple[str, str, Callable[[], str]]] = [
        ("keeps", "given tokens and the rest of a row stay", lambda: _keeps(bench, batch, made)),
        ("says", "it writes only tokens that may be predicted", lambda: _says(bench, batch, made)),
        ("limit", "it writes no more tokens than fit", lambda: _limit(bench, made)),
        ("blind", "its samples do not depend on the tokens to be written",
         lambda: _blind(bench, network, name, chosen, made)),
        ("alone", "a row does not depend on the rows beside it",
         lambda: _alone(bench, network, name, chosen, made)),
    ]  # fmt: skip
    if bench.family.draft is not None:  # a decoder is given a draft, and no place of the text
        rules = [one for one in rules if one[0] != "blind"]
    for rule, words, check in rules:
        yield _verdict(bench, f"decoder.{rule}", name, words, check())


def _made(bench: Bench, network: Any, name: str, batch: Batch) -> Decoded:
    """Run a decoder with few steps: these checks do not depend on their number."""
    worth = bench.family.samples.get(name)
    few: dict[str, Any] = {worth.grows: _STEPS} if worth is not None and worth.grows else {}
    return bench.decode(network, name, batch, **few)


def _keeps(bench: Bench, batch: Batch, made: Decoded) -> str:
    """Check that given tokens stay in the body, and that the rest of a row is unchanged."""
    outside = texts(bench, made.x, ~made.body)
    before = texts(bench, batch.x0, ~batch.inside)
    given = texts(bench, batch.x0, batch.inside & ~batch.free)
    for was, now, kept, body in zip(
        before, outside, given, texts(bench, made.x, made.body), strict=True
    ):
        pad = bench.vocab["pad"]
        if [x for x in was if x != pad] != [x for x in now if x != pad]:
            return f"{list(was)} outside of the brackets became {list(now)}"
        left = iter(body)
        if not all(x in left for x in kept):
            return f"the given {list(kept)} is not in {list(body)}"
    return ""


def _says(bench: Bench, batch: Batch, made: Decoded) -> str:
    """Check that every token written may be predicted, or was given, or is padding."""
    fine = {i for i, allowed in enumerate(bench.allowed.tolist()) if allowed} | {bench.vocab["pad"]}
    given = texts(bench, batch.x0, batch.inside & ~batch.free)
    for body, kept in zip(texts(bench, made.x, made.body), given, strict=True):
        if set(body) - fine - set(kept):
            return f"it writes {list(body)}, where only {sorted(fine)} may be predicted"
    return ""


def _limit(bench: Bench, made: Decoded) -> str:
    """Check that bodies are within the capacity, with the specials that a filled layout adds."""
    specials = set(bench.vocab.specials.values())
    for body in texts(bench, made.x, made.body):
        letters = [x for x in body if x not in specials]
        room = bench.toy.capacity + (len(bench.layout.predicts) if bench.layout.fills else 0)
        if len(letters) > room:
            return f"it writes {len(letters)} tokens where {bench.toy.capacity} are allowed"
    return ""


def _results(bench: Bench, made: Decoded) -> list[tuple[tuple[int, ...], int]]:
    return list(zip(texts(bench, made.x, made.body), made.nfe.tolist(), strict=True))


def _blind(bench: Bench, network: Any, name: str, chosen: list[Example], made: Decoded) -> str:
    """Check that samples do not depend on the tokens at the places to be written."""
    others = [replace(e, body=_other(bench, e)) for e in chosen]
    again = _made(bench, network, name, bench.layout(others))
    same = _results(bench, again) == _results(bench, made)
    return "" if same else "its samples depend on the tokens to be written"


def _other(bench: Bench, example: Example) -> tuple[int, ...]:
    last = bench.vocab.size - 1
    given = example.given or [False] * len(example.body)
    return tuple(x if kept else last for x, kept in zip(example.body, given, strict=True))


def _alone(bench: Bench, network: Any, name: str, chosen: list[Example], made: Decoded) -> str:
    """Check that the rows come out the same in reverse order and one by one."""
    whole = _results(bench, made)
    turned = bench.layout(bench.blanks(chosen[::-1]))
    if _results(bench, _made(bench, network, name, turned)) != whole[::-1]:
        return "its samples depend on the order of the rows"
    for example, result in zip(chosen, whole, strict=True):
        alone = bench.layout(bench.blanks([example]))
        if _results(bench, _made(bench, network, name, alone)) != [result]:
            return "a row alone differs from the same row beside others"
    return ""
