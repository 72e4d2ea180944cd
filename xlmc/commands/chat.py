"""``xlmc chat``: prompts and their answers, one after another."""

import gc

import click

from xlmc.commands import using
from xlmc.commands.common import runtime
from xlmc.commands.trust import trust as trusting


@click.command(short_help="Talk to a trained model.")
@using.model
@using.decoding
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
