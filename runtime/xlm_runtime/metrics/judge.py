"""A published causal language model that scores generated texts."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F

from xlm_runtime import tokenizers
from xlm_runtime.data.hub import reaching
from xlm_runtime.shapes import Float, Int, Tensor
from xlm_runtime.system.env import device
from xlm_runtime.system.errors import UsageError
from xlm_runtime.tokenizers import Tokenizer

_BATCH = 8
_INSTEAD = "name a local judge: a folder with config.json, weights and tokenizer"


def check(name: str, option: str) -> None:
    """Check that a judge model exists, without fetching weights.

    Raises UsageError or RunError.
    """
    if not name:
        raise UsageError(
            f"{option}: name the model that judges, as in {option}=gpt2-large, or a folder"
        )
    _read(name, "AutoConfig")


@lru_cache(maxsize=1)
def load(name: str) -> "Judge":
    """Return the judge of a name; metrics with the same judge share it."""
    return Judge(name)


class Judge:
    """A causal language model in float32, by its name on the Hub or its folder.

    Texts are read in the judge's own tokens, without any special one but its end of a text between
    the documents of one row. Raises RunError where it cannot be had, UsageError where it is none.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._tokenizer = _tokenizer(name)
        made = _read(name, "AutoModelForCausalLM", dtype=torch.float32)
        self._model = made.to(device()).eval()
        about = self._model.config
        self.context: int = getattr(about, "max_position_embeddings", 1024)
        end = about.eos_token_id
        self._end: list[int] = [end] if isinstance(end, int) else list(end or ())[:1]
        if not self._causal():
            raise UsageError(
                f"{name} is no causal language model: its prediction of a token depends on later "
                f"ones"
            )

    def nats(self, texts: Sequence[Sequence[str]]) -> list[tuple[float, int]]:
        r"""Return nats :math:`-\sum_{i \ge 2} \log p(x_i | x_{<i})` and scored tokens of each text.

        A text is a list of documents. The first token is context only, since it has no context
        itself (as in the loss of transformers and in the numbers of SEDD and MDLM). Texts beyond
        the judge's context are read in windows that begin with the last token of the one before,
        so that every later token is scored once.
        """
        found = [(0.0, 0)] * len(texts)
        windows = [
            (place, window)
            for place, ids in enumerate(self._read(texts))
            for window in self._windows(ids)
        ]
        for part in _parts(windows):
            for (place, window), nats in zip(part, self._score([w for _, w in part]), strict=True):
                before, tokens = found[place]
                found[place] = before + nats, tokens + len(window) - 1
        return found

    def features(self, texts: Sequence[Sequence[str]]) -> Float[Tensor, "texts width"]:
        """Return the last hidden state at the last token of each text, cut to the context."""
        rows = [ids[: self.context] for ids in self._read(texts)]
        found = []
        for part in _parts(rows):
            ids, there = _padded(part)
            with torch.no_grad():
                out = self._model.base_model(**self._given(ids, there)).last_hidden_state
            last = there.sum(1).to(out.device) - 1
            found.append(out[torch.arange(len(part)), last].float().cpu())
        return torch.cat(found)

    def _read(self, texts: Sequence[Sequence[str]]) -> Iterator[list[int]]:
        """Yield the ids of each text, its documents separated by the judge's end of text."""
        every = iter(self._tokenizer.encode_all([one for text in texts for one in text]))
        for text in texts:
            ids = next(every)
            for _ in text[1:]:
                ids = [*ids, *self._end, *next(every)]
            yield ids

    @torch.no_grad()
    def _causal(self) -> bool:
        """Return whether changing the last token leaves the logits of earlier ones unchanged."""
        rows = torch.tensor([[1, 2, 3, 4], [1, 2, 3, 5]])
        said = self._model(**self._given(rows, torch.ones_like(rows))).logits[:, :3].float()
        return bool(torch.allclose(said[0], said[1], rtol=1e-3, atol=1e-3))

    def _windows(self, ids: Sequence[int]) -> Iterator[Sequence[int]]:
        step = self.context - 1
        starts = range(0, len(ids) - 1, step)  # none for a text of a single token
        return (ids[start : start + self.context] for start in starts)

    @torch.no_grad()
    def _score(self, rows: Sequence[Sequence[int]]) -> list[float]:
        """Return the nats of each row, without its first token."""
        ids, there = _padded(rows)
        given = self._given(ids, there)
        logits = self._model(**given).logits[:, :-1].float()
        following = given["input_ids"][:, 1:]
        nats = F.cross_entropy(logits.transpose(1, 2), following, reduction="none")
        kept = given["attention_mask"][:, 1:]
        return [float(total) for total in (nats.double() * kept).sum(1)]

    def _given(self, ids: Int[Tensor, "rows length"], there: Tensor) -> dict[str, Tensor]:
        where = self._model.device
        return {"input_ids": ids.to(where), "attention_mask": there.long().to(where)}


def _padded(rows: Sequence[Sequence[int]]) -> tuple[Int[Tensor, "rows length"], Tensor]:
    """Pad rows on the right, where a causal model does not look; return also the padding mask."""
    longest = max(map(len, rows))
    ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])
    there = torch.arange(longest) < torch.tensor([[len(row)] for row in rows])
    return ids, there


def _parts(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH))


def _read(name: str, kind: str, **options: Any) -> Any:
    """Load a part of a judge with transformers, from the Hub or a folder."""
    import transformers

    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    local = Path(name).is_dir()
    wrong = (ValueError, OSError) if local else ValueError
    with nullcontext() if local else reaching(f"the judge {name}", _INSTEAD):
        try:
            return getattr(transformers, kind).from_pretrained(
                name, local_files_only=local, trust_remote_code=False, **options
            )
        except wrong as error:
            raise UsageError(f"{name} is no causal language model: {error}") from error


def _tokenizer(name: str) -> Tokenizer:
    try:
        return tokenizers.pretrained(name, (), _INSTEAD)
    except UsageError as error:
        raise UsageError(f"the judge {name} comes without a tokenizer: {error}") from error
