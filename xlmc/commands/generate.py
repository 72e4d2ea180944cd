"""``xlmc generate``: texts of a trained model, for prompts of one's own."""

import gc
from pathlib import Path

import click

from xlmc.commands.common import runtime
from xlmc.commands.trust import trust as trusting
from xlmc.commands.trust import trust_option

some_path = click.Path(path_type=Path)  # the runtime says what is wrong with one


@click.command(short_help="Generate texts with a trained model.")
@click.argument("what", metavar="RUN|PKG|HUB")
@click.option(
    "--prompt", "prompts", multiple=True, metavar="TEXT", help="A prompt, or a text to continue."
)
@click.option(
    "--prompts",
    "file",
    type=some_path,
    metavar="FILE",
    help="Prompts, one per line, or JSON lines with id, prompt and length; - for stdin.",
)
@click.option(
    "--infill",
    "infills",
    multiple=True,
    metavar="TEXT",
    help='A text with holes: "the [GAP] sat on [MASK*2]".',
)
@click.option("--length", type=int, metavar="N", help="Tokens of each text, given ones included.")
@click.option(
    "--num", "number", type=int, default=1, show_default=True, help="Candidates for each prompt."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of all draws.")
@click.option("--decoder", metavar="NAME", help="A decoder of the family; else that of the run.")
@click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="decoder.NAME=VALUE",
    help="A param of the decoder: decoder.temperature=0.7.",
)
@click.option("--stop", "stops", multiple=True, metavar="TEXT", help="Where a text ends.")
@click.option(
    "--suppress", "suppressed", multiple=True, metavar="TOKEN", help="What is never written."
)
@click.option("--batch", type=int, default=64, show_default=True, help="Texts at once.")
@click.option(
    "--out",
    type=some_path,
    metavar="FILE",
    help="Write JSON lines; a file that is there is continued or left alone. - for stdout.",
)
@click.option("--likelihood", is_flag=True, help="Also the log-likelihood of each text.")
@click.option("--draws", type=int, default=32, show_default=True, help="Of noise for a likelihood.")
@click.option("--distinct", is_flag=True, help="Candidates without repeats, the likeliest first.")
@click.option("--live", is_flag=True, help="Show decoding as it happens, its changes in colour.")
@click.option(
    "--pause",
    type=float,
    default=0.05,
    show_default=True,
    metavar="SECONDS",
    help="How long --live shows a state at least.",
)
@click.option("--ckpt", default="best", show_default=True, metavar="last|best|PATH")
@click.option(
    "--weights",
    metavar="NAME",
    help="With PKG: published weights, OWNER/NAME, a folder, or `published`, what the spec names.",
)
@trust_option
def generate(
    what: str,
    prompts: tuple[str, ...],
    file: Path | None,
    infills: tuple[str, ...],
    length: int | None,
    number: int,
    seed: int,
    decoder: str | None,
    sets: tuple[str, ...],
    stops: tuple[str, ...],
    suppressed: tuple[str, ...],
    batch: int,
    out: Path | None,
    likelihood: bool,
    draws: int,
    distinct: bool,
    live: bool,
    pause: float,
    ckpt: str,
    weights: str | None,
    trust: bool,
) -> int:
    """Generate texts with a trained model.

    RUN is the folder of a run, or a folder with runs, of which the newest is meant; PKG a package,
    whose newest run is meant; HUB a run on the Hub, OWNER/NAME. Prompts may be piped. Without
    prompts a model of texts writes any text.

    \b
    xlmc generate runs/ilm/star_easy --prompt "3>5 6>7 5>1 0>6 1>4 3>0 3 4"
    xlmc generate runs/mdlm/lm1b --infill "the [MASK*3] sat" --num 8 --distinct
    xlmc generate OWNER/NAME --prompts questions.jsonl --out answers.jsonl
    """  # noqa: D301  # click reads the character
    gc.enable()
    with runtime():
        from xlm_runtime.system.progress import say
        from xlm_runtime.use.main import generate as start
        from xlm_runtime.use.options import Options

    options = Options(
        what=what, prompts=prompts, file=file, infills=infills, length=length, number=number,
        seed=seed, decoder=decoder, sets=sets, stops=stops, suppressed=suppressed, batch=batch,
        out=out, likelihood=likelihood, draws=draws, distinct=distinct, live=live, pause=pause,
        ckpt=ckpt, weights=weights, trust=trusting(trust, say), agreed=trust,
    )  # fmt: skip
    return start(options)
