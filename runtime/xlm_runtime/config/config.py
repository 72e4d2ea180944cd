"""The configuration of a run: its sections and their defaults."""

import json
from typing import Any, Literal

from attrs import field, frozen

from xlm_runtime.plug import ModelSize
from xlm_runtime.system import bounds
from xlm_runtime.system.bounds import Scale, Share
from xlm_runtime.system.env import Wanted
from xlm_runtime.system.errors import UsageError
from xlm_runtime.system.strict import converter, mistakes

_SHOWN = 100  # characters of a setting that messages repeat
SIZES = {"tiny": (3, 64, 4), "small": (6, 384, 6), "base": (12, 768, 12)}  # layers, width, heads


@frozen(kw_only=True)
class Model:
    """The backbone.

    size: the defaults of layers, width and heads: tiny 3, 64, 4; small 6, 384, 6; base 12, 768, 12.
    layers: the blocks of the network; follows from ``size`` where it is not set.
    width: the numbers of a hidden state, a multiple of twice ``heads``; follows from ``size`` where
        it is not set.
    heads: the attention heads of a block; follows from ``size`` where it is not set.
    dropout: the share of what attention and feed-forward layers answer that training drops.
    attention_dropout: the share of attention weights that training drops; the same as ``dropout``
        where it is not set.
    rotary_base: the wavelengths of rotary positions go up to 2 pi times this many tokens.
    pretrained: published weights to start from, a repository of the Hub or a folder; they decide
        the size. ``published`` means those that the spec names; empty for none.
    init: the weights of a run, a file, a folder or the Hub that training starts from; `--init` sets
        it.
    init_map: a JSON file that maps names of weights to those of ``init``; `--init-map` sets it.
    dtype: the type of the weights.
    """

    size: Literal["tiny", "small", "base"] = "small"
    layers: bounds.Layers = SIZES["small"][0]
    width: bounds.Width = SIZES["small"][1]
    heads: bounds.Heads = SIZES["small"][2]
    dropout: bounds.Kept = 0.0
    attention_dropout: bounds.Kept = 0.0
    rotary_base: bounds.Base = 10_000.0
    pretrained: str = ""
    init: str = ""
    init_map: str = ""
    dtype: Literal["float32", "bfloat16"] = "float32"

    @property
    def shape(self) -> ModelSize:
        """Return what a family builds its network from."""
        return ModelSize(
            layers=self.layers,
            width=self.width,
            heads=self.heads,
            dropout=self.dropout,
            attention_dropout=self.attention_dropout,
            rotary_base=self.rotary_base,
        )


