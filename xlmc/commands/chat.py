"""``xlmc chat``: prompts and their answers, one after another."""

import gc

import click

from xlmc.commands.common import runtime
from xlmc.commands.trust import trust as trusting
from xlmc.commands.trust import trust_option


@click.command(short_help="Talk to a trained model.")
@click.argument("what", metavar="RUN|PKG|HUB")
@click.option("--length", type=int, metavar="N", help="Tokens of each text, given ones included.")
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
@click.option(
    "--pause",
    type=float,
    default=0.05,
    show_default=True,
    metavar="SECONDS",
    help="How long a state is shown at least.",
)
@click.option("--ckpt", default="best", show_default=True, metavar="last|best|PATH")
@click.option(
    "--weights",
    metavar="NAME",
    help="With PKG: published weights, OWNER/NAME, a folder, or `published`, what the spec names.",
)
@trust_option
def chat(
    what: str,
    length: int | None,
    seed: int,
    decoder: str | None,
    sets: tuple[str, ...],
    stops: tuple[str, ...],
    suppressed: tuple[str, ...],
    pause: float,
    ckpt: str,
    weights: str | None,
    trust: bool,
) -> int:
    """Answer prompts one after another, and show how each answer is written.

    RUN, PKG and HUB are those of `xlmc generate`. Where the task is a chat (data.chat) the
    conversation is kept; else prompts do not depend on each other. Ctrl-C stops an answer, Ctrl-D
    ends.
    """
    gc.enable()
    with runtime():
        from xlm_runtime.system.progress import say
        from xlm_runtime.use.main import chat as start
        from xlm_runtime.use.options import Options

    options = Options(
        what=what, length=length, seed=seed, decoder=decoder, sets=sets, stops=stops,
        suppressed=suppressed, pause=pause, ckpt=ckpt, weights=weights,
        trust=trusting(trust, say), agreed=trust,
    )  # fmt: skip
    return start(options)
