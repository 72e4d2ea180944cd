"""A trained run from Python: ``xlm_runtime.load("runs/...").generate(["a prompt"])``."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from xlm_runtime import copies, env, generate, holes, package, saved, tokenizers
from xlm_runtime.atomic import read_json
from xlm_runtime.config import Config, Setting, build
from xlm_runtime.errors import UsageError
from xlm_runtime.generate import Sample
from xlm_runtime.lengths import Law, Lengths
from xlm_runtime.model import Model, load_weights, make
from xlm_runtime.model import pretrained as from_published
from xlm_runtime.plug import Example
from xlm_runtime.published import find, save
from xlm_runtime.runs import PUBLISHED, Run, open_run
from xlm_runtime.tokenizers import Tokenizer, before
from xlm_runtime.trust import trusting


@frozen(eq=False)
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
        """Writes the weights in the format of published ones, with the tokenizer.

        Raises UsageError where the backbone has no such format.
        """
        form, network = self.model.family.published, self.model.network
        if form is None:
            raise UsageError(f"the backbone of {self.model.family.name} has no published format")
        size = self.model.vocabulary.size
        about = self.published or form.config(self.config.model.shape, size)
        save(network, form.names, about, Path(folder))
        self.tokenizer.save(Path(folder))

    def generate(
        self,
        prompts: Sequence[str] = ("",),
        *,
        seed: int = 1,
        batch: int = 64,
        decoder: str | None = None,
        stop: Sequence[str] = (),
        suppress: Sequence[str] = (),
        **params: float | int | str,
    ) -> list[str]:
        """One text for each prompt, which ends before the first of the strings ``stop``.

        ``suppress`` names tokens that are not written. ``decoder``, ``params``, ``stop`` and
        ``suppress`` override those of the run.

        Where the task has no prompts, an empty one asks for a text, and any other for one that
        begins with it. A text may have holes to fill, ``[MASK*3]`` or ``[GAP]`` (see
        `xlm_runtime.holes`); the rest of it stays. Raises UsageError for a wrong decoder or param,
        for a prompt that is too long, and for a hole that the family cannot fill.
        """
        stops = stop or self.config.generate.stops
        model = self._deciding(decoder, params, stops, suppress)
        return [
            before(self.tokenizer.decode(self.tokenizer.body(sample.ids)), stops)
            for sample in self._samples(model, prompts, seed, batch)
        ]

    def history(
        self,
        prompts: Sequence[str] = ("",),
        *,
        seed: int = 1,
        decoder: str | None = None,
        suppress: Sequence[str] = (),
        **params: float | int | str,
    ) -> list[list[str]]:
        """The states on the way to each text, from the first to the last, as `generate` makes them.

        Prompts are part of a state, and specials are seen in it (``<mask>``), padding apart.
        """
        model = self._deciding(decoder, params, (), suppress)
        return [
            [generate.spelled(state, self.tokenizer) for state in sample.history]
            for sample in self._samples(model, prompts, seed, len(prompts), record=True)
        ]

    def _samples(
        self, model: Model, prompts: Sequence[str], seed: int, batch: int, record: bool = False
    ) -> Iterator[Sample]:
        examples = [self._example(i, text, seed) for i, text in enumerate(prompts)]
        if any(example.given or example.gaps for example in examples):
            model = self._infilling(model)
        return generate.samples(model, examples, batch, seed, record)

    def _example(self, index: int, text: str, seed: int) -> Example:
        if holes.has_holes(text):
            return self._holed(index, text)
        wrapped = self.config.data.chat and self.prompt
        ids = self.tokenizer.chat(text) if wrapped else self.tokenizer.encode(text)
        room = self.prompt or self.model.body
        if len(ids) > room:
            raise UsageError(
                f"the prompt has {len(ids)} tokens, and there is room for {room}: {text!r}"
            )
        if ids and not self.prompt and self.model.family.inserts:
            behind = [False] * len(ids) + [True]  # nothing goes before the text, or into it
            return Example(index, ids, given=[True] * len(ids), gaps=behind)
        prompt = ids if self.prompt else ()
        open_ = Example(index, (), prompt)
        (blank,) = generate.blank(self.model, [open_], self.lengths, seed)
        if self.prompt or not ids:
            return blank
        rest = [self.model.vocabulary["pad"]] * max(0, len(blank.body) - len(ids))
        return Example(index, [*ids, *rest], given=[True] * len(ids) + [False] * len(rest))

    def _holed(self, index: int, text: str) -> Example:
        """A text with holes, as far as the run can fill them."""
        family, body = self.model.family, self.model.body
        if self.prompt:
            raise UsageError(f"the run answers prompts, and fills no holes: {text!r}")
        made = holes.example(index, text, family, self.tokenizer)
        if len(made.body) > body:
            size = f"{len(made.body)} tokens, and there is room for {body}"
            raise UsageError(f"the text has {size}: {text!r}")
        return made

    def _deciding(
        self,
        decoder: str | None,
        params: dict[str, float | int | str],
        stops: Sequence[str],
        suppress: Sequence[str],
    ) -> Model:
        """The model with the decoder that a call asks for."""
        chosen, family = self.config.decoder, self.model.family
        name = decoder or chosen.name
        before = chosen.params if name == chosen.name else {}
        sets = [Setting("decoder", name, f"decoder={name!r}")]
        sets += [Setting(f"decoder.{k}", v, f"{k}={v!r}") for k, v in (before | params).items()]
        return evolve(
            self.model,
            decoder=build(family, [], sets).decoder,
            ended=generate.ending(self.tokenizer, stops),
            suppressed=self.tokenizer.named(suppress or self.config.generate.suppressed),
        )

    def _infilling(self, model: Model) -> Model:
        """The model with the layout in which some tokens of a body are given."""
        family = model.family
        if "infill" not in family.layouts:
            raise UsageError(
                f"{family.name} has no layout 'infill', so it cannot go on from a text"
            )
        return evolve(model, layout=family.layouts["infill"](model.vocabulary, model.body))


def load(run: str | Path, ckpt: str = "best", *, trust: bool = False) -> Loaded:
    """A run folder, or the folder of one of its checkpoints → the model with averaged weights.

    Raises UsageError where there is no such run or checkpoint, or code that may not run: see
    `xlm_runtime.load`.
    """
    path = Path(run)
    found, folder = _found(path, ckpt)
    config, about = found.config, read_json(found.path / "data.json")
    tokenizer = tokenizers.load(found.path / "tokenizer")
    family = package.load(copies.own(found, trust), trusting(trust)).family
    file = found.path / PUBLISHED
    began = read_json(file) if file.is_file() else None
    model = make(family, tokenizer.vocabulary, about["layout"], about["body"], config, began)
    load_weights(model.network, folder / saved.AVERAGE)
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
    """A package and published weights, as they are.

    ``weights`` is a repository of the Hub or a folder, or ``published`` for what the spec names;
    ``prompt`` and ``body`` are the room for tokens, ``chat`` puts prompts into a chat template;
    ``trust`` lets the package of a run that was pulled run, as for `xlm_runtime.load`.
    Raises UsageError and RunError where package, weights or tokenizer cannot be had or do not fit.
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
