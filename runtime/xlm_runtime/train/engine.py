"""The settings of Lightning's trainer that every fit shares, and its refusal of large batches."""

from typing import Any

from xlm_runtime.config.config import Train
from xlm_runtime.system import failures
from xlm_runtime.system.env import device, precision
from xlm_runtime.system.errors import RunError


def engine(train: Train) -> dict[str, Any]:
    """Return the arguments of a trainer: devices, precision, and the parts of a step."""
    return {
        "accelerator": "gpu" if device().type == "cuda" else "cpu",
        "devices": train.devices,
        "num_nodes": train.nodes,
        "max_steps": train.steps,
        "max_epochs": -1,
        "precision": precision(train.precision),
        "gradient_clip_val": train.clip or None,
        "accumulate_grad_batches": train.accumulate,
        "num_sanity_val_steps": 0,
        "inference_mode": False,  # what a network keeps from a validation may serve a training step
        "enable_progress_bar": False,  # `Report` shows it
        "enable_model_summary": False,
        "use_distributed_sampler": False,
    }


def too_large(error: BaseException, train: Train) -> BaseException:
    """Return an error in words for a step that does not fit the memory, else the error itself."""
    if not failures.out_of_memory(error):
        return error
    return RunError(
        f"out of memory with {train.part} examples at once; "
        f"try --set train.device_batch={max(1, train.part // 2)}: the same loss, in parts"
    )
