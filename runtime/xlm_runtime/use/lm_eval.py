"""The command of lm-evaluation-harness with one more model, ``xlmc``.

``python -m xlm_runtime.use.lm_eval ...`` is ``lm_eval ...``, in which ``--model xlmc --model_args
run=RUN`` names a trained run (see `Harness.create_from_arg_obj`). The harness has no entry points
for models of other packages, but knows those that are registered in its process.
"""

import sys

from xlm_runtime.system import extras
from xlm_runtime.system.outcome import outcome
from xlm_runtime.system.progress import beside_results

NAME = "xlmc"


def register() -> None:
    """Add the model to the harness of this process.  Raises UsageError if it is not installed."""
    models = extras.needed("lm_eval.api.registry", "lm-eval", f"--model {NAME}").model_registry
    extras.needed("lm_eval.models", "lm-eval", f"--model {NAME}")  # which are registered only once
    if NAME not in models:
        models.register(NAME, target="xlm_runtime.use.harness:Harness")


def main() -> int:
    """Run the harness on the arguments of the process, and return its exit code."""

    def work() -> None:
        register()
        extras.needed("lm_eval.__main__", "lm-eval", f"--model {NAME}").cli_evaluate()

    with beside_results():
        return outcome(work, "stopped")


if __name__ == "__main__":
    sys.exit(main())
