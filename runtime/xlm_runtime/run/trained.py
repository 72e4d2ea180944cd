"""A trained run from Python: ``xlm_runtime.load("runs/...").generate(["a prompt"])``."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from xlm_runtime import tokenizers
from xlm_runtime.config.config import Config
from xlm_runtime.config.settings import Setting, build
from xlm_runtime.data.lengths import Law, Lengths
from xlm_runtime.model import generate, holes, pair
from xlm_runtime.model.generate import Sample
from xlm_runtime.model.model import Model, load_weights, make
from xlm_runtime.model.model import pretrained as from_published
from xlm_runtime.model.published import find, is_part, save
from xlm_runtime.packages import package
from xlm_runtime.packages.trust import trusting
from xlm_runtime.plug import Example
from xlm_runtime.run import copies
from xlm_runtime.run.runs import PUBLISHED, Run, open_run
from xlm_runtime.system import env
from xlm_runtime.system.arguments import each, full, strings, whole
from xlm_runtime.system.aside import replacing
from xlm_runtime.system.atomic import read_json
from xlm_runtime.system.errors import UsageError
from xlm_runtime.tokenizers import Tokenizer
from xlm_runtime.train import saved


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
        it. Raises UsageError if the backbone has no such format, RunError if the disk refuses.
        """
        form, network = self.model.family.published, self.model.network
        if form is None:
            raise UsageError(f"the backbone of {self.model.family.name} has no published format")
        size = self.model.vocabulary.size
        about = self.published or form.config(self.config.model.shape, size)
        with replacing(Path(folder), is_part) as beside:
            save(network, form.names, about, beside)
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
        """
        stops = full("stop", stop, "a string to stop at") or self.config.generate.stops
        model = self._deciding(decoder, params, stops, suppress)
        found = self._samples(model, prompts, length, seed, batch)
        return [generate.said(sample, self.tokenizer, stops)[1] for sample in found]

    def history(
        self,
        prompts: str | Sequence[str] = "",
        *,
        seed: int = 1,
        decoder: str | None = None,
        suppress: str | Sequence[str] = (),
        length: int | Sequence[int] | None = None,
        **params: float | int | str,
    ) -> list[list[str]]:
        """Return the states of each text, from the first to the last, as `generate` makes them.

        A state includes the prompt and visible specials (``<mask>``), but no padding.
        """
        model = self._deciding(decoder, params, (), suppress)
        return [
            [generate.spelled(state, self.tokenizer) for state in sample.history]
            for sample in self._samples(model, prompts, length, seed, record=True)
        ]

    def __repr__(self) -> str:
        """Describe the loaded model in one line."""
        return f"Loaded{repr(self.model).removeprefix('Model')}"

    def _samples(
        self,
        model: Model,
        prompts: str | Sequence[str],
        length: int | Sequence[int] | None,
        seed: int,
        batch: int = 0,
        record: bool = False,
    ) -> Iterator[Sample]:
        texts = strings("prompts", prompts)
        size = len(texts) if record else whole("batch", batch, 1)
        lengths: list[int | None] = [None] * len(texts)
        if length is not None:
            if reason := pair.decides(model.family, model.layout):
                raise UsageError(f"length: {reason}; leave it out")
            lengths = [*each("length", length, len(texts), 1, model.body)]
        asked = [self._example(i, *one) for i, one in enumerate(zip(texts, lengths, strict=True))]
        if any(example.given or example.gaps for example in asked):
            model = self._infilling(model)
        blanks = [
            example
            if holes.has_holes(text)
            else next(generate.blank(model, [example], self.lengths if n is None else [n], seed))
            for text, example, n in zip(texts, asked, lengths, strict=True)
        ]
        return generate.samples(model, blanks, size, seed, record)

    def _example(self, index: int, text: str, length: int | None) -> Example:
        """Build the example of a prompt; its open part is drawn later."""
        if holes.has_holes(text):
            return self._holed(index, text, length)
        text = holes.plain(text)
        wrapped = self.config.data.chat and self.prompt
        ids = self.tokenizer.chat(text) if wrapped else self.tokenizer.encode(text)
        room = self.prompt or self.model.body
        size = f"{len(ids)} tokens, and there is room for {room}"
        if len(ids) > room:
            raise UsageError(f"the prompt has {size}: {text!r}")
        if self.prompt or not ids:
            return Example(index, (), ids)
        if len(ids) == room:
            raise UsageError(f"the text has {size}: no room is left to continue: {text!r}")
        if length is not None and length <= len(ids):
            raise UsageError(
                f"length: {text!r} has {len(ids)} tokens, so that a text of {length} "
                "does not continue it"
            )
        behind = [False] * len(ids) + [True]  # nothing goes before the text, or into it
        return Example(index, ids, given=[True] * len(ids), gaps=behind)

    def _holed(self, index: int, text: str, length: int | None) -> Example:
        """Build the example of a text with holes, as far as the run can fill them."""
        if self.prompt:
            raise UsageError(
                f"this run answers prompts, and fills no holes: {text!r}; write "
                f"{holes.escaped(holes.first(text))} for the text itself"
            )
        if length is not None:
            raise UsageError(f"length: {text!r} has holes, which determine its length")
        return holes.example(index, text, self.model.family, self.tokenizer, self.model.body)

    def _deciding(
        self,
        decoder: str | None,
        params: dict[str, float | int | str],
        stops: Sequence[str],
        suppress: str | Sequence[str],
    ) -> Model:
        """Return the model with the decoder, params, stops and suppressed tokens of a call."""
        chosen, family = self.config.decoder, self.model.family
        unwanted = full("suppress", suppress, "a token")
        name = decoder or chosen.name
        before = chosen.params if name == chosen.name else {}
        sets = [Setting("decoder", name, f"decoder={name!r}")]
        sets += [Setting(f"decoder.{k}", v, f"{k}={v!r}") for k, v in (before | params).items()]
        return evolve(
            self.model,
            decoder=build(family, [], sets).decoder,
            ended=generate.ending(self.tokenizer, stops),
            suppressed=self.tokenizer.named(unwanted or self.config.generate.suppressed),
        )

    def _infilling(self, model: Model) -> Model:
        """Return the model with the layout in which some tokens of a body are given."""
        family = model.family
        if "infill" not in family.layouts:
            raise UsageError(f"{family.name} has no layout 'infill', so it cannot continue a text")
        return evolve(model, layout=family.layouts["infill"](model.vocabulary, model.body))


def load(run: str | Path, ckpt: str = "best", *, trust: bool = False) -> Loaded:
    """Load the model of a run folder, or of one of its checkpoints, with averaged weights.

    Raises UsageError if there is no such run or checkpoint, or its code may not run: see
    `xlm_runtime.load`.
    """
    path = Path(run)
    found, folder = _found(path, ckpt)
    config, about = found.config, found.data
    tokenizer = tokenizers.load(found.tokenizer or found.path / "tokenizer")
    family = package.load(copies.own(found, trust), trusting(trust)).family
    file = found.path / PUBLISHED
    began = read_json(file) if file.is_file() else None
    model = make(family, tokenizer.vocabulary, about["layout"], about["body"], config, began)
    load_weights(model.network, saved.average(folder))
    model.network.to(env.device()).eval()
    lengths = Law.read(about["lengths"], str(found.path / "data.json"))
    return Loaded(model, tokenizer, config, about["prompt"], lengths, began)


def pretrained(
    path: str | Path,
    weights: str | Path = "published",
    *,
    prompt: int = 512,
    body: int = 128,
    chat: bool = False,
    dtype: str = "float32",
    trust: bool = False,
) -> Loaded:
    """Load a package with published weights.

    ``weights`` is a repository of the Hub or a folder, or ``published`` for the one that the spec
    names; ``prompt`` and ``body`` are the room for tokens, ``chat`` puts prompts into a chat
    template; ``trust`` lets the package of a pulled run execute, as for `xlm_runtime.load`. Raises
    UsageError and RunError if package, weights or tokenizer cannot be read or do not fit.
    """
    family = package.load(Path(path), trusting(trust)).family
    repo = family.published.repo if family.published is not None else ""
    name = repo if weights == "published" and repo else str(weights)
    sets = [("model.pretrained", name), ("model.dtype", dtype), ("data.chat", chat)]
    config = build(family, [], [Setting(key, v, f"{key}={v!r}") for key, v in sets])
    checkpoint = find(name, weights=True)
    tokenizer = tokenizers.pretrained(str(checkpoint.folder), family.specials, sharing=True)
    layout = "seq2seq" if prompt and "seq2seq" in family.layouts else "text"
    model = from_published(family, tokenizer.vocabulary, layout, body, config, checkpoint)
    model.network.to(env.device()).eval()
    room = prompt if layout == "seq2seq" else 0
    return Loaded(model, tokenizer, config, room, [body], checkpoint.config)


def _found(path: Path, ckpt: str) -> tuple[Run, Path]:
    if (path / saved.AVERAGE).is_file():
        return open_run(path.absolute().parents[1]), path
    run = open_run(path)
    return run, saved.resolve(run.checkpoints, ckpt)
