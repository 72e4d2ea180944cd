"""A script for SLURM that runs a command on its machines, and again after it was stopped."""

from shlex import quote

from xlm_runtime.config.config import Train
from xlm_runtime.run.command import Command
from xlm_runtime.system.atomic import write_text
from xlm_runtime.system.errors import UsageError
from xlm_runtime.system.progress import say

_SCRIPT = """\
#!/bin/bash
#SBATCH --job-name={name}
#SBATCH --nodes={nodes}
#SBATCH --ntasks-per-node={devices}
#SBATCH --gpus-per-node={devices}
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=TERM@180
# Add what your cluster needs: --time, --partition, --account, --cpus-per-task.

srun {line}
code=$?
# 130: the job was about to end, and the state is saved: the same command resumes from there.
if [ "$code" -eq 130 ]; then
    exec scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
"""


def script(command: Command, train: Train) -> None:
    """Write the script of a command.  Raises UsageError where it cannot find its run again."""
    assert command.sbatch is not None
    name = command.name or (command.run_dir.name if command.run_dir else "")
    if not name:
        raise UsageError("--sbatch: give --name, by which a job that is queued again finds its run")
    if command.sbatch.exists():
        raise UsageError(f"--sbatch {command.sbatch}: there is such a file; it is left as it is")
    if not command.sbatch.absolute().parent.is_dir():
        raise UsageError(f"--sbatch {command.sbatch}: there is no such folder")
    parts = {
        "name": quote(name),
        "nodes": train.nodes,
        "devices": train.devices,
        "line": command.line,
    }
    write_text(command.sbatch, _SCRIPT.format(**parts))
    say(f"{command.sbatch} is written: sbatch {command.sbatch}")