@frozen(kw_only=True)
class Train:
    """The training loop.

    batch: examples per step, all devices and accumulated parts together.
    device_batch: the largest part that a device takes at once; 0 for all of it.
    devices: the processes that share a step, one for each device of a machine.
    nodes: the machines that share a step, whose processes torchrun or srun starts.
    strategy: ``ddp``, each device has all weights; ``fsdp``, each has its share of weights,
        gradients, moments and average, and gathers a block to compute it. `--strategy` sets it.
    steps: the updates of the weights.
    optimizer: ``adamw``; ``muon`` for the matrices of the blocks, with AdamW for all other weights;
        ``schedule_free``, AdamW that averages the weights itself, so that ``ema`` is not used; or
        PACKAGE.MODULE:NAME, a class or function that takes groups of weights and ``lr``, as
        ``torch.optim:SGD``.
    learning_rate: the size of an update, at its largest.
    schedule: the learning rate after the warm-up: it stays, or falls to ``min_rate`` along half a
        cosine or a line.
    warmup: the steps in which the learning rate rises from 0.
    min_rate: where the schedule ends, as a share of ``learning_rate``.
    weight_decay: the share of a weight that an update takes away, times the learning rate; not of
        biases and norms.
    clip: the largest norm of the gradient; 0 for no clipping.
    ema: the share of the averaged weights that stays at a step; evaluation and generation use these
        weights.
    precision: ``auto`` is bf16-mixed on a GPU that computes in bfloat16, else 32-true; losses and
        what heads answer are float32 in all of them. A run keeps the one that it began with.
    compile: the loss is compiled by torch.compile.
    recompute: what blocks of the network have computed is not kept for the backward pass, but
        computed again: less memory for about a third more time.
    lora: the rank of adapters that are trained in the place of the matrices of the backbone; 0 for
        none.
    lora_alpha: what adapters add is scaled by it, and divided by their rank.
    lora_bits: the bits to which the matrices beside adapters are rounded; 0 for whole ones.
    seed: of the first weights, the order of the data, noise, dropout and samples.
    workers: the processes that prepare batches; 0 for the training process itself.
    validate_every: the steps between validations.
    validate_examples: how many held-out examples a validation reads; 0 for all.
    decode_examples: how many held-out examples each validation decodes and judges by the metrics of
        the task; 0 for none.
    best: which checkpoint is the best: that of the least validation ``loss``, of the least term of
        it or metric of ``decode_examples``, by its name; or of the largest, by ``max:NAME``.
    patience: training ends after so many validations none of which was the best; 0 for never.
    checkpoint_every: the steps between checkpoints.
    keep_every: checkpoints at multiples of it are kept for ever; 0 for none but last and best.
    log_every: the steps between lines of the log.
    loggers: beside the CSV and TensorBoard files that every run writes: ``wandb``, ``mlflow`` or
        PACKAGE.MODULE:NAME, an instance of a Lightning Logger; or several as a JSON list.
    callbacks: PACKAGE.MODULE:NAME, an instance of a Lightning Callback, or several as a JSON list.
    profiler: one of Lightning's; it writes ``logs/fit-profile*`` in the folder of the run.
    """

    batch: bounds.Batch = 64
    device_batch: bounds.Part = 0
    devices: bounds.Devices = 1
    nodes: bounds.Nodes = 1
    strategy: bounds.Strategy = "ddp"
    steps: bounds.Steps = 10_000
    optimizer: str = "adamw"
    learning_rate: bounds.Rate = 1e-3
    schedule: Literal["constant", "cosine", "linear"] = "constant"
    warmup: bounds.Often = 0
    min_rate: Share = 0.0
    weight_decay: Scale = 0.01
    clip: Scale = 1.0
    ema: Share = 0.9999
    precision: Wanted = "auto"
    compile: bool = False
    recompute: bool = False
    lora: bounds.Rank = 0
    lora_alpha: Scale = 16.0
    lora_bits: Literal[0, 8, 4] = 0
    seed: bounds.Seed = 1
    workers: bounds.Workers = 0
    validate_every: bounds.Steps = 500
    validate_examples: bounds.Examples = 1024
    decode_examples: bounds.Examples = 0
    best: str = "loss"
    patience: bounds.Waits = 0
    checkpoint_every: bounds.Steps = 500
    keep_every: bounds.Often = 0
    log_every: bounds.Steps = 50
    loggers: str = ""
    callbacks: str = ""
    profiler: Literal["none", "simple", "advanced", "pytorch"] = "none"

    def listed(self, which: Literal["loggers", "callbacks"]) -> tuple[str, ...]:
        """Return the names in a setting.  Raises ValueError where it is no list of strings."""
        return strings(getattr(self, which), f"an entry of {which}")

    @property
    def processes(self) -> int:
        """Return the number of processes that share a step, on all machines."""
        return self.devices * self.nodes

    @property
    def accumulate(self) -> int:
        """Return the number of parts of a step that each device takes one after another."""
        return self.batch // (self.processes * self.part)

    @property
    def part(self) -> int:
        """Return the number of examples that a device takes at once."""
        share = self.batch // self.processes
        return min(self.device_batch or share, share)


@frozen(kw_only=True)
class Eval:
    """Evaluation.

    batch: examples that are evaluated at once; it changes no result.
    draws: noise draws per example of a likelihood.
    examples: how many examples to read; 0 for all.
    samples: how many texts to generate for the metrics of a task of plain texts.
    oracle: each answer gets the length of the true one, here and in generation; without it,
        lengths that the layout does not predict are drawn from those of the training data.
    metrics: a metric beside those of the task, or several as a JSON list; `--metric` sets it.
    """

    batch: bounds.Batch = 64
    draws: bounds.Draws = 4
    examples: bounds.Examples = 0
    samples: bounds.Some = 256
    oracle: bool = False
    metrics: str = ""

    @property
    def asked(self) -> tuple[str, ...]:
        """The metrics of ``metrics``.  Raises ValueError where it is no list of strings."""
        return strings(self.metrics, "a metric")


