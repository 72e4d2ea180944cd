"""The options of ``xlmc generate``, and what they must be."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from attrs import frozen

from xlm_runtime.config.settings import Setting, parse_sets
from xlm_runtime.packages.trust import DOUBT, Trust
from xlm_runtime.system import bounds
from xlm_runtime.system.errors import UsageError
from xlm_runtime.system.strict import mistakes, short

_PUBLISHED: Mapping[str, tuple[str, Any]] = {
    "data.prompt": ("prompt", bounds.Room),
    "data.block": ("body", bounds.Some),
    "data.chat": ("chat", bool),
    "model.dtype": ("dtype", Literal["float32", "bfloat16"]),
}
_LONG = 60  # seconds that a state may be shown


@frozen(kw_only=True)
class Options:
    """The options of a command that generates, as they were given.

    what: the run, see `run.named`. number: candidates for each prompt. agreed: ``--trust``.
    """

    what: str
    prompts: tuple[str, ...] = ()
    infills: tuple[str, ...] = ()
    drafts: tuple[str, ...] = ()
    file: Path | None = None
    length: int | None = None
    number: int = 1
    seed: int = 1
    decoder: str | None = None
    sets: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    suppressed: tuple[str, ...] = ()
    batch: int = 64
    out: Path | None = None
    likelihood: bool = False
    draws: int = 32
    distinct: bool = False
    best: bool = False
    live: bool = False
    pause: float = 0.05
    ckpt: str = "best"
    weights: str | None = None
    trust: Trust = DOUBT
    agreed: bool = False

    @property
    def scored(self) -> bool:
        """True if likelihoods are computed: they rank candidates."""
        return self.likelihood or self.ranked

    @property
    def ranked(self) -> bool:
        """True if repeats among candidates are left out, and the likeliest comes first."""
        return self.distinct or self.best

    @property
    def kept(self) -> int:
        """The number of texts that a prompt has, counting repeats."""
        return 1 if self.best else self.number

    def settings(self) -> list[Setting]:
        """Return the settings of the decoder.  Raises UsageError for others."""
        every = parse_sets(self.sets)
        found = [one for one in every if one.path.partition(".")[0] == "decoder"]
        for one in every:
            if one in found or (self.weights is not None and one.path in _PUBLISHED):
                continue
            raise UsageError(
                f"{one.origin}: only the decoder can be set here, as in --set "
                f"decoder.temperature=0.7; with --weights also {', '.join(_PUBLISHED)}"
            )
        if self.decoder is not None:
            found.insert(0, Setting("decoder", self.decoder, f"--decoder {self.decoder}"))
        return found

    def published(self) -> dict[str, Any]:
        """Return the settings of published weights by the names of `trained.published`.

        Raises UsageError for values of the wrong kind.
        """
        found = {}
        for one in parse_sets(self.sets):
            if one.path in _PUBLISHED:
                name, kind = _PUBLISHED[one.path]
                for line in mistakes(one.value, kind):
                    raise UsageError(f"{one.origin}: {line}")
                found[name] = one.value
        return found


def check(options: Options) -> None:
    """Check what needs no model.  Raises UsageError."""
    for name, value, kind in (
        ("--num", options.number, bounds.Batch),
        ("--seed", options.seed, bounds.Seed),
        ("--batch", options.batch, bounds.Batch),
        ("--draws", options.draws, bounds.Draws),
        *([("--length", options.length, bounds.Some)] if options.length is not None else []),
    ):
        for line in mistakes(value, kind):
            raise UsageError(f"{name} {short(value)}: {line}")
    for name, texts in (("--stop", options.stops), ("--suppress", options.suppressed)):
        if "" in texts:
            raise UsageError(f"{name}: a text that is not empty; leave {name} out for none")
    if options.scored and options.stops:
        name = "--distinct" if options.distinct else "--best" if options.best else "--likelihood"
        raise UsageError(f"{name}: a likelihood is that of whole texts; leave --stop out")
    if options.best and options.number < 2:
        raise UsageError(
            "--best is the likeliest of several candidates: set --num, to 8 for instance"
        )
    if options.scored and options.draws < 2:
        raise UsageError("--draws 1: a standard error needs at least 2 draws")
    if not 0 <= options.pause <= _LONG:  # NaN is neither
        raise UsageError(f"--pause {options.pause}: from 0 to {_LONG} seconds")
    if options.weights is not None and options.ckpt != "best":
        raise UsageError("--ckpt names a checkpoint of a run; leave it out with --weights")
    options.settings()
    options.published()
