"""A trained model from Python: texts from prompts, and the states on the way."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from xlm_runtime.config.config import Config
from xlm_runtime.config.settings import Setting, build
from xlm_runtime.data.lengths import Lengths
from xlm_runtime.model import adapted, generate, layouts, remote, scores
from xlm_runtime.model.generate import Sample
from xlm_runtime.model.model import Model
from xlm_runtime.model.published import is_part, save
from xlm_runtime.model.scores import LogLikelihood
from xlm_runtime.plug import Family
from xlm_runtime.plug.adapted import DECODERS
from xlm_runtime.system.arguments import each, full, strings, texts_for, whole
from xlm_runtime.system.aside import replacing
from xlm_runtime.system.progress import say
from xlm_runtime.tokenizers import Tokenizer
from xlm_runtime.use import requests
from xlm_runtime.use.requests import Prompter
from xlm_runtime.use.texts import Perplexity, Scorer, perplexity


@frozen(eq=False, repr=False)
class Loaded:
    """A trained model with its tokenizer.

    prompt: the room for the tokens of a prompt; 0 where the task has none.
    lengths: of bodies, from which an open length is drawn.
    published: the config of the published weights that it began with.
    """

    model: Model
    tokenizer: Tokenizer
    config: Config
    prompt: int
    lengths: Lengths
    published: Mapping[str, Any] | None = None

    def publish(self, folder: str | Path) -> None:
        """Write the weights in the format of published ones, with the tokenizer.

        An existing folder is replaced in one step; files that are no part of the format stay in
        it. A line is printed if transformers reads the folder as a model of another attention, as
        it does for a decoder that sees both sides. A backbone without such a format is written with
        its code, which ``AutoModel.from_pretrained(..., trust_remote_code=True)`` loads. Raises
        UsageError where neither is possible, RunError if the disk refuses.
        """
        form, network = self.model.family.published, self.model.network
        if form is None:
            self._publish_code(Path(folder))
            return
        size = self.model.vocabulary.size
        about = self.published or form.config(self.config.model.shape, size)
        if (layout := layouts.of(about)) and layout.config:
            about = layout.config(about)
        about = {**about, "vocab_size": max(size, about["vocab_size"])}
        with replacing(Path(folder), is_part) as beside:
            if form.head:
                adapted.save(network, form, about, beside)
            else:
                save(network, form.names, about, beside)
            self.tokenizer.save(beside)
        if why := _misread(self.model.family, about):
            say(f"{folder}: {why}: read it with xlm_runtime.pretrained(PACKAGE, {str(folder)!r})")

    def _publish_code(self, folder: Path) -> None:
        code = remote.names(self.model.network)
        with replacing(folder, lambda name: is_part(name) or name in code) as beside:
            remote.save(self.model, self.config.model.shape, beside)
            self.tokenizer.save(beside)

    def generate(
        self,
        prompts: str | Sequence[str] = "",
        *,
        seed: int = 1,
        batch: int = 64,
        decoder: str | None = None,
        stop: str | Sequence[str] = (),
        suppress: str | Sequence[str] = (),
        length: int | Sequence[int] | None = None,
        draft: str | Sequence[str] | None = None,
        **params: float | int | str,
    ) -> list[str]:
        """Generate one text for each prompt, always as a list; a single string is one prompt.

        A text ends before the first of the strings ``stop``, which are searched for behind the
        given tokens. ``suppress`` names tokens that are never written. ``decoder``, ``params``,
        ``stop`` and ``suppress`` override those of the run. ``length``, for all or for each, is
        the number of tokens of a text, the given ones included, if the family does not decide it
        itself; else it is drawn from the lengths of training texts that exceed the given tokens.

        If the task has no prompts, an empty prompt requests any text, and another one a text that
        begins with it. A text may have holes to fill, ``[MASK*3]`` or ``[GAP]``
        (`xlm_runtime.model.holes` explains also how to escape these); the rest of it stays. Raises
        UsageError for arguments of the wrong kind, a prompt that is too long, and a hole that the
        family cannot fill.

        A family whose noise has ``draft ~ copy(RATE)`` makes a text of a ``draft``, one for all
        prompts or for each, and needs it; what a prompt gives of the text stays before it. Others
        refuse one.
        """
        stops = full("stop", stop, "a string to stop at") or self.config.generate.stops
        model = self._called(decoder, params, stops, suppress)
        found = self._samples(model, prompts, length, draft, seed, batch)
        return [generate.said(sample, self.tokenizer, stops)[1] for sample in found]

    def history(
        self,
        prompts: str | Sequence[str] = "",
        *,
        seed: int = 1,
        decoder: str | None = None,
        suppress: str | Sequence[str] = (),
        length: int | Sequence[int] | None = None,
        draft: str | Sequence[str] | None = None,
        **params: float | int | str,
    ) -> list[list[str]]:
        """Return the states of each text, from the first to the last, as `generate` makes them.

        A state includes the prompt and visible specials (``<mask>``), but no padding.
        """
        model = self._called(decoder, params, (), suppress)
        return [
            [generate.spelled(state, self.tokenizer) for state in sample.history]
            for sample in self._samples(model, prompts, length, draft, seed, record=True)
        ]

    def log_likelihood(
        self,
        texts: str | Sequence[str],
        prompts: str | Sequence[str] | None = None,
        *,
        draws: int = scores.DRAWS,
        batch: int = 64,
        context: int | None = None,
        draft: str | Sequence[str] | None = None,
    ) -> list[LogLikelihood]:
        """Return the log-likelihood of each text in nats, with its standard error and claim.

        A text is scored as `generate` returns it: the answer to its prompt, or, where the task has
        no prompts, a text that begins with it, of which the rest is scored. ``draws`` of noise are
        averaged, unless nothing is drawn or all noise can be counted. A text beyond the room is
        scored in windows, each given at least ``context`` tokens before it: half the room by
        default, 0 for none. The value of a text does not depend on other texts.
        A family that makes texts of drafts scores one given its ``draft``, one for all or for each.

        Raises UsageError if the family has no likelihood, or if a text has no token to score, has
        words that the tokenizer lacks, or is an answer that is too long.
        """
        asked = None if prompts is None else strings("prompts", prompts)
        every = strings("texts", texts)
        drafts = None if draft is None else texts_for("draft", draft, len(every))
        return self._scorer(draws, batch, context).scored(every, asked, drafts)

    def pseudo_log_likelihood(
        self,
        texts: str | Sequence[str],
        *,
        draws: int = scores.DRAWS,
        batch: int = 64,
        context: int | None = None,
    ) -> list[LogLikelihood]:
        """Return the sum over tokens of log p(token | all others) of each text.

        Salazar et al. 2020, arXiv:1910.14659. For families that fill a place among given tokens;
        the arguments and errors are those of `log_likelihood`.
        """
        return self._scorer(draws, batch, context).pseudo(strings("texts", texts))

    def perplexity(
        self,
        texts: str | Sequence[str],
        prompts: str | Sequence[str] | None = None,
        **options: Any,
    ) -> Perplexity:
        """Return the perplexity per token of all texts, with `log_likelihood`'s options."""
        return perplexity(self.log_likelihood(texts, prompts, **options))

    def pseudo_perplexity(self, texts: str | Sequence[str], **options: Any) -> Perplexity:
        """Return the pseudo-perplexity per token of all texts; see `pseudo_log_likelihood`."""
        return perplexity(self.pseudo_log_likelihood(texts, **options))

    def __repr__(self) -> str:
        """Describe the loaded model in one line."""
        return f"Loaded{repr(self.model).removeprefix('Model')}"

    @property
    def prompter(self) -> Prompter:
        """The part that prompts become examples by."""
        return Prompter(self.model, self.tokenizer, self.config, self.prompt, self.lengths)

    def deciding(
        self, sets: Sequence[Setting], stops: Sequence[str], suppressed: Sequence[str]
    ) -> Model:
        """Return the model with settings of its decoder, stops and suppressed tokens.

        ``sets`` override those of the run, which hold for the decoder that it chose. Raises
        UsageError.
        """
        chosen, family = self.config.decoder, self.model.family
        name = next((s.value for s in reversed(sets) if s.path == "decoder"), chosen.name)
        before = chosen.params if name == chosen.name else {}
        own = [Setting("decoder", chosen.name, "the run")]
        own += [Setting(f"decoder.{k}", v, "the run") for k, v in before.items()]
        return evolve(
            self.model,
            decoder=build(family, [], [*own, *sets]).decoder,
            ended=generate.ending(self.tokenizer, stops),
            suppressed=self.tokenizer.named(suppressed or self.config.generate.suppressed),
        )

    def _scorer(self, draws: int, batch: int, context: int | None) -> Scorer:
        whole("draws", draws, 2)
        whole("batch", batch, 1)
        if context is not None:
            whole("context", context, 0, self.model.body - 1)
        return Scorer(self.prompter, batch, draws, context)

    def _called(
        self,
        decoder: str | None,
        params: Mapping[str, float | int | str],
        stops: Sequence[str],
        suppress: str | Sequence[str],
    ) -> Model:
        """Return the model as a call wants it."""
        unwanted = full("suppress", suppress, "a token")
        sets = [Setting("decoder", decoder, f"decoder={decoder!r}")] if decoder else []
        sets += [Setting(f"decoder.{k}", v, f"{k}={v!r}") for k, v in params.items()]
        return self.deciding(sets, stops, unwanted)

    def _samples(
        self,
        model: Model,
        prompts: str | Sequence[str],
        length: int | Sequence[int] | None,
        draft: str | Sequence[str] | None,
        seed: int,
        batch: int = 0,
        record: bool = False,
    ) -> Iterator[Sample]:
        texts, prompter = strings("prompts", prompts), self.prompter
        drafts: Sequence[str | None] = [None] * len(texts)
        if draft is not None:
            if not isinstance(draft, str) and len(texts) == 1:  # one prompt for all of them
                texts *= len(strings("draft", draft))
            drafts = texts_for("draft", draft, len(texts))
        size = len(texts) if record else whole("batch", batch, 1)
        lengths: list[int | None] = [None] * len(texts)
        if length is not None:
            prompter.check_length()
            lengths = [*each("length", length, len(texts), 1, model.body)]
        rows = enumerate(zip(texts, lengths, drafts, strict=True))
        wanted = [prompter.request(i, text, n, seed, draft=d) for i, (text, n, d) in rows]
        return requests.samples(model, wanted, max(size, 1), seed, record)


def _misread(family: Family, config: Mapping[str, Any]) -> str:
    """Return how transformers reads a published model otherwise than it is; empty if it does not.

    What is corrupted is seen from both sides, or by blocks.
    """
    kind, onward = config.get("model_type"), family.corrupt is None
    if (kind in DECODERS) == onward:
        return ""
    theirs, ours = ("causal", "sees more") if kind in DECODERS else ("bidirectional", "does not")
    reads = f"AutoModel.from_pretrained reads these weights as a {theirs} {kind}"
    return f"{reads}, and this model {ours}"