@frozen(kw_only=True)
class Generate:
    """Generation.

    count: how many texts to generate, or prompts to answer.
    batch: texts that are generated at once; it changes no result.
    samples: how many texts each validation shows.
    history: the states on the way are written beside each text.
    length: the number of tokens of each text that is generated, where the family does not decide it
        itself; 0 for numbers drawn from those of the training data.
    stop: a string at which a generated text is cut, or several as a JSON list. What is evaluated is
        cut there as well.
    suppress: a token that is never written, or several as a JSON list; those that remain are scored
        and drawn as if there were no others.
    """

    count: bounds.Some = 16
    batch: bounds.Batch = 64
    samples: bounds.Examples = 2
    history: bool = False
    length: bounds.Room = 0
    stop: str = ""
    suppress: str = ""

    @property
    def suppressed(self) -> tuple[str, ...]:
        """The tokens of ``suppress``.  Raises ValueError where it is no list of strings."""
        return strings(self.suppress, "a token")

    @property
    def stops(self) -> tuple[str, ...]:
        """The strings of ``stop``.  Raises ValueError where it is no list of strings."""
        return strings(self.stop, "a string to stop at")


@frozen(kw_only=True)
class Data:
    """The data.

    block: the largest number of tokens of a body; 0 for the task's own.
    prompt: the largest number of tokens of a prompt; 0 for the task's own.
    made: problems are made, with preset paper too, where others were published.
    stream: texts for training are read and encoded as they are needed, never as a whole.
    window: the consecutive rows of a stream that are shuffled among each other; 1 for their order.
    seed: of generated data, so that runs of different seeds learn from the same.
    tokenizer: a name on the Hub, a local file or folder, ``bpe:N`` (trained on the texts) or
        ``letters:ALPHABET``; empty for the task's own. `--tokenizer` sets it.
    columns: what to read from ``--data``, as ``text=body`` or ``prompt=question,target=answer``,
        with ``draft=COLUMN`` for families that repair; `--columns` sets it.
    chat: prompts are put into the tokenizer's own chat template.
    """

    block: bounds.Room = 0
    prompt: bounds.Room = 0
    made: bool = False
    stream: bool = False
    window: bounds.Batch = 10_000
    seed: bounds.Seed = 1
    tokenizer: str = ""
    columns: str = ""
    chat: bool = False

    @property
    def roles(self) -> dict[str, str]:
        """``columns`` by role."""
        return roles(self.columns)


@frozen(kw_only=True)
class Decoder:
    """The chosen decoder of the family and its params."""

    name: str
    params: dict[str, Any]


@frozen(kw_only=True)
class Config:
    """Everything that a run may choose."""

    model: Model
    train: Train
    eval: Eval
    generate: Generate
    data: Data
    loss: dict[str, Any]
    decoder: Decoder
    noise: dict[str, Any] = field(factory=dict)  # runs of families without params have none

    def to_json(self) -> dict[str, Any]:
        """Return the configuration as plain values, section by section."""
        plain: dict[str, Any] = converter.unstructure(self)
        return plain

    @staticmethod
    def from_json(plain: object, where: str) -> "Config":
        """Build a configuration from plain values, the inverse of `to_json`.

        Raises UsageError naming every key that does not fit.
        """
        found = mistakes(plain, Config)
        if found:
            raise UsageError("\n".join(f"{where}: {line}" for line in found))
        return converter.structure(plain, Config)


def roles(columns: str) -> dict[str, str]:
    """Parse ``prompt=question,target=answer`` into columns by role.

    Raises UsageError for anything else.
    """
    found: dict[str, str] = {}
    for part in filter(None, columns.split(",")):
        role, _, column = (text.strip() for text in part.partition("="))
        if not role or not column:
            raise UsageError(f"--columns {columns}: write it as ROLE=COLUMN, as in text=body")
        if role in found:
            raise UsageError(
                f"--columns {columns}: {role} is given twice, as {found[role]} and {column}"
            )
        found[role] = column
    return found


SECTIONS = {"model": Model, "train": Train, "eval": Eval, "generate": Generate, "data": Data}


def strings(text: str, noun: str) -> tuple[str, ...]:
    """Parse one string, or a JSON list of strings.

    Raises ValueError for a list of anything else.
    """
    if len(text) > bounds.TEXT:
        raise ValueError(f"{len(text):,} characters, and at most {bounds.TEXT:,} are read")
    if not text.startswith("["):
        return (text,) if text else ()
    try:
        found = json.loads(text)
    except RecursionError:
        raise ValueError("a list within a list within many more") from None
    if not all(isinstance(one, str) and one for one in found):
        raise ValueError(f"{noun} is a text that is not empty")
    return tuple(found)
