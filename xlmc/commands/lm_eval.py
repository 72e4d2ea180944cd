"""``xlmc lm-eval``: tasks of lm-evaluation-harness with a trained model."""

import gc
from pathlib import Path

import click

from xlmc.commands import using
from xlmc.commands.common import runtime, some_path
from xlmc.commands.trust import trust as trusting


@click.command("lm-eval", short_help="Evaluate a trained model with lm-evaluation-harness.")
@using.model
@click.option(
    "--tasks", required=True, metavar="NAME,NAME,...", help="Tasks, groups or tags of the harness."
)
@click.option(
    "--include",
    type=some_path,
    metavar="DIR",
    help="A folder with tasks of your own, as YAML.",
)
@click.option("--limit", type=int, metavar="N", help="Examples of each task.")
@click.option("--fewshot", "shots", type=int, metavar="N", help="Examples before each question.")
@using.scoring
@click.option("--seed", type=int, default=1, show_default=True, help="Of generated texts.")
@click.option("--out", type=some_path, metavar="FILE", help="Write the results as JSON.")
def lm_eval(
    what: str,
    tasks: str,
    include: Path | None,
    limit: int | None,
    shots: int | None,
    batch: int,
    draws: int,
    seed: int,
    out: Path | None,
    ckpt: str,
    weights: str | None,
    trust: bool,
) -> int:
    """Evaluate a trained model on tasks of lm-evaluation-harness.

    RUN, PKG and HUB are those of `xlmc generate`. Needs `pip install 'xlmc[lm-eval]'`. A model that
    answers prompts answers the contexts of a task; a model of texts continues them.
    """
    gc.enable()
    with runtime():
        from xlm_runtime.system.progress import say
        from xlm_runtime.use.evaluating import Tasks
        from xlm_runtime.use.main import evaluate
        from xlm_runtime.use.options import Options

    options = Options(
        what=what, batch=batch, draws=draws, seed=seed, out=out, ckpt=ckpt,
        weights=weights, likelihood=True,
        trust=trusting(trust, say), agreed=trust,
    )  # fmt: skip
    names = tuple(dict.fromkeys(name.strip() for name in tasks.split(",") if name.strip()))
    return evaluate(options, Tasks(names=names, include=include, limit=limit, shots=shots))
