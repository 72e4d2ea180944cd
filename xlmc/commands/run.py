"""``xlmc run``: training and evaluation on a task; the one command that needs torch."""

import gc
import shlex
import signal
import sys
import traceback
from pathlib import Path

import click

from xlmc.commands.common import runtime, some_path, task_names
from xlmc.commands.trust import trust as trusting
from xlmc.commands.trust import trust_option
from xlmc.diagnostics.failure import Failure


@click.command(short_help="Train, evaluate and generate with a package.")
@click.argument("package", type=some_path, metavar="PKG")
@click.option(
    "--task",
    required=True,
    shell_complete=task_names,
    help="A name from `xlmc tasks`, or pkg.module:NAME.",
)
@click.option(
    "--job",
    type=click.Choice(
        ["all", "prepare", "train", "eval", "generate", "score", "push", "plan", "rate", "overfit"]
    ),
    default="all",
    show_default=True,
    help="The step to do. Three try a training and leave no run: plan measures a step, rate looks "
    "for a learning rate, overfit learns one batch by heart.",
)
@click.option(
    "--preset",
    type=click.Choice(["quick", "paper", "overfit"]),
    default="quick",
    show_default=True,
    help="quick: minutes on a laptop; paper: the recipe of the spec; overfit: quick, one batch by "
    "heart (--job overfit).",
)
@click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a setting: model.layers=4, decoder.top_p=0.9. Repeatable. A list, as in "
    "decoder.steps=8,16,32, is a sweep: with --job eval over one checkpoint; of training settings "
    "a run for each value.",
)
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="NAME[=JUDGE]",
    help="Measure more: generative_perplexity=gpt2-large, mauve=DIR, my_metrics:MINE. Repeatable.",
)
@click.option(
    "--data", type=some_path, metavar="PATH", help="Local text, JSON, CSV or Parquet to read."
)
@click.option(
    "--columns",
    metavar="ROLE=COLUMN,...",
    help="What to read from --data: text=body, or prompt=question,target=answer.",
)
@click.option(
    "--tokenizer", metavar="NAME", help="On the Hub, a local file or folder, or bpe:4096: trained."
)
@click.option(
    "--predictions", type=some_path, metavar="FILE", help="What --job score judges: of any system."
)
@click.option("--repo", metavar="OWNER/NAME", help="Where on the Hub --job push sends the run.")
@click.option(
    "--init",
    metavar="RUN|PATH|OWNER/NAME",
    help="Weights that training starts from: a run, a checkpoint, safetensors, or on the Hub.",
)
@click.option(
    "--init-map",
    metavar="FILE",
    help='JSON of names of weights or modules: {"here": "there"}, * for a layer, null for none.',
)
@click.option("--ckpt", metavar="last|best|PATH", help="Whose weights eval, generate and push use.")
@click.option(
    "--run", "run_dir", type=some_path, metavar="DIR", help="An earlier run, if not the newest."
)
@click.option("--name", help="What to call the run.")
@click.option("--seed", type=int, help="Of weights, order and noise.")
@click.option("--devices", type=int, metavar="N", help="Processes on a machine: train.devices.")
@click.option(
    "--nodes", type=int, metavar="N", help="Machines: train.nodes, with torchrun or srun."
)
@click.option(
    "--strategy",
    type=click.Choice(["ddp", "fsdp"]),
    help="fsdp: each device keeps its share of weights and moments (train.strategy).",
)
@click.option(
    "--sbatch",
    type=some_path,
    metavar="FILE",
    help="Write a script for SLURM that runs this command, and again after it was stopped.",
)
@click.option("--limit", type=int, metavar="N", help="Evaluate and generate N examples at most.")
@click.option(
    "--seeds", metavar="N|A,B,...", help="A run for each seed from 1 to N, or of a list; one table."
)
@click.option(
    "--force", is_flag=True, help="Go on with a run although package, settings or data changed."
)
@trust_option
def run(
    package: Path,
    task: str,
    job: str,
    preset: str,
    sets: tuple[str, ...],
    metrics: tuple[str, ...],
    data: Path | None,
    columns: str | None,
    tokenizer: str | None,
    predictions: Path | None,
    repo: str | None,
    init: str | None,
    init_map: str | None,
    ckpt: str | None,
    run_dir: Path | None,
    name: str | None,
    seed: int | None,
    seeds: str | None,
    force: bool,
    limit: int | None,
    devices: int | None,
    nodes: int | None,
    strategy: str | None,
    sbatch: Path | None,
    trust: bool,
) -> int:
    """Prepare the data of a task, then train, evaluate and generate with PKG.

    A run lies in runs/FAMILY/TASK/NAME; steps that are done are not done again.
    """
    gc.enable()
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # a lost socket is an error, not the end
    with runtime():
        from xlm_runtime.run.main import run as start
        from xlm_runtime.system.progress import say

    try:
        return start(
            package,
            task,
            job=job,
            preset=preset,
            sets=sets,
            metrics=metrics,
            data=data,
            columns=columns,
            tokenizer=tokenizer,
            predictions=predictions,
            repo=repo,
            init=init,
            init_map=init_map,
            ckpt=ckpt,
            run_dir=run_dir,
            name=name,
            seed=seed,
            seeds=seeds,
            force=force,
            limit=limit,
            devices=devices,
            nodes=nodes,
            strategy=strategy,
            sbatch=sbatch,
            line=_typed(sbatch),
            trust=trusting(trust, say),
        )
    except Exception as error:  # out of memory, a task of the user's own: they must see where
        traceback.print_exception(error)
        raise Failure(f"the run failed: {type(error).__name__}, see above") from error


def _typed(script: Path | None) -> str:
    """Return this command as it was typed, without the option that names a script."""
    words, kept = iter(sys.argv[1:]), ["xlmc"]
    for word in words:
        if script is not None and word == "--sbatch":
            next(words)
        elif script is None or not word.startswith("--sbatch="):
            kept.append(word)
    return shlex.join(kept)
