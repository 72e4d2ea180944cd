"""Everything that the jobs of one command share."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from attrs import evolve, frozen
from torch import nn

from xlm_runtime.config.config import Config
from xlm_runtime.data.lengths import Law
from xlm_runtime.model import drafts, generate, memory
from xlm_runtime.model.model import Model, first, load_weights, make, pretrained
from xlm_runtime.model.published import Checkpoint, renamed
from xlm_runtime.packages.package import Package
from xlm_runtime.plug import Example, Family, Vocabulary
from xlm_runtime.run import initial
from xlm_runtime.run.folder.runs import Run
from xlm_runtime.run.initial import BEGAN, Start
from xlm_runtime.run.reports import measured
from xlm_runtime.system.env import device
from xlm_runtime.system.errors import UsageError
from xlm_runtime.system.progress import say
from xlm_runtime.tasks.base.prepared import Prepared, Split
from xlm_runtime.tasks.base.task import Task
from xlm_runtime.train import lora, saved


@frozen(eq=False)
class Session:
    """Everything that the jobs of one command share."""

    package: Package
    task: Task
    prepared: Prepared
    config: Config
    run: Run
    ckpt: str | None
    published: Checkpoint | None = None
    first: Start | None = None
    about: Mapping[str, Any] | None = None  # the config of a network that follows a published one

    def model(self) -> Model:
        """Build a model with fresh weights, of the size of published ones if there are some."""
        return self._ending(make(*self._parts, self.about))

    def empty(self) -> Model:
        """Build a model whose weights take no memory, however large it is."""
        return make(*self._parts, self.about, empty=True, anywhere=True)

    def of_layers(self, count: int) -> Model:
        """Build a model of so many blocks, with fresh weights and all else of the same size.

        Raises UsageError where published weights decide the size.
        """
        if self.published is not None or (self.first is not None and self.about is not None):
            raise UsageError(
                "--job plan with --strategy fsdp builds networks of one and two blocks, and here "
                "published weights decide the size: leave out model.pretrained and --init"
            )
        config = evolve(self.config, model=evolve(self.config.model, layers=count))
        return evolve(self, config=config, about=None).model()

    def decoding(self, model: Model) -> Model:
        """Return a model of the same weights with the decoder of this session."""
        return self._ending(evolve(model, decoder=self.config.decoder))

    def start(self) -> Model:
        """Return the model that training starts from: with weights of others, or fresh ones."""
        if self.first is not None:
            parts = (*self._parts, self.about)
            return initial.load(self.model(), self.first, parts, self.prepared.tokenizer)
        if self.published is None:
            return self.model()
        say(f"published weights: {self.published.name}")
        return self._ending(pretrained(*self._parts, self.published))

    def trainable(self, *, begun: bool = False) -> Model:
        """Return the model that is trained, with its adapters; ``begun``: a state is loaded later.

        Raises UsageError if it does not fit the memory.
        """
        model, train = self.model() if begun else self.start(), self.config.train
        memory.check_training(model.network, model.dtype, train)
        lora.adapt(model.network, train, self._fresh(model.network))
        return model

    def _fresh(self, network: nn.Module) -> list[str]:
        """Return the weights of a network that those which training starts from do not have."""
        if self.first is not None:
            parts = (*self._parts, self.about)
            return [*initial.matched(self.first, parts, self.prepared.tokenizer).drawn]
        names = [name for name, _ in network.named_parameters()]
        if BEGAN in self.run.facts:
            return [name for name in names if name in self.run.facts[BEGAN]["drawn"]]
        return [name for name in names if self.published and not self._had(name)]

    def _had(self, name: str) -> bool:
        """Return whether published weights have a weight."""
        form = self.package.family.published
        if form is None:  # of a layout of their own, which has one head
            return name.startswith("backbone.")
        head = name.startswith(("backbone.", f"{form.head}.")) if form.head else False
        return head or renamed(name, form.names) is not None

    def check(self) -> None:
        """Check that the weights of the checkpoint fit the network.  Raises UsageError."""
        folder = saved.resolve(self.run.checkpoints, self.ckpt or "best")
        load_weights(self.model().network, saved.average(folder))

    def _ending(self, model: Model) -> Model:
        """Set the stop strings and the suppressed tokens of a model's decoders."""
        options, tokenizer = self.config.generate, self.prepared.tokenizer
        ended = generate.ending(tokenizer, options.stops)
        return evolve(model, ended=ended, suppressed=tokenizer.named(options.suppressed))

    @property
    def _parts(self) -> tuple[Family, Vocabulary, str, int, Config]:
        vocabulary, body = self.prepared.tokenizer.vocabulary, self.prepared.body
        return self.package.family, vocabulary, self.task.layout, body, self.config

    def blanks(self, examples: Sequence[Example], model: Model, length: int = 0) -> list[Example]:
        """Return examples without answers, of one ``length`` or, if it is 0, of drawn ones."""
        lengths = Law.of([length] if length else self.prepared.lengths)
        seed, oracle = self.config.train.seed, self.config.eval.oracle and not length
        return list(generate.blank(model, examples, lengths, seed, oracle))

    @property
    def other_data(self) -> bool:
        """True if the run was trained on other data."""
        here = self.prepared.fingerprint
        return bool(self.run.facts.get("content", here) != here)

    @property
    def unasked(self) -> bool:
        """True if any text may be generated: there is neither a question nor a draft."""
        return self.task.layout == "text" and self.package.family.draft is None

    def asked(self, model: Model, count: int, held: Split) -> list[Example]:
        """Return the examples to decode: held-out ones with drafts, or empty ones for any text."""
        if self.unasked:
            return generate.unconditional(count)
        return list(drafts.drafted(model, first(held, count)))

    def loaded(self, folder: Path) -> Model:
        """Load the model with the averaged weights of a checkpoint, or with published ones."""
        if self.published is not None and folder == self.published.folder:
            model = self.start()
            say("they are used as they are: this run has not been trained")
        else:
            model = self.model()
            load_weights(model.network, saved.average(folder))
        model.network.to(device()).eval()
        return model

    def key(self, sections: tuple[str, ...]) -> tuple[Path, str]:
        """Return the checkpoint of a job, and a digest of all that its result depends on."""
        if self.published is not None and not self.run.steps:
            folder = self.published.folder
        else:
            folder = saved.resolve(self.run.checkpoints, self.ckpt or "best")
        plain = self.config.to_json()
        parts = [
            self.package.digest,
            str(folder),
            self.config.generate.stop,
            self.prepared.fingerprint,
            *(plain[s] for s in ("model", "train", "data", "loss", "decoder", *sections)),
            *filter(None, [plain["noise"]]),
            *_prints(self.config.eval.asked),
        ]
        return folder, sha256(json.dumps(parts).encode()).hexdigest()

    def sources(self, folder: Path) -> dict[str, Any]:
        """Return the sources of a result: hashes of package, weights, data and settings."""
        plain, asked = self.config.to_json(), self.config.eval.asked
        marks = {"package": self.package.digest, "weights": measured.weights(folder)}
        marks |= {"data": self.prepared.fingerprint, "model": measured.digest(plain["model"])}
        marks |= {"metrics": measured.digest(_prints(asked))} if asked else {}
        return measured.of(marks, measured.settings(plain))

    def targets(self, asked: Sequence[Example]) -> list[Example | None]:
        """Return the answers of the examples to decode; None for each if any text may be."""
        return [None if self.unasked else example for example in asked]


def _prints(asked: Sequence[str]) -> list[str]:
    """Return what the requested metrics depend on."""
    if not asked:
        return []
    from xlm_runtime.run.jobs.asked import fingerprint

    return fingerprint(asked)
