"""The options of ``xlmc generate``, and what they must be."""

from pathlib import Path

from attrs import frozen

from xlm_runtime.config.settings import Setting, parse_sets
from xlm_runtime.packages.trust import DOUBT, Trust
from xlm_runtime.system import bounds
from xlm_runtime.system.errors import UsageError
from xlm_runtime.system.strict import mistakes, short

_LONG = 60  # seconds that a state may be shown


@frozen(kw_only=True)
class Options:
    """The options of a command that generates, as they were given.

    what: the run, see `run.named`. number: candidates for each prompt. agreed: ``--trust``.
    """

    what: str
    prompts: tuple[str, ...] = ()
    infills: tuple[str, ...] = ()
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
    live: bool = False
    pause: float = 0.05
    ckpt: str = "best"
    trust: Trust = DOUBT
    agreed: bool = False

    @property
    def scored(self) -> bool:
        """True if likelihoods are computed: they rank distinct candidates."""
        return self.likelihood or self.distinct

    def settings(self) -> list[Setting]:
        """Return the settings of the decoder.  Raises UsageError for others."""
        found = parse_sets(self.sets)
        for one in found:
            if one.path != "decoder" and not one.path.startswith("decoder."):
                raise UsageError(
                    f"{one.origin}: only the decoder can be set here, as in --set "
                    "decoder.temperature=0.7; the rest is that of the run"
                )
        if self.decoder is not None:
            found.insert(0, Setting("decoder", self.decoder, f"--decoder {self.decoder}"))
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
        name = "--distinct" if options.distinct else "--likelihood"
        raise UsageError(f"{name}: a likelihood is that of whole texts; leave --stop out")
    if options.scored and options.draws < 2:
        raise UsageError("--draws 1: a standard error needs at least 2 draws")
    if not 0 <= options.pause <= _LONG:  # NaN is neither
        raise UsageError(f"--pause {options.pause}: from 0 to {_LONG} seconds")
    options.settings()
