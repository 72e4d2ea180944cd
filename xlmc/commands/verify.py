"""``xlmc verify``: checks of the claims of a package."""

from functools import partial
from pathlib import Path

import click

from xlmc.commands.common import runtime, some_path
from xlmc.commands.trust import trust as trusting
from xlmc.commands.trust import trust_option

MOST, MANY = 65_536, 16  # a decoder with more steps takes hours for all its samples


class Steps(click.ParamType):  # type: ignore[type-arg]
    """Numbers of steps, in rising order: 1,4,16."""

    name = "N,N,..."

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Parse the numbers."""
        if isinstance(value, tuple):
            return value
        parts = str(value).split(",")
        known = [int(part) if part.isdecimal() and len(part) < 9 else 0 for part in parts]
        if not all(0 < number <= MOST for number in known) or len(parts) > MANY:
            text = f"'{str(value)[:60]}' is no list of up to {MANY} numbers from 1 to {MOST:,}"
            self.fail(f"{text}: 1,4,16", param, ctx)
        return tuple(sorted(set(known)))


@click.command(short_help="Check the claims of a package on toy data.")
@click.argument("package", type=some_path, metavar="PKG")
@click.option("--json", "as_json", is_flag=True, help="Write all results as JSON.")
@click.option(
    "--seed",
    type=click.IntRange(min=0, max=2**64 - 1),
    default=1,
    show_default=True,
    help="Of all draws.",
)
@click.option(
    "--draws",
    type=click.IntRange(min=256, max=10_000_000),
    default=20_000,
    show_default=True,
    help="Samples of each decoder.",
)
@click.option(
    "--steps",
    type=Steps(),
    default=(1, 4, 16, 64),
    show_default="1,4,16,64",
    help="Numbers of steps to try where a decoder has one.",
)
@click.option(
    "--points",
    type=click.IntRange(min=8, max=4096),
    default=128,
    show_default=True,
    help="Noises that the table is fitted with, times the chances of the examples.",
)
@click.option(
    "--seconds",
    type=click.IntRange(min=5, max=1_000_000),
    default=60,
    show_default=True,
    help="Processor time; where more would be needed, less is drawn and fitted.",
)
@click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="noise.NAME=VALUE",
    help="A param of the noise; may be repeated.",
)
@trust_option
def verify(
    package: Path,
    as_json: bool,
    seed: int,
    draws: int,
    steps: tuple[int, ...],
    points: int,
    seconds: int,
    sets: tuple[str, ...],
    trust: bool,
) -> int:
    """Check the claims of PKG, with a lookup table in place of its network.

    On data that can be enumerated, the table is fitted with the package's own loss and sampled
    with its own decoders: do samples follow the claimed distribution, is the likelihood tight or a
    bound as claimed, is the loss the likelihood if it is claimed to be, are prompts left alone?
    Takes at most a minute of processor time, and more only with --seconds.

    \b
    Exit code: 0 nothing is refuted, 1 a claim is refuted, 4 the package cannot be loaded.
    """  # noqa: D301  # click reads the character
    with runtime():
        from xlm_runtime.verify.bench import Settings
        from xlm_runtime.verify.main import verify as start

    settings = Settings(seed=seed, draws=draws, steps=steps, points=points, seconds=seconds)
    note = partial(click.echo, err=True)  # stdout is the report's
    return start(package, settings, sets=sets, as_json=as_json, trust=trusting(trust, note))
