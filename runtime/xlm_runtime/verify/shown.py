"""A family shown on the text ``a b c d``: noised forms of it, and a sample drawn step by step."""

import inspect
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from xlm_runtime.model.drafts import copied
from xlm_runtime.packages import package
from xlm_runtime.packages.contents import Contents
from xlm_runtime.plug import Batch, Example, Family, ModelSize, Noise, Param, Vocabulary
from xlm_runtime.shapes import Tensor
from xlm_runtime.system.errors import UsageError
from xlm_runtime.verify.editor import EDITS, Editor
from xlm_runtime.verify.facade import facade
from xlm_runtime.verify.known import Head, Known

LETTERS = "abcd"
SPECIALS = ("pad", "mask", "bos", "eos", "cls")
DRAWS, SHOWN = 4096, 3
ROOM = 6  # tokens that a decoder may write
STEPS = 16  # of a decoder that takes a number of them


def of_files(
    path: Path, files: Mapping[str, bytes], heads: Mapping[str, tuple[str, str, bool]]
) -> "Demonstration":
    """Make the demonstration of a package in memory; ``heads`` as in `known.Head`."""
    family = package.load(Contents(path, files)).family
    return Demonstration(family, {name: Head(*head) for name, head in heads.items()})


class Demonstration:
    """A family, a vocabulary of four letters, and the text laid out.

    Raises UsageError where the family has no layout for plain texts.
    """

    def __init__(self, family: Family, heads: Mapping[str, Head]) -> None:
        if "text" not in family.layouts:
            raise UsageError(f"{family.name} has no layout `text`, and the example is a text")
        self.family, self.heads = family, heads
        self.objective = inspect.getdoc(getattr(family.loss, "func", family.loss)) or ""
        self.params = {name: [_declared(one) for one in own] for name, own in family.params.items()}
        self.decoder = next(iter(family.decoders))
        self.law = str(family.samples[self.decoder])
        names = [*SPECIALS, *(one for one in family.specials if one not in SPECIALS)]
        self.words = [*names, *LETTERS]
        ids = {name: i for i, name in enumerate(names)}
        self.vocab = Vocabulary(len(self.words), ids)
        self.layout = family.layouts["text"](self.vocab, ROOM)

    def batch(self, rows: int = 1) -> Batch:
        """Lay out so many rows of the text."""
        body = [self.words.index(letter) for letter in LETTERS]
        return self.layout([Example(i, body) for i in range(rows)])

    def noised(self, share: float, counted: bool) -> tuple[list[str], dict[str, float]]:
        """Return rows with this much noise, and how often a token is in each state.

        ``counted``: the family draws how many tokens are corrupted; else the time is set. Empty
        where nothing is corrupted.
        """
        if self.family.corrupt is None:
            return [], {}
        batch = self.batch(DRAWS)
        free = batch.free.sum(1)
        amount = (free * share).round().long() if counted else torch.full((DRAWS,), share).double()
        if self._blocks(batch):
            amount = amount[:, None].expand(batch.x0.shape)  # of the only block of so short a text
        noised = self._corrupted(batch, amount)
        rows = [self.row(one) for one in noised.xt[:SHOWN]]
        if hasattr(noised, "changed"):
            return rows, self._edited(noised)
        masked = noised.xt == self.vocab["mask"]
        if _holds(noised):
            masked &= batch.x0 >= self.words.index(LETTERS[0])
        there = int((noised.xt >= self.words.index(LETTERS[0])).sum())
        struck = int((noised.struck & ~masked).sum()) if _unmarked(noised) else 0
        masks, total = int(masked.sum()), DRAWS * len(LETTERS)
        gone = total - there - masks
        seen = Counter(clean=there - struck, random=struck, mask=masks, gone=gone)
        return rows, {name: count / total for name, count in seen.items() if count}

    def _edited(self, noised: Any) -> dict[str, float]:
        """Return how many of the tokens of a text are edited on the way to a draft."""
        total = DRAWS * len(LETTERS)
        gone, other = int(noised.gone.sum()), int(noised.changed.sum())
        seen = {"clean": total - gone - other, "another one": other, "gone": gone}
        return {name: count / total for name, count in seen.items()}

    def sample(self) -> tuple[tuple[tuple[int, str], ...], int | None]:
        """Draw a sample of the default decoder, with a network that knows the text.

        Gives the rows on the way with the numbers of their steps, those that repeat the one before
        left out, and the number of steps where the decoder takes one.
        """
        allowed = self.vocab.allowed(self.layout.predicts)
        make_network, text = self.family.network, self.batch()
        edits = any(head.kind in EDITS for head in self.heads.values())
        make_known = Editor if edits else Known
        network = make_known(make_network, self.vocab, allowed, self.heads, text, self._unmarked())
        params = {one.name for one in self.family.params.get(self.decoder, ())}
        steps = {"steps": STEPS} if "steps" in params else {}
        make: Any = self.family.decoders[self.decoder](**steps)
        batch = self._blank()
        made = make(facade(network.eval()), batch, Noise(1, batch.example), ROOM, True)
        return _changes([self.row(one[0]) for one in made.history]), STEPS if steps else None

    def _blank(self) -> Batch:
        """Lay out the text as a decoder gets it: its draft, where it begins with one."""
        if self.family.draft is None:
            return self.batch()
        body = [self.words.index(letter) for letter in LETTERS]
        (text,) = copied(self.family, self.layout, self.vocab, [Example(0, body)])
        return self.layout([replace(text, body=text.draft or ())])

    def _unmarked(self) -> bool:
        """Return whether a token has its place in the text, whatever is visible."""
        if self.family.corrupt is None or self.family.amount is None:
            return False
        batch, noise = self.batch(), Noise(1, self.batch().example)
        return _holds(self._corrupted(batch, self.family.amount(batch, noise)))

    def _corrupted(self, batch: Batch, amount: Tensor) -> Any:
        """Corrupt a batch, with a network as it is before training."""
        allowed = self.vocab.allowed(self.layout.predicts)
        network = self.family.network(self.vocab, allowed, ModelSize(1, 8, 1))
        noise = Noise(1, batch.example)
        return self.family.noised(batch, amount, noise, self.vocab, network)

    def _blocks(self, batch: Batch) -> bool:
        """Return whether each block has an amount of noise of its own."""
        make: Any = self.family.amount
        return bool(make(batch, Noise(1, batch.example)).dim() > 1)

    def row(self, ids: Tensor) -> str:
        """Write a row as words, without padding."""
        words = [self.words[id] for id in ids.tolist() if id != self.vocab["pad"]]
        return " ".join("[MASK]" if word == "mask" else word for word in words)


def _unmarked(noised: object) -> bool:
    """Return whether a noised batch has random tokens, which nothing marks."""
    return hasattr(noised, "struck")


def _holds(noised: object) -> bool:
    """Return whether the first tokens of a text hold their places, whatever is still to come."""
    return _unmarked(noised) or hasattr(noised, "block")


def _changes(states: Sequence[str]) -> tuple[tuple[int, str], ...]:
    """Number the states, without those that repeat the one before."""
    pairs = zip(["", *states[:-1]], states, strict=True)
    return tuple((i, now) for i, (before, now) in enumerate(pairs) if now != before)


def _declared(param: Param) -> str:
    """Write a param as a spec declares it, without the word ``param``."""
    if param.options:
        return f"{param.name} = {' | '.join(param.options)}"
    return f"{param.name} : {param.kind} = {param.default:g}"
