"""``xlmc generate``: texts of a trained model, for prompts of one's own."""

import gc
from pathlib import Path

import click

from xlmc.commands import using
from xlmc.commands.common import runtime, some_path
from xlmc.commands.trust import trust as trusting


@click.command(short_help="Generate texts with a trained model.")
@using.model
@click.option(
    "--prompt", "prompts", multiple=True, metavar="TEXT", help="A prompt, or a text to continue."
)
@click.option(
    "--prompts",
    "file",
    type=some_path,
    metavar="FILE",
    help="Prompts, one per line, or JSON lines with id, prompt, draft and length; - for stdin.",
)
@click.option(
    "--infill",
    "infills",
    multiple=True,
    metavar="TEXT",
    help='A text with holes: "the [GAP] sat on [MASK*2]".',
)
@click.option(
    "--draft",
    "drafts",
    multiple=True,
    metavar="TEXT",
    help="A text to repair, for a family that makes texts of drafts; beside each --prompt, if any.",
)
@click.option(
    "--num", "number", type=int, default=1, show_default=True, help="Candidates for each prompt."
)
@using.decoding
@using.scoring
@click.option(
    "--out",
    type=some_path,
    metavar="FILE",
    help="Write JSON lines; a file that is there is continued or left alone. - for stdout.",
)
@click.option("--likelihood", is_flag=True, help="Also the log-likelihood of each text.")
@click.option("--distinct", is_flag=True, help="Candidates without repeats, the likeliest first.")
@click.option("--best", is_flag=True, help="Of the candidates the likeliest alone.")
@click.option("--live", is_flag=True, help="Show decoding as it happens, its changes in colour.")
def generate(
    what: str,
    prompts: tuple[str, ...],
    file: Path | None,
    infills: tuple[str, ...],
    drafts: tuple[str, ...],
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
    best: bool,
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
        what=what, prompts=prompts, file=file, infills=infills, drafts=drafts,
        length=length, number=number, seed=seed, decoder=decoder, sets=sets, stops=stops,
        suppressed=suppressed, batch=batch, out=out, likelihood=likelihood, draws=draws,
        distinct=distinct, best=best, live=live, pause=pause, ckpt=ckpt, weights=weights,
        trust=trusting(trust, say), agreed=trust,
    )  # fmt: skip
    return start(options)
